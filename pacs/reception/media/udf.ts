/**
 * UDF (ECMA-167, OSTA UDF 1.02 to 2.60) with physical, metadata and virtual partitions: DVDs, discs that Windows writes packet by packet, Blu-ray discs, and
 * the UDF half of a bridge disc. Sparable partitions (rewritable CDs) are read without their table of replaced packets, and say so.
 *
 * SECURITY: works on a hostile image. Each node is visited once by its place; descriptors must carry their tag; lengths are believed as far as the image goes.
 */
import type { Device } from './device.ts';
import { depthMax, entriesMax, entryOf, extentsMax, listBytesMax, Notes, nameOf, pathOf, Unreadable, type Entry, type Extent, type Piece, type Volume } from './volume.ts';

/** Sizes of sectors that media have: optical discs, sticks, some drives. */
const sectorSizes = [2048, 512, 4096];
const sequenceMax = 256;
const folderBytesMax = 16 * 1024 * 1024;
/** A virtual allocation table has four bytes for each block: a full CD-R has 330,000. */
const tableBytesMax = 4 * 1024 * 1024;

interface Partition {
  readonly kind: 'physical' | 'metadata' | 'virtual';
  readonly start: number;
  readonly sectors: number;
  /** Of a metadata partition: where its file lies. */
  readonly extents: readonly Extent[];
  /** Of a virtual partition: block by block. */
  readonly table: readonly number[];
}

interface Node {
  readonly type: number;
  readonly bytes: number;
  readonly modified: number;
  readonly extents: readonly Extent[];
}

export function openUDF(device: Device): UDFVolume | null {
  for (const size of sectorSizes) {
    const last = Math.floor(device.length / size) - 1;
    for (const sector of [256, last - 256, last, 512]) {
      const anchor = descriptor(device, sector * size, size, 2);
      if (anchor !== null && anchor.readUInt32LE(12) === sector) return mount(device, size, anchor);
    }
  }
  return null;
}

/** The descriptor at a place, or null where another one or none is: a tag says its kind, and a sum over its bytes that it is one. */
function descriptor(device: Device, offset: number, length: number, tag: number | null): Buffer | null {
  if (offset < 0 || offset + length > device.length) return null;
  let bytes: Buffer;
  try {
    bytes = device.read(offset, length);
  } catch {
    return null;
  }
  let sum = 0;
  for (let at = 0; at < 16; at += 1) if (at !== 4) sum += bytes[at]!;
  if ((sum & 0xff) !== bytes[4]) return null;
  return tag === null || bytes.readUInt16LE(0) === tag ? bytes : null;
}

function mount(device: Device, size: number, anchor: Buffer): UDFVolume {
  const notes = new Notes();
  for (const at of [16, 24]) {
    const volume = readSequence(device, size, anchor.readUInt32LE(at + 4), Math.floor(anchor.readUInt32LE(at) / size), notes);
    if (volume !== null) return volume;
    notes.add('The first description of the volume is damaged; its copy is used.');
  }
  throw new Unreadable('It is a UDF medium of a kind that cannot be read without mounting: mount it, and import the folder.');
}

function readSequence(device: Device, size: number, start: number, count: number, notes: Notes): UDFVolume | null {
  const physical = new Map<number, { start: number; sectors: number }>();
  let logical: Buffer | null = null;
  let label = '';
  let identifier = '';
  for (let index = 0; index < Math.min(count, sequenceMax); index += 1) {
    const bytes = descriptor(device, (start + index) * size, size, null);
    if (bytes === null) continue;
    const tag = bytes.readUInt16LE(0);
    if (tag === 8) break;
    if (tag === 1) identifier = dstring(bytes.subarray(72, 200)).slice(0, 16);
    if (tag === 5) physical.set(bytes.readUInt16LE(22), { start: bytes.readUInt32LE(188), sectors: bytes.readUInt32LE(192) });
    if (tag === 6) {
      logical = bytes;
      label = dstring(bytes.subarray(84, 212));
    }
  }
  if (logical === null || physical.size === 0 || logical.readUInt32LE(212) !== size) return null;
  const partitions: Partition[] = [];
  const reader = new Blocks(device, size, partitions);
  const maps = logical.subarray(440, Math.min(logical.length, 440 + logical.readUInt32LE(264)));
  for (let at = 0; at + 2 <= maps.length && partitions.length < 16;) {
    const [type, length] = [maps[at]!, maps[at + 1]!];
    if (length < 6 || at + length > maps.length) break;
    const map = maps.subarray(at, at + length);
    at += length;
    const name = type === 2 ? map.toString('latin1', 5, 28).replace(/\0+$/, '') : '';
    const place = physical.get(map.readUInt16LE(type === 1 ? 4 : 38 <= map.length ? 38 : 4));
    if (place === undefined) return null;
    const plain: Partition = { kind: 'physical', ...place, extents: [], table: [] };
    if (type === 1) partitions.push(plain);
    else if (name === '*UDF Sparable Partition') {
      notes.add('A rewritable disc: where it replaced worn-out places, their old content is read.');
      partitions.push(plain);
    } else if (name === '*UDF Metadata Partition' && map.length >= 64) partitions.push(metadataPartition(device, size, place, [map.readUInt32LE(40), map.readUInt32LE(44)], notes) ?? plain);
    else if (name === '*UDF Virtual Partition') {
      const virtual = virtualPartition(device, size, place);
      if (virtual === null) throw new Unreadable('It is a UDF disc that was not closed, and its table of files cannot be found: mount it, and import the folder.');
      partitions.push(virtual);
    } else throw new Unreadable('It is a UDF medium of a kind that cannot be read without mounting: mount it, and import the folder.');
  }
  const root = rootOf(reader, logical, size);
  return root === null ? null : new UDFVolume(device, reader, label, identifier, root, notes);
}

