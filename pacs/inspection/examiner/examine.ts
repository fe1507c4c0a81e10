/**
 * One object, from its file to a report. Runs only in the sandboxed examiner: here hostile bytes are decoded (law 2).
 *
 * The steps: map every byte; content rules by region; digests and engine over all bytes, and over the inflated Data Set; what has to be
 * neutralised outside the Data Set; what those after inspection need to know of it.
 */
import { MapRoom } from '@lazaret/dicom/filemap/columns.ts';
import { problemKinds } from '@lazaret/dicom/filemap/problems.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import type { Digest } from '../../reception/contract.ts';
import type { Disarmed, Finding } from '../../quarantine/contract.ts';
import { encodeSpans, findingsMax, type Assignment, type Report } from '../assignment.ts';
import { isDecodable } from '../decoder/contract.ts';
import { overlapBytes, yaraName, type YaraEngine } from '../engines/yara.ts';
import { examineCompanion } from './companion.ts';
import { withoutRepeats, worstFirst } from '../verdict.ts';
import { blanksOf } from './blanking.ts';
import { checkContent, checkUnrecognised, type Content } from './content.ts';
import { checkPart } from './contentmagic.ts';
import { concealedBesidePixels } from './contentbeside.ts';
import { concealedInFrame, concealedParts, unusedInFrame } from './contentconcealed.ts';
import { describe, type SeenPart } from './describe.ts';
import { checkSurroundings, dataSetLengthOf, neutralise, type Neutralised } from './disarm.ts';
import { FileSource } from './filesource.ts';
import { inflateRaw } from './inflate.ts';
import { declaredIn, isStructured } from './inside/document.ts';
import { partsOf } from './inside/unpacking.ts';
import { instanceReport } from './instance.ts';
import { PartOutlet } from './outlet.ts';
import { patchObject } from './patching.ts';
import { passOver, type PassResult } from './pass.ts';
import { placeInDataSet, placeInObject } from './place.ts';
import { Reading, type Part } from './reading.ts';
import { unpackedFrames } from './unpackedframes.ts';
import { giveVerbatim } from './verbatim.ts';

/** Inflated parts are in memory already; the engine sees them in pieces of this size. */
const partBytes = 16 * 1024 * 1024;

/** Objects are read one after the other, and nothing of a map outlives its report. */
const room = new MapRoom();

/**
 * Report and spans of one object. Throws only where the file cannot be read or a bug of ours shows; then nothing is known of the object.
 * `write` takes the PartFrames that an assignment asks for, before this returns.
 */
export function examine(assignment: Assignment, engine: YaraEngine, write: (frame: Buffer) => void = () => {}): { readonly report: Report; readonly spans: Uint8Array } {
  const source = new FileSource(assignment.path);
  try {
    if (assignment.companion === true) return examineCompanion(assignment, source, engine);
    if (assignment.patch !== undefined) return patchObject(assignment, assignment.patch, source, engine);
    const mapped = mapObject(source, { inflateRaw }, undefined, room);
    const reading = new Reading(mapped, assignment.work);
    const unrecognised = isUnrecognised(mapped);
    const outlet = assignment.parts === true ? new PartOutlet(assignment.id, mapped, write) : null;
    const content = unrecognised ? checkUnrecognised(reading) : checkContent(reading);
    checkSurroundings(reading);
    const neutralised = neutralise(mapped, content.identity);
    const wanted = (neutralised !== null || assignment.dataSetDigest) && mapped.dataSetLength > 0;
    const dataSet = wanted ? { offset: mapped.dataSetOffset, length: dataSetLengthOf(mapped), prefix: neutralised?.prefix ?? null } : null;
    // Only what is taken apart by its own grammar may hold bytes that begin as a container does.
    const documents = isStructured(declaredIn(reading));
    const pass = passOver(source, engine, { dataSet, place: unrecognised && isPrintable(source) ? () => ({ tag: '', region: 'text' }) : placeInObject(mapped, documents) });
    checkDigest(reading, pass);
    if (outlet !== null) giveRanges(reading, outlet);
    const engines = { engine, outlet };
    scanConcealed(reading, concealedParts(reading), engines);
    if (!unrecognised) scanConcealed(reading, concealedBesidePixels(reading), engines);
    scanFrames(reading, content, engines);
    const parts = scanParts(reading, engines);
    // The worst come first: hundreds of faults in the encoding must not crowd out what is harmful.
    const findings = worstFirst(withoutRepeats([...structure(mapped), ...reading.findings, ...pass.findings, ...scanInflated(mapped, documents, engine)])).slice(0, findingsMax);
    const disarmed = neutralised === null ? null : disarmedOf(mapped, neutralised, pass);
    const report: Report = {
      id: assignment.id,
      sha256: pass.sha256,
      bytes: source.length,
      findings,
      instance: instanceOf(mapped, content, neutralised, pass),
      disarmed,
      dataSetSha256: pass.dataSetSha256,
      pixels: pixelsOf(reading, content),
      map: assignment.map === null ? null : { ...describe(mapped, findings, parts, assignment.map.window), ...(assignment.map.blank === true ? { blank: blanksOf(mapped) } : {}) },
    };
    return { report, spans: encodeSpans(mapped.spans) };
  } finally {
    source.close();
  }
}

