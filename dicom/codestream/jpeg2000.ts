/**
 * JPEG 2000 (ITU-T T.800 Annex A) and High-Throughput JPEG 2000 (T.814): SOC, the main header, every tile-part by its length, EOC.
 *
 * Packets are not decoded. Within a tile-part no two bytes are a marker but SOP and EPH where COD announces them (A.8), and what PLT and TLM
 * say of lengths is what the lengths are; whether packets hold more code than their pixels need is bounded by the size of the frame.
 */
import { readBoxes, type Box, type BoxRules } from './boxes.ts';
import { Notes, type Expected, type Walker } from './contract.ts';
import { checkPadding } from './padding.ts';
import type { Stream } from './stream.ts';

/** Comments of one codestream. Writers leave their name; Kakadu lists its quality layers. */
const commentBytesMax = 4096;
/** Changes of progression in one header. */
const progressionsMax = 256;
/** Lengths of packets in the main header, which no writer of images for DICOM is known to put there (they stand in the tile-parts). */
const listedBytesMax = 4096;
/** Marker segments of one header. */
const segmentsMax = 4096;
/** T.800 A.5.1: 65,535 tiles at most; each with up to 255 parts, of which real writers make as many as resolutions or layers. */
const tilePartsMax = 1_000_000;
const tilesMax = 65_535;

// prettier-ignore
const marker = {
  soc: 0xff4f, cap: 0xff50, siz: 0xff51, cod: 0xff52, coc: 0xff53, tlm: 0xff55, prf: 0xff56, plm: 0xff57, plt: 0xff58, cpf: 0xff59, qcd: 0xff5c, qcc: 0xff5d, rgn: 0xff5e,
  poc: 0xff5f, ppm: 0xff60, ppt: 0xff61, crg: 0xff63, com: 0xff64, sot: 0xff90, sop: 0xff91, eph: 0xff92, sod: 0xff93, eoc: 0xffd9,
} as const;
/** Shortest and longest length of a marker segment (A.5 to A.9; T.814 A.3), and where it may stand: in the main header (1), in a tile-part's (2). */
const segments: ReadonlyMap<number, readonly [least: number, most: number, where: number]> = new Map([
  [marker.cap, [6, 70, 1]], [marker.prf, [4, 66, 1]], [marker.cpf, [4, 66, 1]], [marker.cod, [12, 45, 3]], [marker.coc, [9, 43, 3]], [marker.rgn, [5, 6, 3]],
  [marker.qcd, [4, 197, 3]], [marker.qcc, [5, 199, 3]], [marker.poc, [9, 65_535, 3]], [marker.tlm, [6, 65_535, 1]], [marker.plm, [4, 65_535, 1]], [marker.plt, [4, 65_535, 2]],
  [marker.ppm, [7, 65_535, 1]], [marker.ppt, [4, 65_535, 2]], [marker.crg, [6, 65_534, 1]], [marker.com, [4, 65_535, 3]],
]);

/** What JP2 files hold (T.800 Annex I), and JPX files that say what they require (T.801 Annex M). */
const jp2Boxes: BoxRules = {
  required: ['jP  ', 'ftyp', 'jp2h', 'jp2c'], allowed: ['rreq', 'uuid', 'xml ', 'uinf'], supers: ['jp2h', 'res '], inner: ['ihdr', 'bpcc', 'colr', 'pclr', 'cmap', 'cdef', 'resc', 'resd'],
};
/** All boxes that are not needed for pixels; modalities leave some hundred bytes. */
const metadataBytesMax = 2048;
const needed = new Set(['jP  ', 'jp2h', 'jp2c', 'ihdr', 'bpcc', 'cdef', 'cmap', 'res ', 'resc', 'resd']);
/** Longest content of the others: brands of a file; a colour profile; 1,024 entries of a palette. */
const boxBytesMax: Readonly<Record<string, number>> = { 'jP  ': 4, ftyp: 64, ihdr: 14, bpcc: 16_384, colr: 64 * 1024, pclr: 64 * 1024, cmap: 65_536, cdef: 65_536, resc: 10, resd: 10 };

function checkMetadata(boxes: readonly Box[], notes: Notes): void {
  let bytes = 0;
  for (const box of boxes) {
    const most = boxBytesMax[box.type];
    if (most !== undefined && box.length > most) notes.extra(box.at, box.length, `its box "${box.type}" has ${box.length} bytes`);
    if (needed.has(box.type)) continue;
    notes.part(`box ${box.type}`, box.at, box.length);
    if (most !== undefined) continue;
    bytes += box.length;
    if (bytes > metadataBytesMax) notes.extra(box.at, box.length, `it has ${bytes} bytes of boxes that no pixels come from`);
  }
}

