/**
 * `mapObject` labels every byte of an object. Steps: preamble and File Meta Information; how the Data Set is encoded;
 * inflating where it is deflated; its elements; what can only be seen once all is read.
 */
import { BytesSource } from '../dataset/bytes.ts';
import { transferSyntaxByUID, type TransferSyntax } from '../dataset/transfersyntaxes.ts';
import { kindOf, MapRoom, SpanColumns, type ElementColumns } from './columns.ts';
import type { ByteSource, FileMeta, MappedObject, ReaderTools, SpanTable } from './contract.ts';
import { ElementReader, type Encoding } from './elements.ts';
import { plausibleEncodings } from './encoding.ts';
import { checkIdentity, checkOffsetTable } from './finish.ts';
import { readerLimitsOf, type ReaderLimits } from './limits.ts';
import { readPreambleAndMeta } from './meta.ts';
import { ProblemList } from './problems.ts';
import { Window } from './window.ts';

/**
 * Reads an object of any kind, well-formed or not, and says what each of its bytes is. Never throws because of the bytes, needs memory for the
 * elements but not for their values, and reads no value but the few it must know. Without `limits`, those of the SOP Class are used. `room` is for those who
 * read one object after the other: what was made in it before holds no more.
 */
export function mapObject(source: ByteSource, tools: ReaderTools, limits?: ReaderLimits, room: MapRoom = new MapRoom()): MappedObject {
  room.begin(source.length);
  const { spans, elements } = room;
  const window = new Window(source);
  const problems = new ProblemList();
  if (source.length === 0) {
    problems.add('object-empty', 0, 0, null, '');
    return { ...nothingRead(source, spans, elements, problems), hasPreamble: false, meta: null, transferSyntaxUID: '', dataSetOffset: 0 };
  }
  const { hasPreamble, meta, end: start, stopped } = readPreambleAndMeta(window, spans, elements, problems);
  const head = { hasPreamble, meta, transferSyntaxUID: meta?.transferSyntaxUID ?? '', dataSetOffset: start };
  if (stopped) {
    spans.add(start, source.length - start, kindOf.unexplained, 0, 0);
    return { ...nothingRead(source, spans, elements, problems), ...head };
  }
  const transferSyntax = transferSyntaxByUID.get(head.transferSyntaxUID);
  if (head.transferSyntaxUID === '') problems.add('transfer-syntax-missing', 0, 0, null, '');
  else if (transferSyntax === undefined) problems.add('transfer-syntax-unknown', 0, 0, null, '');
  const bounds = limits ?? readerLimitsOf(meta?.mediaStorageSOPClassUID ?? '');

  if (transferSyntax?.deflated === true) return { ...readDeflated(source, tools, start, meta, transferSyntax, spans, elements, problems, bounds), ...head };
  const encoding = chooseEncoding(window, start, transferSyntax, problems);
  if (encoding === null) {
    spans.add(start, source.length - start, kindOf.unexplained, 0, 0);
    return { ...nothingRead(source, spans, elements, problems), ...head };
  }
  return { ...readElements(source, start, encoding, meta, transferSyntax, spans, elements, problems, bounds), ...head };
}

type Head = 'hasPreamble' | 'meta' | 'transferSyntaxUID' | 'dataSetOffset';

function nothingRead(source: ByteSource, spans: SpanColumns, elements: ElementColumns, problems: ProblemList): Omit<MappedObject, Head> {
  return { source, spans: spans.table(), elements: elements.table(), problems: problems.problems, dataSetSource: source, dataSetLength: 0, fragments: null, pixelData: -1 };
}

function readElements(source: ByteSource, start: number, encoding: Encoding, meta: FileMeta | null, transferSyntax: TransferSyntax | undefined, spans: SpanColumns, elements: ElementColumns, problems: ProblemList, limits: ReaderLimits): Omit<MappedObject, Head> {
  const reader = new ElementReader(source, start, encoding, transferSyntax?.encapsulated ?? null, spans, elements, problems, limits);
  const first = elements.count;
  reader.run();
  if (elements.count === first) problems.add('data-set-empty', start, 0, null, '');
  const { fragments } = reader;
  const found = fragments === null ? null : { offsets: Float64Array.from(fragments.offsets), lengths: Float64Array.from(fragments.lengths), basicOffsetTable: fragments.basicOffsetTable };
  const table = elements.table();
  checkIdentity(source, table, meta, problems);
  if (found !== null) checkOffsetTable(source, found, problems);
  return { source, spans: spans.table(), elements: table, problems: problems.problems, dataSetSource: source, encoding, dataSetLength: reader.dataSetEnd - start, fragments: found, pixelData: reader.pixelData };
}

