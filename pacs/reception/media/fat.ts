/**
 * FAT12, FAT16 and FAT32 with long names, bare or in the partitions of a stick (MBR or GPT).
 *
 * SECURITY: works on a hostile image. A chain of clusters is followed as long as it meets clusters that no file had before; a cluster that belongs to two
 * files ends the second, and is told of.
 */
import type { Device } from './device.ts';
import { depthMax, entriesMax, entryOf, extentsMax, Notes, pathCharactersMax, pathOf, type Entry, type Extent, type Piece, type Volume } from './volume.ts';

const sectorBytes = 512;
/** The standard's own limit: 65,536 records of 32 bytes. */
const folderBytesMax = 2 * 1024 * 1024;
const partitionsMax = 16;
/** Types of MBR partitions that hold FAT. */
const fatTypes: ReadonlySet<number> = new Set([0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e, 0xef]);

interface Geometry {
  readonly type: 12 | 16 | 32;
  readonly start: number;
  readonly fatAt: number;
  readonly fatBytes: number;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly dataAt: number;
  /** FAT12 and 16: a place of its own; FAT32: a cluster. */
  readonly root: { readonly at: number; readonly bytes: number } | { readonly cluster: number };
  readonly label: string;
  readonly serial: string;
}

/** Null where there is no FAT. */
export function openFAT(device: Device): FATVolume | null {
  const notes = new Notes();
  const bare = geometry(device, 0);
  if (bare !== null) return new FATVolume(device, [bare], notes);
  const partitions = partitionStarts(device, notes).map((start) => geometry(device, start)).filter((each) => each !== null);
  return partitions.length === 0 ? null : new FATVolume(device, partitions, notes);
}

/** Microsoft's FAT specification: the boot sector says where everything is, and how many clusters there are which FAT it is. */
function geometry(device: Device, start: number): Geometry | null {
  if (start + sectorBytes > device.length) return null;
  let boot: Buffer;
  try {
    boot = device.read(start, sectorBytes);
  } catch {
    return null;
  }
  const bytes = boot.readUInt16LE(11);
  const perCluster = boot[13]!;
  const reserved = boot.readUInt16LE(14);
  const fats = boot[16]!;
  const rootEntries = boot.readUInt16LE(17);
  const total = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
  const jump = boot[0] === 0xeb || boot[0] === 0xe9;
  if (!jump || ![512, 1024, 2048, 4096].includes(bytes) || perCluster === 0 || (perCluster & (perCluster - 1)) !== 0 || reserved === 0 || fats === 0 || fats > 4 || fatSectors === 0 || total === 0) return null;
  const rootSectors = Math.ceil((rootEntries * 32) / bytes);
  const dataSector = reserved + fats * fatSectors + rootSectors;
  if (dataSector >= total) return null;
  const clusters = Math.floor((total - dataSector) / perCluster);
  const type = clusters < 4085 ? 12 : clusters < 65_525 ? 16 : 32;
  if ((type === 32) !== (rootEntries === 0)) return null;
  const extended = type === 32 ? 64 : 36;
  const named = boot[extended + 2] === 0x29;
  return {
    type, start, fatAt: start + reserved * bytes, fatBytes: fatSectors * bytes, clusterBytes: bytes * perCluster, clusters, dataAt: start + dataSector * bytes,
    root: type === 32 ? { cluster: boot.readUInt32LE(44) } : { at: start + (reserved + fats * fatSectors) * bytes, bytes: rootEntries * 32 },
    label: named ? boot.toString('latin1', extended + 7, extended + 18).trimEnd().replace('NO NAME', '') : '',
    serial: named ? boot.readUInt32LE(extended + 3).toString(16).toUpperCase().padStart(8, '0').replace(/(....)/, '$1-') : '',
  };
}

function partitionStarts(device: Device, notes: Notes): number[] {
  if (device.length < 2 * sectorBytes) return [];
  const boot = device.read(0, sectorBytes);
  if (boot.readUInt16LE(510) !== 0xaa55) return [];
  const starts: number[] = [];
  for (let at = 446; at < 510; at += 16) {
    const type = boot[at + 4]!;
    const start = boot.readUInt32LE(at + 8) * sectorBytes;
    if (type === 0xee) starts.push(...gptStarts(device));
    else if (fatTypes.has(type) && start > 0) starts.push(start);
    else if (type !== 0) notes.add(`A partition of type ${type.toString(16)} is not read: mount it and import the folder if images are on it.`);
  }
  return [...new Set(starts)].slice(0, partitionsMax);
}