function rootOf(reader: Blocks, logical: Buffer, size: number): { partition: number; block: number } | null {
  // §3.2.1 of ECMA-167 part 4: the use of the volume's contents is the place of the File Set Descriptor.
  const set = reader.at(logical.readUInt16LE(256), logical.readUInt32LE(252), size, 256);
  return set === null ? null : { partition: set.readUInt16LE(408), block: set.readUInt32LE(404) };
}

function metadataPartition(device: Device, size: number, place: { start: number; sectors: number }, files: readonly number[], notes: Notes): Partition | null {
  const plain = new Blocks(device, size, [{ kind: 'physical', ...place, extents: [], table: [] }]);
  for (const file of files) {
    const node = plain.node(0, file);
    if (node !== null && node.extents.length > 0) return { kind: 'metadata', ...place, extents: node.extents, table: [] };
    notes.add('The list of files is damaged; its copy is used.');
  }
  return null;
}

/** UDF 2.2.11: the last sector that was written holds the table which says where each virtual block is. */
function virtualPartition(device: Device, size: number, place: { start: number; sectors: number }): Partition | null {
  const plain = new Blocks(device, size, [{ kind: 'physical', ...place, extents: [], table: [] }]);
  const last = Math.floor(device.length / size) - 1;
  for (let back = 0; back <= 512; back += 1) {
    const sector = last - back;
    if (sector < place.start) return null;
    const node = plain.node(0, sector - place.start);
    if (node === null || (node.type !== 248 && node.type !== 0) || node.bytes > tableBytesMax) continue;
    const bytes = plain.content(node, tableBytesMax);
    // UDF 1.50 has the table first and its name at the end, 2.00 a header.
    const old = node.type === 0 && bytes.length >= 36 && bytes.toString('latin1', bytes.length - 35, bytes.length - 13).startsWith('*UDF Virtual Alloc Tbl');
    if (node.type === 0 && !old) continue;
    const entries = old ? bytes.subarray(0, bytes.length - 36) : bytes.subarray(Math.min(bytes.length, bytes.length >= 2 ? bytes.readUInt16LE(0) : 0));
    return { kind: 'virtual', ...place, extents: [], table: Array.from({ length: Math.floor(entries.length / 4) }, (_, index) => entries.readUInt32LE(index * 4)) };
  }
  return null;
}

/** Logical blocks by partition. */
class Blocks {
  readonly #device: Device;
  readonly size: number;
  readonly #partitions: readonly Partition[];

  constructor(device: Device, size: number, partitions: readonly Partition[]) {
    this.#device = device;
    this.size = size;
    this.#partitions = partitions;
  }

  /** Where blocks lie on the medium: one extent or, in a metadata partition, as many as the run crosses. Empty where there is no such place. */
  place(partition: number, block: number, length: number): Extent[] {
    const found = this.#partitions[partition];
    if (found === undefined) return [];
    if (found.kind === 'virtual') {
      const real = found.table[block];
      return real === undefined || real === 0xffffffff ? [] : [{ offset: (found.start + real) * this.size, length }];
    }
    if (found.kind === 'physical') return [{ offset: (found.start + block) * this.size, length }];
    const places: Extent[] = [];
    let skip = block * this.size;
    let left = length;
    for (const extent of found.extents) {
      if (left <= 0) break;
      if (skip >= extent.length) {
        skip -= extent.length;
        continue;
      }
      const taken = Math.min(extent.length - skip, left);
      places.push({ offset: extent.offset < 0 ? -1 : extent.offset + skip, length: taken });
      left -= taken;
      skip = 0;
    }
    return left > 0 ? [] : places;
  }

