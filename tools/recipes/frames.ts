/**
 * Compressed frames of flat images, as small as their codecs allow: real ones, which decoders decode, and lists of parts so that recipes can
 * put something between them.
 */

const word = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A marker segment: marker, length, content. */
export function segment(marker: number, content: Uint8Array): Buffer {
  return Buffer.concat([word(marker), word(content.length + 2), content]);
}

/** Bits, most significant first, filled up with ones (T.81 §F.1.2.3); after FF a zero byte (JPEG) or a zero bit (JPEG-LS). */
function packed(bits: string, stuffing: 'byte' | 'bit'): Buffer {
  const out: number[] = [];
  let at = 0;
  while (at < bits.length) {
    const width = stuffing === 'bit' && out.at(-1) === 0xff ? 7 : 8;
    out.push(Number.parseInt(bits.slice(at, at + width).padEnd(width, stuffing === 'bit' ? '0' : '1'), 2));
    at += width;
    if (stuffing === 'byte' && out.at(-1) === 0xff) out.push(0);
  }
  if (stuffing === 'bit' && out.at(-1) === 0xff) out.push(0);
  return Buffer.from(out);
}

export interface JPEGImage {
  readonly rows: number;
  readonly columns: number;
  readonly components?: number;
  readonly precision?: number;
  readonly lossless?: boolean;
  /** Restart interval in minimum coded units. */
  readonly restart?: number;
  readonly isLS?: boolean;
}

/** One flat image of middle grey (JPEG-LS: black), in parts by name, in order. */
export function jpegParts({ rows, columns, components = 1, precision = 8, lossless = false, restart = 0, isLS = false }: JPEGImage): Map<string, Buffer> {
  const ids = Array.from({ length: components }, (_, index) => index + 1);
  const parts = new Map<string, Buffer>();
  parts.set('soi', word(0xffd8));
  if (!lossless && !isLS) parts.set('dqt', segment(0xffdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 16)])));
  parts.set('sof', segment(isLS ? 0xfff7 : lossless ? 0xffc3 : precision > 8 ? 0xffc1 : 0xffc0, Buffer.concat([Buffer.from([precision]), word(rows), word(columns), Buffer.from([components, ...ids.flatMap((id) => [id, 0x11, 0])])])));
  if (!isLS) parts.set('dht', segment(0xffc4, lossless ? table(0) : Buffer.concat([table(0), table(0x10)])));
  if (restart > 0) parts.set('dri', segment(0xffdd, word(restart)));
  const tail = isLS ? [0, components > 1 ? 2 : 0, 0] : lossless ? [1, 0, 0] : [0, 63, 0];
  parts.set('sos', segment(0xffda, Buffer.from([components, ...ids.flatMap((id) => [id, 0]), ...tail])));
  parts.set('data', isLS ? runs(rows, columns) : flat(rows, columns, components, lossless, restart));
  parts.set('eoi', word(0xffd9));
  return parts;
}

/** A Huffman table of one code of one bit: "no difference", or "no more coefficients". */
function table(kind: number): Buffer {
  return Buffer.concat([Buffer.from([kind, 1]), Buffer.alloc(15), Buffer.from([0])]);
}

function flat(rows: number, columns: number, components: number, lossless: boolean, restart: number): Buffer {
  const units = lossless ? rows * columns : Math.ceil(rows / 8) * Math.ceil(columns / 8);
  const bits = '0'.repeat(components * (lossless ? 1 : 2));
  const pieces: Buffer[] = [];
  for (let unit = 0, interval = 0; unit < units; interval += 1) {
    const count = restart > 0 ? Math.min(restart, units - unit) : units;
    if (interval > 0) pieces.push(word(0xffd0 + ((interval - 1) & 7)));
    pieces.push(packed(bits.repeat(count), 'byte'));
    unit += count;
  }
  return Buffer.concat(pieces);
}

/** Run mode of T.87 (§A.7) over a black image: each line one run. */
function runs(rows: number, columns: number): Buffer {
  const orders = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  let bits = '';
  let index = 0;
  for (let row = 0; row < rows; row += 1) {
    let left = columns;
    while (left >= 2 ** orders[index]!) {
      left -= 2 ** orders[index]!;
      bits += '1';
      if (index < 31) index += 1;
    }
    if (left > 0) bits += '1';
  }
  return packed(bits, 'bit');
}