/** What the reader found wrong with the encoding; what it only notes is left out. */
function structure(mapped: MappedObject): Finding[] {
  if (isUnrecognised(mapped)) {
    return [{ code: 'object-unrecognised', offset: 0, length: mapped.source.length, tag: '', engine: 'structure', text: 'This is no DICOM object: neither a DICM prefix nor a Data Set can be recognised.' }];
  }
  return mapped.problems
    .filter((problem) => problemKinds.get(problem.code)?.grade !== 'note')
    .map(({ code, offset, length, tag, text }) => ({ code, offset, length, tag, engine: 'structure', text }));
}

/** Something else than DICOM, of which each single fault is of no interest: a text beside the images of a medium. */
function isUnrecognised(mapped: MappedObject): boolean {
  return !mapped.hasPreamble && mapped.meta === null && mapped.problems.some((problem) => problem.code === 'not-dicom' || problem.code === 'object-empty');
}

/** Half a page decides whether something that is no DICOM object is a text, which may speak of scripts. What it begins as is looked at elsewhere. */
function isPrintable(source: FileSource): boolean {
  return source.read(0, Math.min(source.length, 2048)).every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}


function checkDigest(reading: Reading, pass: PassResult): void {
  const { work, mapped } = reading;
  if (work.sha256 !== '' && work.sha256 !== pass.sha256) {
    reading.addAt('digest-mismatch', 0, mapped.source.length, '', 'The bytes on disk are not those that were received: they changed while they were kept.');
  }
}

/** A deflated Data Set is not in the bytes of the file as an engine sees them, so it is shown to the engine as well. */
function scanInflated(mapped: MappedObject, documents: boolean, engine: YaraEngine): Finding[] {
  const { dataSetSource } = mapped;
  if (dataSetSource === mapped.source) return [];
  const findings: Finding[] = [];
  const place = placeInDataSet(mapped, documents);
  for (let offset = 0; offset < dataSetSource.length; offset += partBytes) {
    const bytes = dataSetSource.read(offset, Math.min(partBytes + overlapBytes, dataSetSource.length - offset));
    for (const finding of engine.scan({ bytes, offset, place })) {
      if (findings.some((known) => known.code === finding.code && known.text.includes(`byte ${finding.offset} `))) continue;
      // A missing engine has said so once already.
      if (finding.engine === yaraName && finding.code.startsWith('engine-')) continue;
      findings.push({ ...finding, offset: mapped.dataSetOffset, length: mapped.dataSetLength, text: `${finding.text}, at byte ${finding.offset} of the inflated Data Set` });
    }
  }
  return findings;
}

/** The engine of this process, and the way to those of others where there are any. */
interface Engines {
  readonly engine: YaraEngine;
  readonly outlet: PartOutlet | null;
}

/** For engines that know files by their beginnings: values as they stand, and the Data Set that a deflated object holds. */
function giveRanges(reading: Reading, outlet: PartOutlet): void {
  const { source, dataSetSource, dataSetOffset, dataSetLength } = reading.mapped;
  if (dataSetSource !== source) outlet.giveRange({ name: 'the inflated Data Set', at: { offset: dataSetOffset, length: dataSetLength }, outside: true }, dataSetSource, 0, dataSetSource.length);
  giveVerbatim(reading, outlet);
}