/** PS3.5 A.5: everything after the File Meta Information is one raw deflate stream, with at most one byte of padding. */
function readDeflated(source: ByteSource, tools: ReaderTools, start: number, meta: FileMeta | null, transferSyntax: TransferSyntax, spans: SpanColumns, elements: ElementColumns, problems: ProblemList, limits: ReaderLimits): Omit<MappedObject, Head> {
  const length = source.length - start;
  const outputBytesMax = Math.min(limits.inflatedBytesMax, limits.inflatedRatioMax * length + limits.inflatedBytesFree);
  const { output, consumed: claimed, ended } = length === 0 ? { output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'truncated' as const } : tools.inflateRaw(source, start, length, outputBytesMax);
  const consumed = Math.max(0, Math.min(length, Math.floor(claimed)));
  if (ended === 'invalid') problems.add('deflate-invalid', start, length, null, '');
  if (ended === 'truncated') problems.add('deflate-truncated', start, length, null, '');
  if (ended === 'limit') problems.add('deflate-limit', start, length, null, '', `more than ${outputBytesMax} bytes from ${length}`);
  spans.add(start, consumed, kindOf.deflated, 0, 0);
  const rest = source.length - start - consumed;
  if (rest > 0) {
    const window = new Window(source);
    if (ended !== 'complete') spans.add(start + consumed, rest, kindOf.unexplained, 0, 0);
    else if (rest === 1 && window.firstNonZero(start + consumed, 1) > start + consumed) spans.add(start + consumed, 1, kindOf.padding, 0, 0);
    else {
      problems.add('trailing-bytes', start + consumed, rest, null, '', `${rest} bytes after the deflate stream`);
      spans.add(start + consumed, rest, kindOf.trailing, 0, 0);
    }
  }
  const inflatedSpans = new SpanColumns(output.length);
  elements.expect(output.length);
  const outer = problems.problems.length;
  const read = readElements(output, 0, { explicitVR: true, littleEndian: true }, meta, transferSyntax, inflatedSpans, elements, problems, limits);
  checkInflatedEnd(read.spans, problems);
  // Whoever reads of a problem looks for it in the object, which has no byte of its own for what is inflated.
  problems.moveFrom(outer, start, consumed);
  return { ...read, source, spans: spans.table(), dataSetSpans: read.spans, dataSetLength: consumed };
}

/**
 * What follows the last element inside the deflate stream cannot be cut off without writing the Data Set anew, so it is not harmless as it is outside:
 * readers that go on where this one ends would read other elements, and bytes of anything could stand there.
 */
function checkInflatedEnd({ count, kinds, offsets, lengths }: SpanTable, problems: ProblemList): void {
  const used = problems.problems.some(({ code }) => code === 'padding-used');
  for (let row = count - 1; row >= 0 && (kinds[row] === kindOf.trailing || kinds[row] === kindOf.padding); row -= 1) {
    if (kinds[row] === kindOf.trailing || used) problems.add('trailing-inflated', offsets[row]!, lengths[row]!, null, '', `${lengths[row]} bytes`);
  }
}

/** The encoding that the Transfer Syntax says, or, with a problem, the one that the first element shows; null where it shows none. */
function chooseEncoding(window: Window, start: number, declared: TransferSyntax | undefined, problems: ProblemList): Encoding | null {
  const plausible = plausibleEncodings(window, start);
  if (declared === undefined) {
    const guessed = plausible[0];
    if (guessed !== undefined) return guessed;
    problems.add('not-dicom', start, window.source.length - start, null, '');
    return null;
  }
  const { explicitVR, littleEndian } = declared;
  const same = (encoding: Encoding): boolean => encoding.explicitVR === explicitVR && encoding.littleEndian === littleEndian;
  const best = plausible[0];
  // Implicit VR permits nearly anything, so it stands only where no VR is to be seen.
  if (best === undefined || same(best) || (plausible.some(same) && explicitVR)) return declared;
  problems.add('transfer-syntax-mismatch', start, 0, null, '', `${declared.name} is declared, ${best.explicitVR ? 'Explicit' : 'Implicit'} VR ${best.littleEndian ? 'Little' : 'Big'} Endian is found`);
  return best;
}
