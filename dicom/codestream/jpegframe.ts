/** Frame and scan headers of JPEG (T.81 §B.2.2, §B.2.3; T.87 §C.2.2, §C.2.3). */
import type { Tables } from './jpegtables.ts';
import type { Stream } from './stream.ts';

export interface JPEGFrame {
  readonly precision: number;
  /** 0 until a DNL segment says it. */
  rows: number;
  readonly columns: number;
  readonly components: readonly { readonly id: number; readonly horizontal: number; readonly vertical: number; readonly table: number }[];
  readonly isLossless: boolean;
  readonly isLS: boolean;
  /** Each component is coded by one scan: all processes but the progressive ones. */
  readonly isSequential: boolean;
  readonly isArithmetic: boolean;
}

const lossless = new Set([0xc3, 0xc7, 0xcb, 0xcf]);
const progressive = new Set([0xc2, 0xc6, 0xca, 0xce]);

/** `at` is behind the length; the text says what is wrong. */
export function readFrame(stream: Stream, code: number, at: number, length: number): JPEGFrame | string {
  const count = stream.byte(at + 5);
  if (length < 9 || length !== 6 + 3 * count) return 'its frame header has a wrong length';
  const isLS = code === 0xf7;
  const ids = new Set<number>();
  const components = [];
  for (let index = 0; index < count; index += 1) {
    const from = at + 6 + index * 3;
    const [id, sampling, table] = [stream.byte(from), stream.byte(from + 1), stream.byte(from + 2)];
    const [horizontal, vertical] = [sampling >> 4, sampling & 15];
    if (ids.has(id)) return 'its frame header names a component twice';
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) return `its frame header has a sampling factor of ${horizontal} × ${vertical}`;
    if (table > 3) return 'its frame header names a table that cannot be';
    ids.add(id);
    components.push({ id, horizontal, vertical, table });
  }
  const precision = stream.byte(at);
  const columns = stream.unsigned16(at + 3);
  if (precision < 2 || precision > 16 || columns === 0) return 'its frame header describes no image';
  return { precision, rows: stream.unsigned16(at + 1), columns, components, isLS, isLossless: isLS || lossless.has(code), isSequential: !progressive.has(code), isArithmetic: code >= 0xc9 && code <= 0xcf };
}

/** Identifiers of the components that the scan codes; the text says what is wrong. */
export function readScan(stream: Stream, frame: JPEGFrame, at: number, length: number, tables: Tables): readonly number[] | string {
  const count = stream.byte(at);
  if (count < 1 || (count > 4 && !frame.isLS) || length !== 4 + 2 * count) return 'its scan header has a wrong length';
  const ids: number[] = [];
  const [first, last, approximation] = [stream.byte(at + 1 + 2 * count), stream.byte(at + 2 + 2 * count), stream.byte(at + 3 + 2 * count)];
  if (!frame.isLossless && (first > last || last > 63)) return 'its scan header names coefficients that are none';
  // A progressive scan has the first coefficient or others, not both (T.81 §G.1.1.1.1).
  if (!frame.isSequential && first === 0 && last !== 0) return 'its scan header names coefficients that do not go together';
  if (frame.isLossless && !frame.isLS && (first < 1 || first > 7)) return 'its scan header names a predictor that is none';
  if (frame.isLS && (last > 2 || (approximation >> 4) !== 0)) return 'its scan header names an interleaving that is none';
  for (let index = 0; index < count; index += 1) {
    const id = stream.byte(at + 1 + index * 2);
    const selector = stream.byte(at + 2 + index * 2);
    const component = frame.components.find((each) => each.id === id);
    if (component === undefined || ids.includes(id)) return 'its scan header names a component that the frame has not';
    ids.push(id);
    if (frame.isLS || frame.isArithmetic) continue;
    // Refinement scans of the DC coefficient use no table; decoders of the others read one, defined or not.
    const usesDC = first === 0 || frame.isLossless;
    if (usesDC && (approximation >> 4) === 0 && !tables.hasHuffman(0, selector >> 4)) return 'a scan uses a Huffman table that is not defined';
    if (!frame.isLossless && last > 0 && !tables.hasHuffman(1, selector & 15)) return 'a scan uses a Huffman table that is not defined';
    if (!frame.isLossless && !tables.hasQuantization(component.table)) return 'a scan uses a quantization table that is not defined';
  }
  return ids;
}

/** Restart markers that belong in a scan (T.81 §E.1.3, §A.2): one less than its restart intervals. Infinity where that cannot be told yet. */
export function restartsOf(frame: JPEGFrame, scan: readonly number[], interval: number): number {
  if (interval === 0) return 0;
  if (frame.rows === 0) return Number.POSITIVE_INFINITY;
  const block = frame.isLossless ? 1 : 8;
  const widest = Math.max(...frame.components.map((component) => component.horizontal));
  const tallest = Math.max(...frame.components.map((component) => component.vertical));
  let units: number;
  if (scan.length > 1) units = Math.ceil(frame.columns / (block * widest)) * Math.ceil(frame.rows / (block * tallest));
  else {
    const component = frame.components.find((each) => each.id === scan[0])!;
    units = Math.ceil(Math.ceil((frame.columns * component.horizontal) / widest) / block) * Math.ceil(Math.ceil((frame.rows * component.vertical) / tallest) / block);
  }
  return Math.ceil(units / interval) - 1;
}
