/**
 * ZIP files (APPNOTE 6.3), as portals and viewers pack studies: by their central directory, streamed, within limits.
 *
 * SECURITY: works on a hostile file. Names are texts and never paths. Each entry must lie where no other does (overlapping entries are how bombs grow), its
 * local header must agree with the directory, it gives at most the bytes that it declares, and all together at most so many as the limits below.
 */
import { createInflateRaw, crc32 } from 'node:zlib';
import { MediumError, type Device } from './device.ts';
import { depthMax, entriesMax, entryOf, nameOf, Notes, pathCharactersMax, pieceBytes, Unreadable, type Entry, type Missing, type Piece, type Volume } from './volume.ts';

/** Deflate packs at most 1,032 to 1; images of one colour come near 200. What is more than this together, and more than `freeBytes`, is a bomb. */
const ratioMax = 250;
const freeBytes = 4 * 1024 ** 3;
const directoryBytesMax = 256 * 1024 * 1024;
const commentBytesMax = 65_535;
const methods: Readonly<Record<number, string>> = { 1: 'Shrink', 6: 'Implode', 9: 'Deflate64', 12: 'bzip2', 14: 'LZMA', 93: 'Zstandard', 95: 'XZ', 96: 'JPEG', 97: 'WavPack', 98: 'PPMd', 99: 'AES encryption' };

interface Packed {
  readonly headerAt: number;
  readonly packedBytes: number;
  readonly method: number;
  readonly crc: number;
  readonly name: Buffer;
}

/** Null where it is no ZIP file. Throws Unreadable where it is one that cannot be used. */
export function openZIP(device: Device, label: string): ZIPVolume | null {
  if (device.length < 22) return null;
  const start = device.read(0, 4).readUInt32LE(0);
  if (start !== 0x04034b50 && start !== 0x06054b50 && start !== 0x08074b50) return null;
  const end = findEnd(device);
  if (end === null) throw new Unreadable('It begins as a ZIP file and has no directory at its end: it is cut off. Have it sent or copied again.');
  return new ZIPVolume(device, label.replace(/\.zip$/i, ''), end);
}

interface End {
  readonly count: number;
  readonly at: number;
  readonly bytes: number;
}

function findEnd(device: Device): End | null {
  const size = Math.min(device.length, 22 + commentBytesMax);
  const tail = device.read(device.length - size, size);
  for (let at = size - 22; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + 22 + tail.readUInt16LE(at + 20) !== size) continue;
    const end: End = { count: tail.readUInt16LE(at + 10), bytes: tail.readUInt32LE(at + 12), at: tail.readUInt32LE(at + 16) };
    const place = device.length - size + at;
    if (end.count !== 0xffff && end.bytes !== 0xffffffff && end.at !== 0xffffffff) return end.at + end.bytes <= place ? end : null;
    return findEnd64(device, place) ?? (end.at + end.bytes <= place ? end : null);
  }
  return null;
}

function findEnd64(device: Device, place: number): End | null {
  if (place < 20) return null;
  const locator = device.read(place - 20, 20);
  if (locator.readUInt32LE(0) !== 0x07064b50) return null;
  const at = Number(locator.readBigUInt64LE(8));
  if (!Number.isSafeInteger(at) || at + 56 > place) return null;
  const record = device.read(at, 56);
  if (record.readUInt32LE(0) !== 0x06064b50) return null;
  const end: End = { count: Number(record.readBigUInt64LE(32)), bytes: Number(record.readBigUInt64LE(40)), at: Number(record.readBigUInt64LE(48)) };
  return end.at + end.bytes <= at ? end : null;
}

export class ZIPVolume implements Volume {
  readonly kind = 'zip';
  readonly label: string;
  readonly identifier = '';
  readonly notes = new Notes();
  readonly #device: Device;
  readonly #end: End;
  readonly #packed = new WeakMap<Entry, Packed>();
  #given = 0;
  #listed = 0;

  constructor(device: Device, label: string, end: End) {
    this.#device = device;
    this.label = label;
    this.#end = end;
  }