/** The parts joined, with others put in: `{ sof: [before, after] }`. */
export function joined(parts: ReadonlyMap<string, Uint8Array>, put: Readonly<Record<string, readonly [before: Uint8Array, after: Uint8Array]>> = {}): Buffer {
  return Buffer.concat([...parts].flatMap(([name, bytes]) => [put[name]?.[0] ?? new Uint8Array(), bytes, put[name]?.[1] ?? new Uint8Array()]));
}

export interface JPEG2000Image {
  readonly rows: number;
  readonly columns: number;
  readonly components?: number;
  readonly bits?: number;
  readonly isHT?: boolean;
  /** Side of a tile; one tile otherwise. */
  readonly tile?: number;
}

const levels = 2;

/** One flat image: every packet is empty, so that all coefficients are zero (T.800 B.10.3). */
export function jpeg2000Parts({ rows, columns, components = 1, bits = 8, isHT = false, tile = 0 }: JPEG2000Image): Map<string, Buffer> {
  const side = tile > 0 ? [tile, tile] : [columns, rows];
  const parts = new Map<string, Buffer>();
  parts.set('soc', word(0xff4f));
  const sizes = [columns, rows, 0, 0, ...side, 0, 0].map(long);
  parts.set('siz', segment(0xff51, Buffer.concat([word(isHT ? 0x4000 : 0), ...sizes, word(components), Buffer.alloc(3 * components).fill(Buffer.from([bits - 1, 1, 1]))])));
  // Part 15, and nothing about it that a decoder needs.
  if (isHT) parts.set('cap', segment(0xff50, Buffer.concat([long(2 ** 17), word(0)])));
  parts.set('cod', segment(0xff52, Buffer.from([0, 2, 0, 1, 0, levels, 4, 4, isHT ? 0x40 : 0, 1])));
  parts.set('qcd', segment(0xff5c, Buffer.from([0x40, ...Array.from({ length: 3 * levels + 1 }, () => (bits + 2) << 3)])));
  const tiles = Math.ceil(columns / side[0]!) * Math.ceil(rows / side[1]!);
  const packets = Buffer.alloc((levels + 1) * components);
  for (let index = 0; index < tiles; index += 1) parts.set(`tile${index}`, tilePart(index, packets));
  parts.set('eoc', word(0xffd9));
  return parts;
}

export function tilePart(index: number, packets: Uint8Array, length = 14 + packets.length, header: Uint8Array = new Uint8Array(), part = 0): Buffer {
  return Buffer.concat([segment(0xff90, Buffer.concat([word(index), long(length), Buffer.from([part, 1])])), header, word(0xff93), packets]);
}

/** A box of JP2, JPEG XL or MP4. */
export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([long(bytes.length + 8), Buffer.from(type, 'latin1'), bytes]);
}

/** A codestream as a JP2 file (T.800 Annex I), with other boxes before the codestream. */
export function jp2(codestream: Uint8Array, rows: number, columns: number, ...boxes: readonly Uint8Array[]): Buffer {
  const header = box('jp2h', box('ihdr', long(rows), long(columns), Buffer.from([0, 1, 7, 7, 0, 0])), box('colr', Buffer.from([1, 0, 0]), long(17)));
  return Buffer.concat([box('jP  ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])), box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ', 'latin1')), header, ...boxes, box('jp2c', codestream)]);
}

/** Grey, 32 by 32, of the value 125: written by cjxl 0.7 (`-d 0`). Entropy-coded throughout, so that it cannot be put together by hand. */
export const jpegXL = Buffer.from('ff0a4740505c080802010038004b188b15805df87f00692b9d0100', 'hex');
/** The same in the container of ISO/IEC 18181-2, with other boxes before the codestream. */
export function jpegXLContainer(...boxes: readonly Uint8Array[]): Buffer {
  return Buffer.concat([box('JXL ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])), box('ftyp', Buffer.from('jxl \0\0\0\0jxl ', 'latin1')), ...boxes, box('jxlc', jpegXL)]);
}