function gptStarts(device: Device): number[] {
  const header = device.read(sectorBytes, sectorBytes);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096) return [];
  const starts: number[] = [];
  for (let index = 0; index < Math.min(header.readUInt32LE(80), 128) && starts.length < partitionsMax; index += 1) {
    const at = Number(header.readBigUInt64LE(72)) * sectorBytes + index * size;
    if (at + size > device.length) break;
    const start = Number(device.read(at, 48).readBigUInt64LE(32)) * sectorBytes;
    if (start > 0) starts.push(start);
  }
  return starts;
}

export class FATVolume implements Volume {
  readonly kind = 'fat';
  readonly label: string;
  readonly identifier: string;
  readonly notes: Notes;
  readonly #device: Device;
  readonly #volumes: readonly Geometry[];
  #count = 0;

  constructor(device: Device, volumes: readonly Geometry[], notes: Notes) {
    this.#device = device;
    this.#volumes = volumes;
    this.notes = notes;
    const names = volumes.map((each) => rootLabel(device, each) || each.label).filter((label) => label !== '');
    this.label = names.join(', ');
    this.identifier = volumes.map((each) => each.serial).filter((serial) => serial !== '').join(', ');
  }

  *entries(): Generator<Entry> {
    for (const [index, volume] of this.#volumes.entries()) {
      const prefix = this.#volumes.length === 1 ? '' : `(partition ${index + 1})`;
      yield* this.#walk(volume, prefix);
    }
  }

  pieces(entry: Entry): Iterable<Piece> {
    return this.#device.pieces(entry.extents, entry.bytes);
  }

  close(): void {
    this.#device.close();
  }

  *#walk(volume: Geometry, prefix: string): Generator<Entry> {
    const used = new Uint8Array(Math.ceil((volume.clusters + 2) / 8));
    const chains = new Chains(this.#device, volume, used, this.notes);
    const root = 'cluster' in volume.root ? chains.follow(volume.root.cluster, folderBytesMax).extents : [{ offset: volume.root.at, length: Math.min(volume.root.bytes, folderBytesMax) }];
    const folders = [{ path: prefix, extents: root, depth: 0 }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const where = folder.path === '' ? 'The root folder' : `The folder ${folder.path}`;
      for (const record of this.#records(folder.extents, where)) {
        if ((this.#count += 1) > entriesMax) {
          this.notes.add(`It lists more than ${entriesMax} files and folders; what comes after them was not looked at.`);
          return;
        }
        const path = pathOf(folder.path, record.name).slice(0, pathCharactersMax);
        if (record.isFolder) {
          if (folder.depth >= depthMax) this.notes.add(`${path} lies deeper than ${depthMax} folders; it was not entered.`);
          else folders.push({ path, extents: chains.follow(record.cluster, folderBytesMax).extents, depth: folder.depth + 1 });
          continue;
        }
        const { extents, crossed } = record.bytes === 0 ? { extents: [], crossed: false } : chains.follow(record.cluster, record.bytes);
        yield entryOf(path, record.bytes, record.modified, 'file', extents, crossed ? 'its place on the medium belongs to another file as well: the list of clusters is damaged' : '');
      }
    }
  }

  *#records(extents: readonly Extent[], where: string): Generator<{ name: string; isFolder: boolean; cluster: number; bytes: number; modified: number }> {
    let long: { text: string; sum: number; next: number } | null = null;
    for (const extent of extents) {
      for (let offset = 0; offset < extent.length; offset += sectorBytes) {
        let bytes: Buffer;
        try {
          bytes = this.#device.read(extent.offset + offset, Math.min(sectorBytes, extent.length - offset));
        } catch {
          this.notes.add(`${where} cannot be read at byte ${extent.offset + offset} of the medium; files that it lists there are not known.`);
          long = null;
          continue;
        }
        for (let at = 0; at + 32 <= bytes.length; at += 32) {
          const record = bytes.subarray(at, at + 32);
          if (record[0] === 0) return;
          if (record[0] === 0xe5) {
            long = null;
            continue;
          }
          const attributes = record[11]!;
          if ((attributes & 0x3f) === 0x0f) {
            long = longPart(record, long);
            continue;
          }
          const name: string = long !== null && long.next === 0 && long.sum === checksum(record) ? long.text.replace(/[\0\uffff]+$/, '') : shortName(record);
          long = null;
          if ((attributes & 0x08) !== 0 || /^\.{1,2}$/.test(name)) continue;
          yield {
            name, isFolder: (attributes & 0x10) !== 0, cluster: record.readUInt16LE(26) + record.readUInt16LE(20) * 65_536, bytes: record.readUInt32LE(28), modified: dateOf(record),
          };
        }
      }
    }
  }
}

/** Chains of clusters as runs of bytes. */
class Chains {
  readonly #device: Device;
  readonly #volume: Geometry;
  readonly #used: Uint8Array;
  readonly #notes: Notes;
  #given = 0;

  constructor(device: Device, volume: Geometry, used: Uint8Array, notes: Notes) {
    this.#device = device;
    this.#volume = volume;
    this.#used = used;
    this.#notes = notes;
  }