  *entries(): Generator<Entry> {
    const { at: start, bytes } = this.#end;
    if (bytes > directoryBytesMax) throw new Unreadable('The directory of this ZIP file is larger than any that is read.');
    const found = [...this.#directory(start, bytes)].toSorted((one, other) => one.packed.headerAt - other.packed.headerAt);
    if (this.#listed !== this.#end.count) this.notes.add(`Its directory should list ${this.#end.count} files and folders and lists ${this.#listed}.`);
    let free = 0;
    for (const { entry, packed } of found) {
      // A data descriptor of up to 24 bytes may follow an entry.
      const overlaps = packed.headerAt < free;
      if (packed.headerAt - free > 24 + 65_535) this.notes.add(`${packed.headerAt - free} bytes from byte ${free} on belong to no file in its list; they were not looked at and did not come in.`);
      free = Math.max(free, packed.headerAt + 30 + packed.name.length + packed.packedBytes);
      if (overlaps) this.notes.add('Files lie over one another in it, which no program for packing does: it was made by hand.');
      const told = overlaps && entry.problem === '' ? { ...entry, problem: 'it lies where another file lies' } : entry;
      this.#packed.set(told, packed);
      yield told;
    }
  }

  *#directory(start: number, bytes: number): Generator<{ entry: Entry; packed: Packed }> {
    let at = start;
    for (let count = 0; at + 46 <= start + bytes; count += 1) {
      const head = this.#device.read(at, 46);
      if (head.readUInt32LE(0) !== 0x02014b50) {
        this.notes.add(`Its directory is damaged at byte ${at}; files that it lists after that are not known.`);
        return;
      }
      if (count >= entriesMax) {
        this.notes.add(`It lists more than ${entriesMax} files; what comes after them was not looked at.`);
        return;
      }
      const [nameLength, extraLength, commentLength] = [head.readUInt16LE(28), head.readUInt16LE(30), head.readUInt16LE(32)];
      if (at + 46 + nameLength + extraLength > start + bytes) {
        this.notes.add(`Its directory is damaged at byte ${at}; files that it lists after that are not known.`);
        return;
      }
      const name = this.#device.read(at + 46, nameLength);
      const extra = this.#device.read(at + 46 + nameLength, extraLength);
      at += 46 + nameLength + extraLength + commentLength;
      const [length, packedBytes, headerAt] = sizes64(extra, [head.readUInt32LE(24), head.readUInt32LE(20), head.readUInt32LE(42)]);
      const flags = head.readUInt16LE(8);
      const method = head.readUInt16LE(10);
      const utf8 = (flags & 0x800) !== 0;
      const text = utf8 ? name.toString('utf8') : name.toString('latin1');
      this.#listed += 1;
      // A folder has no content; one that claims to have some is a file.
      if (text.endsWith('/') && length === 0) continue;
      const path = pathOfName(text);
      const unix = head[5] === 3 ? (head.readUInt32LE(38) >>> 16) & 0o170000 : 0;
      const modified = dateOf(head.readUInt16LE(12), head.readUInt16LE(14));
      const kind = unix === 0o120000 ? 'link' : unix !== 0 && unix !== 0o100000 && unix !== 0o040000 ? 'special' : 'file';
      const problem = kind === 'link' ? 'a link; links are not followed' : kind === 'special' ? 'no file but a device, a pipe or a socket' : (flags & 1) !== 0 ? 'it is encrypted: unpack it with its password, and import the folder'
        : method !== 0 && method !== 8 ? `it is packed by a method that is not read (${methods[method] ?? method})` : headerAt + 30 > this.#device.length || headerAt + packedBytes > this.#device.length ? 'its place is outside the file' : '';
      yield { entry: entryOf(path, kind === 'file' ? length : 0, modified, kind, [], problem), packed: { headerAt, packedBytes, method, crc: head.readUInt32LE(16), name } };
    }
  }

  async *pieces(entry: Entry): AsyncGenerator<Piece> {
    const packed = this.#packed.get(entry);
    if (packed === undefined) return;
    const bad = (offset: number, text: string): Missing => ({ offset, length: Math.max(0, entry.bytes - offset), text });
    let start: number;
    try {
      start = this.#dataStart(packed);
    } catch (error) {
      yield bad(0, error instanceof MediumError ? error.message : 'its beginning cannot be read');
      return;
    }
    if (start < 0) {
      yield bad(0, 'the list of the ZIP file and the file itself disagree about what it is');
      return;
    }
    if (packed.method === 0 && packed.packedBytes !== entry.bytes) {
      yield bad(0, 'it is not packed, and has two lengths');
      return;
    }
    let crc = 0;
    let at = 0;
    const raw = this.#device.pieces([{ offset: start, length: packed.packedBytes }], packed.packedBytes);
    try {
      for await (const piece of packed.method === 0 ? raw : inflate(raw)) {
        if (!(piece instanceof Uint8Array)) {
          yield packed.method === 0 ? piece : bad(at, piece.text);
          return;
        }
        this.#given += piece.length;
        if (at + piece.length > entry.bytes) {
          yield bad(Math.min(at, entry.bytes - 1), 'it unpacks to more than it says');
          return;
        }
        if (this.#given > freeBytes && this.#given > this.#device.length * ratioMax) {
          yield bad(at, `the files of this ZIP file unpack to more than ${ratioMax} times its length`);
          return;
        }
        crc = crc32(piece, crc);
        at += piece.length;
        yield piece;
      }
    } catch {
      yield bad(at, `it cannot be unpacked from byte ${at} on: the ZIP file is damaged`);
      return;
    }
    if (at < entry.bytes) yield bad(at, `it unpacks to ${at} bytes and should have ${entry.bytes}`);
    // The bytes are all there, and not those that were packed.
    else if (crc >>> 0 !== packed.crc) yield { offset: 0, length: entry.bytes, text: 'its check sum is wrong: it was changed or damaged after it was packed' };
  }

  close(): void {
    this.#device.close();
  }

  /** Where the bytes of an entry begin; -1 where its own header is another one's. */
  #dataStart({ headerAt, name, method }: Packed): number {
    const head = this.#device.read(headerAt, 30);
    if (head.readUInt32LE(0) !== 0x04034b50 || head.readUInt16LE(8) !== method || head.readUInt16LE(26) !== name.length) return -1;
    if (!this.#device.read(headerAt + 30, name.length).equals(name)) return -1;
    return headerAt + 30 + name.length + head.readUInt16LE(28);
  }
}

/** Inflates as it goes: never more in memory than some pieces. */
async function* inflate(raw: Iterable<Piece>): AsyncGenerator<Piece> {
  const engine = createInflateRaw({ chunkSize: pieceBytes });
  let missing: Missing | null = null;
  let go: (() => void) | null = null;
  engine.on('drain', () => go?.()).on('close', () => go?.()).on('error', () => go?.());
  const feeding = (async () => {
    for (const piece of raw) {
      if (!(piece instanceof Uint8Array)) {
        missing = piece;
        break;
      }
      // The piece is used again for the next one.
      const copy = Buffer.from(piece);
      if (engine.destroyed) return;
      if (!engine.write(copy)) await new Promise<void>((resolve) => { go = resolve; });
    }
    engine.end();
  })();
  feeding.catch(() => {});
  try {
    for await (const chunk of engine) yield chunk as Buffer;
  } catch (error) {
    if (missing !== null) {
      yield missing;
      return;
    }
    throw error;
  } finally {
    engine.destroy();
  }
  if (missing !== null) yield missing;
}

/** ZIP64 (§4.5.3): lengths and place where the old fields are full, in this order. */
function sizes64(extra: Buffer, [length, packed, place]: readonly [number, number, number]): [number, number, number] {
  const values = [length, packed, place];
  for (let at = 0; at + 4 <= extra.length;) {
    const [id, size] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    if (id === 1) {
      let field = at + 4;
      for (const [index, value] of values.entries()) {
        if (value !== 0xffffffff || field + 8 > Math.min(extra.length, at + 4 + size)) continue;
        const whole = Number(extra.readBigUInt64LE(field));
        values[index] = Number.isSafeInteger(whole) ? whole : Number.MAX_SAFE_INTEGER;
        field += 8;
      }
      break;
    }
    at += 4 + size;
  }
  return values as [number, number, number];
}

/** Names that climb, or begin at a root or a drive, are names like others: nothing is written by them. */
function pathOfName(text: string): string {
  const parts = text.toWellFormed().split(/[/\\]/).filter((part) => part !== '' && part !== '.').map(nameOf);
  return (parts.slice(0, depthMax).join('/') || '\ufffd').slice(0, pathCharactersMax);
}

function dateOf(time: number, date: number): number {
  return date === 0 ? 0 : Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2);
}