  /** A descriptor of `tag`, or null. */
  at(partition: number, block: number, length: number, tag: number | null): Buffer | null {
    const [place, ...more] = this.place(partition, block, length);
    return place === undefined || more.length > 0 || place.offset < 0 ? null : descriptor(this.#device, place.offset, length, tag);
  }

  /** A File Entry or Extended File Entry (§14.9, §14.17 of ECMA-167 part 4), or null. */
  node(partition: number, block: number): Node | null {
    const bytes = this.at(partition, block, this.size, null);
    if (bytes === null) return null;
    const tag = bytes.readUInt16LE(0);
    if (tag !== 261 && tag !== 266) return null;
    const extended = tag === 266;
    const attributes = bytes.readUInt32LE(extended ? 208 : 168);
    const allocated = bytes.readUInt32LE(extended ? 212 : 172);
    const start = (extended ? 216 : 176) + attributes;
    const length = Number(bytes.readBigUInt64LE(56));
    if (start > bytes.length || !Number.isSafeInteger(length)) return null;
    const area = bytes.subarray(start, Math.min(bytes.length, start + allocated));
    const flags = bytes.readUInt16LE(34) & 7;
    const [place] = this.place(partition, block, this.size);
    const extents = flags === 3 ? [{ offset: place!.offset + start, length: Math.min(length, area.length) }] : this.#extents(area, flags, partition, length);
    return { type: bytes[27]!, bytes: length, modified: timestamp(bytes.subarray(extended ? 92 : 84)), extents };
  }

  /** All bytes of a small file: a folder, a table. What cannot be read is left out. */
  content(node: Node, max: number): Buffer {
    const parts: Buffer[] = [];
    let left = Math.min(node.bytes, max);
    for (const { offset, length } of node.extents) {
      if (left <= 0) break;
      const taken = Math.min(length, left);
      try {
        parts.push(offset < 0 ? Buffer.alloc(taken) : this.#device.read(offset, taken));
      } catch {
        break;
      }
      left -= taken;
    }
    return Buffer.concat(parts);
  }

  /** Allocation descriptors, short or long, with those that lead to more of them. */
  #given = 0;

  #extents(first: Buffer, flags: number, partition: number, length: number): Extent[] {
    const each = flags === 0 ? 8 : flags === 1 ? 16 : 20;
    const extents: Extent[] = [];
    const visited = new Set<string>();
    let area: Buffer | null = first;
    let left = length;
    while (area !== null && left > 0) {
      const here: Buffer = area;
      area = null;
      for (let at = 0; at + each <= here.length && left > 0 && this.#given < extentsMax; at += each) {
        const raw = here.readUInt32LE(at);
        const [type, size] = [raw >>> 30, raw & 0x3fffffff];
        const block = here.readUInt32LE(at + (flags === 2 ? 12 : 4));
        const where = flags === 0 ? partition : here.readUInt16LE(at + (flags === 2 ? 16 : 8));
        if (size === 0) return extents;
        if (type === 3) {
          const key = `${where} ${block}`;
          if (visited.has(key)) return extents;
          visited.add(key);
          const more = this.at(where, block, this.size, 258);
          area = more === null ? null : more.subarray(24, Math.min(more.length, 24 + more.readUInt32LE(20)));
          break;
        }
        const taken = Math.min(size, left);
        this.#given += 1;
        // Allocated and never written, or not even that: zeros (§14.14.1.1).
        if (type !== 0) extents.push({ offset: -1, length: taken });
        else {
          const places = this.place(where, block, taken);
          if (places.length === 0) return extents;
          extents.push(...places);
        }
        left -= taken;
      }
    }
    return extents;
  }
}

export class UDFVolume implements Volume {
  readonly kind = 'udf';
  readonly label: string;
  readonly identifier: string;
  readonly notes: Notes;
  readonly #device: Device;
  readonly #blocks: Blocks;
  readonly #root: { readonly partition: number; readonly block: number };

  constructor(device: Device, blocks: Blocks, label: string, identifier: string, root: { partition: number; block: number }, notes: Notes) {
    this.#device = device;
    this.#blocks = blocks;
    this.label = label;
    this.identifier = identifier;
    this.notes = notes;
    this.#root = root;
  }