  /** As many clusters as `bytes` need. A chain that is too short leaves the rest without a place; `crossed` where it runs into another file or itself. */
  follow(first: number, bytes: number): { readonly extents: Extent[]; readonly crossed: boolean } {
    const { clusterBytes, clusters, dataAt, type } = this.#volume;
    const mask = type === 32 ? 0x0fffffff : 0xffffffff;
    const extents: { offset: number; length: number }[] = [];
    let cluster = first & mask;
    for (let have = 0; have < bytes; have += clusterBytes) {
      if (cluster < 2 || cluster >= clusters + 2) return { extents, crossed: false };
      if ((this.#used[cluster >> 3]! & (1 << (cluster & 7))) !== 0) {
        this.#notes.add('Two files or folders lie on the same place: the list of clusters is damaged, or something made it by hand.');
        return { extents, crossed: true };
      }
      this.#used[cluster >> 3]! |= 1 << (cluster & 7);
      const offset = dataAt + (cluster - 2) * clusterBytes;
      const last = extents.at(-1);
      if (last !== undefined && last.offset + last.length === offset) last.length += clusterBytes;
      else if ((this.#given += 1) > extentsMax) {
        this.#notes.add('Its files are in more pieces than are followed.');
        return { extents, crossed: false };
      } else extents.push({ offset, length: clusterBytes });
      cluster = this.#next(cluster);
    }
    return { extents, crossed: false };
  }

  /** 0 where the table cannot be read: the chain ends there. */
  #next(cluster: number): number {
    const { type, fatAt, fatBytes } = this.#volume;
    const at = type === 12 ? Math.floor(cluster * 1.5) : cluster * (type / 8);
    if (at + 4 > fatBytes && at + (type === 32 ? 4 : 2) > fatBytes) return 0;
    try {
      if (type === 32) return this.#device.read(fatAt + at, 4).readUInt32LE(0) & 0x0fffffff;
      const pair = this.#device.read(fatAt + at, 2).readUInt16LE(0);
      if (type === 16) return pair;
      return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
    } catch {
      this.#notes.add('The list of clusters cannot be read everywhere; some files are not whole.');
      return 0;
    }
  }
}

/** Thirteen characters of a long name, last part first. Null where the parts do not follow each other. */
function longPart(record: Buffer, before: { text: string; sum: number; next: number } | null): { text: string; sum: number; next: number } | null {
  const order = record[0]!;
  const number = order & 0x3f;
  const sum = record[13]!;
  const start = (order & 0x40) !== 0;
  if (number === 0 || number > 20 || (!start && (before === null || before.next !== number || before.sum !== sum))) return null;
  const text = Buffer.concat([record.subarray(1, 11), record.subarray(14, 26), record.subarray(28, 32)]).toString('utf16le').replace(/\0.*$/s, '').toWellFormed();
  return { text: start ? text : `${text}${before!.text}`, sum, next: number - 1 };
}

function checksum(record: Buffer): number {
  let sum = 0;
  for (let at = 0; at < 11; at += 1) sum = (((sum & 1) << 7) + (sum >> 1) + record[at]!) & 0xff;
  return sum;
}

function shortName(record: Buffer): string {
  // Windows writes names that are all lower case without a long name, and says so in two bits.
  const lower = (text: string, bit: number): string => ((record[12]! & bit) === 0 ? text : text.toLowerCase());
  const base = lower(record.toString('latin1', 0, 8).trimEnd(), 0x08);
  const extension = lower(record.toString('latin1', 8, 11).trimEnd(), 0x10);
  const name = record[0] === 0x05 ? `\u00e5${base.slice(1)}` : base;
  return extension === '' ? name : `${name}.${extension}`;
}

/** Local time of whoever wrote it, which nothing says: taken as UTC, since it only has to be the same each time. */
function dateOf(record: Buffer): number {
  const [time, date] = [record.readUInt16LE(22), record.readUInt16LE(24)];
  return date === 0 ? 0 : Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2);
}

/** The name that people gave is a record of the root folder; that of the boot sector is often older. */
function rootLabel(device: Device, volume: Geometry): string {
  const at = 'cluster' in volume.root ? volume.dataAt + (volume.root.cluster - 2) * volume.clusterBytes : volume.root.at;
  try {
    const bytes = device.read(at, sectorBytes);
    for (let record = 0; record < bytes.length; record += 32) {
      if (bytes[record] === 0) break;
      if (bytes[record] !== 0xe5 && (bytes[record + 11]! & 0x3f) !== 0x0f && (bytes[record + 11]! & 0x08) !== 0) return bytes.toString('latin1', record, record + 11).trimEnd();
    }
  } catch {
    // A damaged root is told of where it is walked.
  }
  return '';
}