const boxed = [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20] as const;

/** A codestream, or the JP2 file that some modalities leave around it (which PS3.5 A.4.4 does not ask for). */
export function walkJPEG2000({ isHT }: { readonly isHT: boolean }): Walker {
  return (stream, expected) => {
    const notes = new Notes();
    let from = 0;
    let until = stream.length;
    if (boxed.every((byte, index) => stream.byte(index) === byte)) {
      const found = readBoxes(stream, notes, jp2Boxes);
      checkMetadata(found, notes);
      const codestream = found.find((box) => box.type === 'jp2c');
      if (codestream === undefined) {
        notes.invalid(0, stream.length, 'its JP2 file holds no codestream');
        return notes.done(0);
      }
      from = codestream.at;
      until = codestream.at + codestream.length;
    }
    const end = new CodestreamWalk(stream, until, expected, isHT, notes).run(from);
    if (end >= 0 && until === stream.length) checkPadding(stream, end, notes);
    else if (end >= 0 && end < until) notes.extra(end, until - end, `${until - end} bytes follow its codestream inside their box`);
    return notes.done(end < 0 ? from : end);
  };
}

class CodestreamWalk {
  readonly #stream: Stream;
  readonly #until: number;
  readonly #expected: Expected | null;
  readonly #isHT: boolean;
  readonly #notes: Notes;
  #components = 0;
  #tiles = 0;
  #comments = 0;
  #listed = 0;
  #hasCapabilities = false;
  #hasCOD = false;
  #hasQCD = false;
  #hasSOP = false;
  #hasEPH = false;
  #packedHeaders = false;
  /** Lengths that TLM says the tile-parts have, in order. */
  readonly #declared: number[] = [];

  constructor(stream: Stream, until: number, expected: Expected | null, isHT: boolean, notes: Notes) {
    this.#stream = stream;
    this.#until = until;
    this.#expected = expected;
    this.#isHT = isHT;
    this.#notes = notes;
  }

