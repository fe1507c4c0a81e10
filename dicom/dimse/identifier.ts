/**
 * Identifiers of C-FIND (PS3.4 §C.2.2.1): a Data Set without File Meta Information, in the Transfer Syntax of its Presentation Context. Read with the same
 * bounded reader as objects, with narrower limits: an Identifier is a row of a list, not an image.
 */
import { BytesSource } from '../dataset/bytes.ts';
import { transferSyntaxByUID } from '../dataset/transfersyntaxes.ts';
import { Values } from '../dataset/values.ts';
import { ElementColumns, SpanColumns } from '../filemap/columns.ts';
import { ElementReader } from '../filemap/elements.ts';
import type { ReaderLimits } from '../filemap/limits.ts';
import { problemKinds, ProblemList } from '../filemap/problems.ts';

/** Worklist answers have one to four thousand bytes; what a sender adds in private elements may be more. Over this it is no answer to a question that people ask. */
export const identifierBytesMax = 256 * 1024;

/** An Identifier of a worklist has some 60 elements and nests three deep (PS3.4 Table K.6-1). */
export const identifierLimits: ReaderLimits = { depthMax: 8, elementsMax: 5_000, itemsMax: 2_000, inflatedBytesMax: 0, inflatedRatioMax: 0, inflatedBytesFree: 0 };

/** An Identifier that cannot be read as its Transfer Syntax says: nothing in it is taken. */
export class IdentifierProblem extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'IdentifierProblem';
    this.code = code;
  }
}

/**
 * The values of an Identifier. Throws IdentifierProblem where it is longer than `identifierBytesMax`, in a Transfer Syntax that no Identifier has, or where the
 * reader found a fault or reached a limit: a list of people whose rows were guessed would be worse than none.
 */
export function readIdentifier(bytes: Uint8Array, transferSyntaxUID: string): Values {
  if (bytes.length > identifierBytesMax) throw new IdentifierProblem('identifier-length-exceeded', `an identifier of more than ${identifierBytesMax} bytes`);
  const transferSyntax = transferSyntaxByUID.get(transferSyntaxUID);
  if (transferSyntax === undefined || transferSyntax.deflated || transferSyntax.encapsulated) throw new IdentifierProblem('identifier-syntax-invalid', 'an identifier in a transfer syntax that no identifier has');
  const source = new BytesSource(bytes);
  const spans = new SpanColumns(bytes.length);
  const elements = new ElementColumns(bytes.length);
  const problems = new ProblemList();
  const { explicitVR, littleEndian } = transferSyntax;
  const reader = new ElementReader(source, 0, { explicitVR, littleEndian }, false, spans, elements, problems, identifierLimits);
  reader.run();
  // Notes are what other readers get along with, too: values longer than their VR, an unknown character set.
  const wrong = problems.problems.find(({ code }) => problemKinds.get(code)?.grade !== 'note' || code === 'trailing-bytes');
  if (wrong !== undefined) throw new IdentifierProblem('identifier-invalid', `${wrong.text}${wrong.tag === '' ? '' : ` in ${wrong.tag}`} (${wrong.code})`);
  return new Values({
    source, spans: spans.table(), elements: elements.table(), problems: problems.problems, hasPreamble: false, meta: null, transferSyntaxUID,
    dataSetSource: source, encoding: { explicitVR, littleEndian }, dataSetOffset: 0, dataSetLength: bytes.length, fragments: null, pixelData: -1,
  });
}