  *entries(): Generator<Entry> {
    const visited = new Set<string>();
    const folders = [{ path: '', ...this.#root, depth: 0 }];
    let count = 0;
    let budget = listBytesMax(this.#device.length);
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const where = folder.path === '' ? 'The root folder' : `The folder ${folder.path}`;
      const key = `${folder.partition} ${folder.block}`;
      if (visited.has(key)) {
        this.notes.add(`${where} lies where another one lies: the folders run in a circle. It was read once.`);
        continue;
      }
      visited.add(key);
      const node = this.#blocks.node(folder.partition, folder.block);
      if (node === null || node.type !== 4) {
        this.notes.add(`${where} cannot be read; files that it lists are not known.`);
        continue;
      }
      if ((budget -= Math.min(node.bytes, folderBytesMax)) < 0) {
        this.notes.add('Its lists of files lie over one another and go on and on; the rest of them was not read.');
        return;
      }
      const bytes = this.#blocks.content(node, folderBytesMax);
      if (bytes.length < node.bytes) this.notes.add(`${where} cannot be read to its end.`);
      for (let at = 0; at + 38 <= bytes.length;) {
        const nameLength = bytes[at + 19]!;
        const useLength = bytes.readUInt16LE(at + 36);
        const size = (38 + useLength + nameLength + 3) & ~3;
        if (bytes.readUInt16LE(at) !== 257 || at + 38 + useLength + nameLength > bytes.length) {
          this.notes.add(`${where} is damaged; files that it lists after that are not known.`);
          break;
        }
        const flags = bytes[at + 18]!;
        const name = characters(bytes.subarray(at + 38 + useLength, at + 38 + useLength + nameLength));
        const [block, partition] = [bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28)];
        at += size;
        if ((count += 1) > entriesMax) {
          this.notes.add(`It lists more than ${entriesMax} files and folders; what comes after them was not looked at.`);
          return;
        }
        // Deleted, or the parent.
        if ((flags & 0x0c) !== 0) continue;
        const path = pathOf(folder.path, name);
        if ((flags & 0x02) === 0) yield this.#entry(path, partition, block);
        else if (folder.depth >= depthMax) this.notes.add(`${path} lies deeper than ${depthMax} folders; it was not entered.`);
        else folders.push({ path, partition, block, depth: folder.depth + 1 });
      }
    }
  }

  pieces(entry: Entry): Iterable<Piece> {
    return this.#device.pieces(entry.extents, entry.bytes);
  }

  close(): void {
    this.#device.close();
  }

  #entry(path: string, partition: number, block: number): Entry {
    const node = this.#blocks.node(partition, block);
    if (node === null) return entryOf(path, 0, 0, 'file', [], 'the medium is damaged where the place of this file is written');
    if (node.type === 12) return entryOf(path, 0, node.modified, 'link', [], 'a link; links are not followed');
    // 5: bytes. 249 is a real-time file, which films use.
    if (node.type !== 5 && node.type !== 0 && node.type !== 249) return entryOf(path, 0, node.modified, 'special', [], 'no file but a device, a pipe or a socket');
    return entryOf(path, node.bytes, node.modified, 'file', node.extents, '');
  }
}

/** OSTA compressed Unicode: the first byte says whether a character has 8 or 16 bits. */
function characters(bytes: Buffer): string {
  if (bytes[0] === 8 || bytes[0] === 254) return nameOf(bytes.toString('latin1', 1));
  let text = '';
  for (let at = 1; at + 2 <= bytes.length; at += 2) text += String.fromCharCode(bytes.readUInt16BE(at));
  return nameOf(text.toWellFormed());
}

/** The last byte is the length that is used. */
function dstring(bytes: Buffer): string {
  const length = bytes.at(-1)!;
  return length === 0 || length > bytes.length - 1 ? '' : characters(bytes.subarray(0, length));
}

/** §7.3 of ECMA-167 part 1; the zone in minutes in the lower twelve bits of its type. */
function timestamp(bytes: Buffer): number {
  const zone = bytes.readUInt16LE(0) & 0xfff;
  const minutes = zone >= 0x800 ? zone - 0x1000 : zone;
  const time = Date.UTC(bytes.readInt16LE(2), bytes[4]! - 1, bytes[5]!, bytes[6]!, bytes[7]!, bytes[8]!) - (Math.abs(minutes) <= 1_440 ? minutes : 0) * 60_000;
  return Number.isFinite(time) && time > 0 ? time : 0;
}