  /** Position after EOC, or -1 where it is broken off (noted). */
  run(from: number): number {
    const stream = this.#stream;
    if (stream.unsigned16(from) !== marker.soc || stream.unsigned16(from + 2) !== marker.siz) return this.#broken(from, 2, 'it does not begin with a JPEG 2000 codestream');
    const size = stream.unsigned16(from + 4);
    if (size < 41 || from + 4 + size > this.#until) return this.#broken(from, 4, 'its size header is cut off');
    const wrong = this.#size(from + 6, size - 2);
    if (wrong !== null) return this.#broken(from + 2, size + 2, wrong);
    const first = this.#header(from + 4 + size, 1);
    if (first < 0) return -1;
    if (!this.#hasCOD || !this.#hasQCD) return this.#broken(from, first - from, 'its main header does not say how it is coded');
    if (this.#isHT !== this.#hasCapabilities) return this.#broken(from, first - from, this.#isHT ? 'it is not coded with high throughput as its Transfer Syntax says' : 'it is coded with more than its Transfer Syntax permits');
    return this.#tileParts(first);
  }

  /** SIZ (A.5.1). */
  #size(at: number, length: number): string | null {
    const stream = this.#stream;
    const count = stream.unsigned16(at + 34);
    if (length !== 36 + 3 * count || count === 0 || count > 16_384) return 'its size header has a wrong length';
    const [width, height, left, top] = [2, 6, 10, 14].map((offset) => stream.unsigned32(at + offset)) as [number, number, number, number];
    const [tileWidth, tileHeight, tileLeft, tileTop] = [18, 22, 26, 30].map((offset) => stream.unsigned32(at + offset)) as [number, number, number, number];
    if (width <= left || height <= top || tileWidth === 0 || tileHeight === 0 || tileLeft > left || tileTop > top) return 'its size header describes no image';
    this.#components = count;
    this.#tiles = Math.ceil((width - tileLeft) / tileWidth) * Math.ceil((height - tileTop) / tileHeight);
    if (this.#tiles > tilesMax) return `its size header makes ${this.#tiles} tiles`;
    const { rows, columns, samples, bitsAllocated } = this.#expected ?? { rows: height - top, columns: width - left, samples: count, bitsAllocated: 38 };
    if (width - left !== columns || height - top !== rows) return `it is coded as ${width - left} × ${height - top}, the image says ${columns} × ${rows}`;
    if (count !== samples) return `it is coded with ${count} components, the image says ${samples}`;
    for (let component = 0; component < count; component += 1) {
      const bits = (stream.byte(at + 36 + component * 3) & 0x7f) + 1;
      if (bits > bitsAllocated) return `it is coded with ${bits} bits, the image has room for ${bitsAllocated}`;
      // Chroma of half the size (as slide scanners write it) is brought to the size of the first component by decoders.
      const [across, down] = [stream.byte(at + 37 + component * 3), stream.byte(at + 38 + component * 3)];
      const most = component === 0 ? 1 : 2;
      if (across < 1 || down < 1 || across > most || down > most) return 'its components have sizes that do not go together';
    }
    return null;
  }

  /** Over the marker segments of a header to SOT (main) or SOD (tile-part); -1 where it is broken off. `body` gathers what PLT says. */
  #header(from: number, where: 1 | 2, body?: { packets: number }): number {
    const stream = this.#stream;
    let at = from;
    const said = new Set<string>();
    for (let segment = 0; segment < segmentsMax; segment += 1) {
      const code = stream.unsigned16(at);
      if (code === (where === 1 ? marker.sot : marker.sod)) return at;
      const length = stream.unsigned16(at + 2);
      const known = segments.get(code);
      if (known === undefined || (known[2] & where) === 0) return this.#broken(at, 2, code < 0 ? 'it is cut off inside a header' : `there is no marker segment at byte ${at} where one belongs`);
      if (length < known[0] || length > known[1] || at + 2 + length > this.#until) return this.#broken(at, 4, `the marker segment at byte ${at} has a wrong length`);
      if (this.#isAgain(code, at + 4, said)) this.#notes.extra(at, length + 2, `a header says twice how a component is coded (marker ${code.toString(16).toUpperCase()})`);
      const wrong = this.#segment(code, at + 4, length - 2, body);
      if (wrong !== null) return this.#broken(at, length + 2, wrong);
      at += 2 + length;
    }
    return this.#broken(at, 2, `a header has more than ${segmentsMax} marker segments`);
  }

  /** One of each kind in a header, or one for each component (A.6). */
  #isAgain(code: number, at: number, said: Set<string>): boolean {
    const each = code === marker.coc || code === marker.qcc || code === marker.rgn;
    if (!each && code !== marker.cod && code !== marker.qcd && code !== marker.crg && code !== marker.cap) return false;
    const key = each ? `${code} ${this.#components < 257 ? this.#stream.byte(at) : this.#stream.unsigned16(at)}` : `${code}`;
    const again = said.has(key);
    said.add(key);
    return again;
  }

  #segment(code: number, at: number, length: number, body?: { packets: number }): string | null {
    const stream = this.#stream;
    switch (code) {
      case marker.com:
        this.#comments += length;
        this.#notes.part('COM', at, length);
        if (this.#comments > commentBytesMax) this.#notes.extra(at, length, `its comments have ${this.#comments} bytes`);
        return null;
      case marker.cap: {
        let count = 0;
        for (let bits = stream.unsigned32(at); bits > 0; bits = Math.floor(bits / 2)) count += bits % 2;
        // Pcap15, the high-throughput block coder of Part 15, is the 15th bit from the top.
        this.#hasCapabilities = (Math.floor(stream.unsigned32(at) / 2 ** 17) & 1) === 1;
        return length === 4 + 2 * count ? null : 'its capabilities have a wrong length';
      }
      case marker.cod:
        this.#hasCOD = true;
        this.#hasSOP ||= (stream.byte(at) & 2) !== 0;
        this.#hasEPH ||= (stream.byte(at) & 4) !== 0;
        return null;
      case marker.qcd:
        this.#hasQCD = true;
        return null;
      case marker.crg:
        return length === 4 * this.#components ? null : 'its component registration has a wrong length';
      case marker.ppm:
      case marker.ppt:
        this.#packedHeaders = true;
        return null;
      case marker.poc: {
        // A.6.6: seven bytes for each, nine where there are many components; each of 64 levels of each component once is more than any.
        const row = this.#components < 257 ? 7 : 9;
        return length % row === 0 && length / row <= progressionsMax ? null : 'its changes of progression have a wrong length';
      }
      case marker.plm:
        this.#listed += length;
        if (this.#listed > listedBytesMax) this.#notes.extra(at, length, `its main header lists lengths of packets in ${this.#listed} bytes`);
        return null;
      case marker.tlm:
        return this.#lengths(at, length);
      case marker.plt:
        return this.#packets(at + 1, at + length, body);
      default:
        return null;
    }
  }

  /** TLM (A.7.1): for each tile-part its tile, in 0 to 2 bytes, and its length. */
  #lengths(at: number, length: number): string | null {
    const sizes = this.#stream.byte(at + 1);
    const [tileBytes, lengthBytes] = [(sizes >> 4) & 3, (sizes & 0x40) === 0 ? 2 : 4];
    const row = tileBytes + lengthBytes;
    if (tileBytes === 3 || (sizes & 0x8f) !== 0 || (length - 2) % row !== 0) return 'its table of tile-parts has a wrong length';
    for (let from = at + 2 + tileBytes; from < at + length; from += row) this.#declared.push(lengthBytes === 2 ? this.#stream.unsigned16(from) : this.#stream.unsigned32(from));
    return null;
  }

  /** PLT (A.7.3): lengths in groups of seven bits. */
  #packets(from: number, until: number, body?: { packets: number }): string | null {
    let value = 0;
    let open = false;
    for (let at = from; at < until; at += 1) {
      const byte = this.#stream.byte(at);
      value = value * 128 + (byte & 0x7f);
      open = byte >= 0x80;
      if (value > 0xffffffff) return 'a packet length cannot be';
      if (open) continue;
      if (body !== undefined) body.packets += value;
      value = 0;
    }
    return open ? 'a packet length is cut off' : null;
  }

  #tileParts(from: number): number {
    const stream = this.#stream;
    const next = new Uint16Array(this.#tiles);
    let at = from;
    for (let part = 0; part < tilePartsMax; part += 1) {
      const code = stream.unsigned16(at);
      if (code === marker.eoc) {
        if (next.some((count) => count === 0)) this.#notes.invalid(at, 2, 'a tile of it is missing');
        if (this.#declared.length > 0 && this.#declared.length !== part) this.#notes.invalid(from, at - from, `it has ${part} tile-parts; its table says ${this.#declared.length}`);
        return at + 2;
      }
      if (code !== marker.sot) return this.#broken(at, 2, code < 0 ? 'it is cut off: there is no end of codestream' : `no tile-part begins at byte ${at}, where the one before it ends`);
      const [tile, length, index] = [stream.unsigned16(at + 4), stream.unsigned32(at + 6), stream.byte(at + 10)];
      if (stream.unsigned16(at + 2) !== 10 || length < 0 || stream.byte(at + 11) < 0) return this.#broken(at, 12, 'a tile-part header is cut off');
      if (tile >= this.#tiles) return this.#broken(at, 12, `a tile-part is of tile ${tile} of ${this.#tiles}`);
      if (index !== next[tile]) return this.#broken(at, 12, 'tile-parts are not in sequence');
      next[tile] = index + 1;
      // Zero: to the end of the codestream.
      const until = length === 0 ? this.#until : at + length;
      if (until > this.#until || (length !== 0 && length < 14)) return this.#broken(at, 12, until > this.#until ? 'it is cut off inside a tile-part' : 'a tile-part is shorter than its header');
      if (this.#declared.length > 0 && length !== 0 && this.#declared[part] !== length) return this.#broken(at, 12, 'a tile-part is not as long as the table of tile-parts says');
      const body = { packets: 0 };
      const data = this.#header(at + 12, 2, body);
      if (data < 0) return -1;
      if (data + 2 > until) return this.#broken(at, 12, 'the header of a tile-part is longer than the tile-part');
      const end = this.#body(data + 2, until, length === 0);
      if (end < 0) return -1;
      // Lengths of packets whose headers lie elsewhere, and SOP segments, are counted differently by writers.
      if (body.packets > 0 && body.packets !== end - data - 2 && !this.#packedHeaders && !this.#hasSOP && !this.#hasEPH) this.#notes.invalid(at, end - at, 'a tile-part does not hold the packets that its table of packets says');
      at = end;
    }
    return this.#broken(at, 2, `it has more than ${tilePartsMax} tile-parts`);
  }

  /** Over the packets of a tile-part to `until`, or to EOC where its length is not said; -1 where a marker is inside. */
  #body(from: number, until: number, isOpen: boolean): number {
    const stream = this.#stream;
    let at = from;
    while (at < until) {
      const found = stream.find(0xff, at, until);
      if (found < 0) break;
      at = found + 1;
      const next = at < until ? stream.byte(at) : -1;
      if (next < 0x90) continue;
      if (next === 0x91 && this.#hasSOP && stream.unsigned16(at + 1) === 4) at += 5;
      else if (next === 0x92 && this.#hasEPH) at += 1;
      else if (isOpen && next === 0xd9) return found;
      else return this.#broken(found, 2, `a marker (FF${next.toString(16).toUpperCase()}) lies among the packets of a tile-part`);
    }
    return isOpen ? this.#broken(until, 0, 'it is cut off: there is no end of codestream') : until;
  }

  #broken(at: number, length: number, text: string): -1 {
    this.#notes.invalid(at, Math.max(0, Math.min(length, this.#stream.length - at)), text);
    return -1;
  }
}