/** What was unpacked is looked at as the object itself is: by the rules of content, which may unpack more, and by the engines. */
function scanParts(reading: Reading, engines: Engines): readonly SeenPart[] {
  const parts: SeenPart[] = [];
  let known = reading.findings.length;
  // What was found between two parts is about the first: unpacking it comes after it was looked at.
  const attribute = (): void => {
    for (const { code } of reading.findings.slice(known)) parts.at(-1)?.codes.add(code);
    known = reading.findings.length;
  };
  for (const part of partsOf(reading)) {
    attribute();
    const { name, depth = 0, at, tag = '', outside = false } = part;
    parts.push({ name, depth, bytes: part.bytes.length, at, tag, outside, codes: new Set() });
    scanPart(reading, part, engines);
  }
  attribute();
  return parts;
}

function scanPart(reading: Reading, part: Part, { engine, outlet }: Engines): void {
  checkPart(reading, part);
  if (part.verbatim !== true) outlet?.give(part, part.bytes);
  const place = { tag: part.tag ?? '', region: part.region ?? 'other' };
  for (const finding of engine.scan({ bytes: part.bytes, offset: 0, place: () => place })) {
    // A missing engine has said so once already.
    if (finding.code === 'engine-missing') continue;
    reading.addAbout(part, finding.code, `${finding.text}, at byte ${finding.offset} of ${part.name}`, finding.engine);
  }
}

/** Texts that are looked at and not kept; what is packed in them becomes parts. */
function scanConcealed(reading: Reading, parts: Iterable<Part>, engines: Engines): void {
  for (const part of parts) scanPart(reading, part, engines);
}

/** Frames that are merely packed, unpacked: the rules speak of bytes as they are. */
function scanFrames(reading: Reading, { shape, frames }: Content, engines: Engines): void {
  const tag = '(7FE0,0010)';
  const { engine, outlet } = engines;
  for (const frame of unpackedFrames(reading, shape, frames)) {
    scanConcealed(reading, unusedInFrame(reading, frame, shape!.bitsAllocated), engines);
    if (frame.isStored) continue;
    outlet?.give({ name: `frame ${frame.number} once it is unpacked`, at: frame.at, tag }, frame.bytes);
    scanConcealed(reading, concealedInFrame(reading, frame), engines);
    for (let offset = 0; offset < frame.bytes.length; offset += partBytes) {
      const bytes = frame.bytes.subarray(offset, offset + partBytes + overlapBytes);
      for (const finding of engine.scan({ bytes, offset, place: () => ({ tag, region: 'other' }) })) {
        // A missing engine has said so once already.
        if (finding.code === 'engine-missing') continue;
        reading.addAt(finding.code, frame.at.offset, frame.at.length, tag, `${finding.text}, at byte ${finding.offset} of frame ${frame.number} once it is unpacked`, true, finding.engine);
      }
    }
  }
}

function disarmedOf(mapped: MappedObject, neutralised: Neutralised, pass: PassResult): Disarmed {
  return {
    what: neutralised.what,
    prefix: Buffer.from(neutralised.prefix).toString('base64'),
    dataSetOffset: mapped.dataSetOffset,
    dataSetLength: dataSetLengthOf(mapped),
    dataSetSha256: pass.dataSetSha256 as Digest,
    sha256: pass.disarmedSha256 as Digest,
    bytes: neutralised.prefix.length + dataSetLengthOf(mapped),
  };
}

/** For who decodes the frames, where somebody does. */
function pixelsOf(reading: Reading, { shape, frames }: Content): Report['pixels'] {
  const codec = reading.syntax?.codec ?? 'native';
  if (shape === null || frames === null || !isDecodable(codec)) return null;
  return { codec, rows: shape.rows, columns: shape.columns, samples: shape.samples, bitsAllocated: shape.bitsAllocated };
}

/** Null when the object could not be read far enough to say what it is. */
function instanceOf(mapped: MappedObject, content: Content, neutralised: Neutralised | null, pass: PassResult): Report['instance'] {
  if (content.identity === null) return null;
  return instanceReport(mapped, content.identity, content, neutralised?.prefix.length ?? mapped.dataSetOffset, pass.chunks);
}
