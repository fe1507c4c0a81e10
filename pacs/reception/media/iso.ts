/**
 * ISO 9660 (ECMA-119) with Joliet and Rock Ridge (SUSP, RRIP), of the last session. Every tree of names is walked: a file that only one of them shows is found.
 *
 * SECURITY: works on a hostile image. Directories are visited once each by the place where they lie, so circles end; a length is believed as far as
 * the image goes; where the two byte orders of a number disagree the little-endian one is used and the medium is noted as odd.
 */
import type { Device } from './device.ts';
import { depthMax, entriesMax, entryOf, extentsMax, listBytesMax, Notes, pathCharactersMax, pathOf, placeOf, type Entry, type Extent, type Piece, type Volume } from './volume.ts';

const sectorBytes = 2048;
const systemAreaSectors = 16;
/** Volume descriptors before the terminator: a disc has three or four. */
const descriptorsMax = 32;
/** A folder of 10,000 files with long names is 2 MiB. */
const folderBytesMax = 16 * 1024 * 1024;
/** A name in Rock Ridge may go on in other sectors; real ones need one. */
const continuationsMax = 8;
/** How far behind a session the next one may begin: lead-out and lead-in of a CD are 11,400 sectors. */
const sessionGapSectors = 16_384;
const sessionsMax = 64;

interface Tree {
  readonly kind: 'iso9660' | 'joliet';
  readonly rootSector: number;
  readonly rootBytes: number;
  readonly blockBytes: number;
}
interface Session {
  readonly label: string;
  readonly identifier: string;
  readonly sectors: number;
  readonly trees: readonly Tree[];
  /** Sector of the boot catalog (El Torito), or null. */
  readonly bootCatalog: number | null;
}

/** Null where there is no ISO 9660 file system. */
export function openISO(device: Device): ISOVolume | null {
  const notes = new Notes();
  let session = readSession(device, 0, notes);
  if (session === null) return null;
  // Each session repeats what it keeps of those before it: the last one is what people see.
  for (let count = 1; count < sessionsMax; count += 1) {
    const next = nextSession(device, session.end, notes);
    if (next === null) break;
    notes.add(`It was written in several sessions; the last of ${count + 1} is read.`);
    session = next;
  }
  return new ISOVolume(device, session, notes);
}

function nextSession(device: Device, from: number, notes: Notes): (Session & { end: number }) | null {
  const last = Math.min(from + sessionGapSectors, Math.floor(device.length / sectorBytes) - systemAreaSectors - 1);
  for (let start = from; start <= last; start += 1) {
    const at = (start + systemAreaSectors) * sectorBytes;
    if (at + 6 > device.length) return null;
    let mark: Buffer;
    try {
      mark = device.read(at, 6);
    } catch {
      continue;
    }
    if (mark[0] !== 1 || mark.toString('latin1', 1, 6) !== 'CD001') continue;
    const session = readSession(device, start, notes);
    if (session !== null) return session;
  }
  return null;
}

function readSession(device: Device, start: number, notes: Notes): (Session & { end: number }) | null {
  const trees: Tree[] = [];
  let label = '';
  let identifier = '';
  let sectors = 0;
  let bootCatalog: number | null = null;
  let end = start;
  for (let index = 0; index < descriptorsMax; index += 1) {
    let bytes: Buffer;
    try {
      bytes = device.read((start + systemAreaSectors + index) * sectorBytes, sectorBytes);
    } catch {
      break;
    }
    if (bytes.toString('latin1', 1, 6) !== 'CD001') break;
    const type = bytes[0]!;
    if (type === 255) break;
    if (type === 0 && bytes.toString('latin1', 7, 30) === 'EL TORITO SPECIFICATION') bootCatalog = bytes.readUInt32LE(0x47);
    if (type !== 1 && type !== 2) continue;
    const blockBytes = bytes.readUInt16LE(128);
    const root = bytes.subarray(156, 190);
    if (blockBytes < 512 || blockBytes > 2048 || (blockBytes & (blockBytes - 1)) !== 0) {
      notes.add(`A volume descriptor has blocks of ${blockBytes} bytes and is not followed.`);
      continue;
    }
    if (bytes.readUInt16BE(130) !== blockBytes || bytes.readUInt32LE(80) !== bytes.readUInt32BE(84)) notes.add('Numbers that are written in both byte orders disagree: something made this image by hand.');
    // §8.5.3 of Joliet: three escape sequences for UCS-2.
    const joliet = type === 2 && ['%/@', '%/C', '%/E'].includes(bytes.toString('latin1', 88, 91));
    if (type === 2 && !joliet) continue;
    const name = joliet ? ucs2(bytes.subarray(40, 72)) : bytes.toString('latin1', 40, 72);
    if (label === '' || joliet) label = name.replace(/[\0 ]+$/, '') || label;
    if (type === 1) {
      // Creation time to the hundredth of a second, and the size: two copies of one disc have the same, two discs never.
      identifier = `${bytes.toString('latin1', 813, 829).replaceAll(/[^0-9]/g, '')}-${bytes.readUInt32LE(80).toString(16)}`;
      sectors = Math.ceil((bytes.readUInt32LE(80) * blockBytes) / sectorBytes);
    }
    trees.push({ kind: joliet ? 'joliet' : 'iso9660', rootSector: root.readUInt32LE(2), rootBytes: root.readUInt32LE(10), blockBytes });
  }
  if (!trees.some((tree) => tree.kind === 'iso9660')) return null;
  end = Math.max(start + 1, sectors);
  if (sectors * sectorBytes > device.length) notes.add(`The medium should have ${sectors * sectorBytes} bytes and has ${device.length}: the end is missing.`);
  return { label, identifier, sectors, trees, bootCatalog, end };
}

type RockKind = 'file' | 'link' | 'special' | 'moved';

interface Folder {
  readonly path: string;
  readonly sector: number;
  readonly bytes: number;
  readonly depth: number;
}

export class ISOVolume implements Volume {
  readonly kind = 'iso9660';
  readonly label: string;
  readonly identifier: string;
  readonly notes: Notes;
  readonly #device: Device;
  readonly #session: Session;
  #count = 0;
  #extents = 0;
  #budget: number;

  constructor(device: Device, session: Session, notes: Notes) {
    this.#device = device;
    this.#budget = listBytesMax(device.length);
    this.#session = session;
    this.notes = notes;
    this.label = session.label;
    this.identifier = session.identifier;
  }

  /** Names by Rock Ridge, else Joliet, else ISO 9660; then what only the other tree shows. */
  *entries(): Generator<Entry> {
    const plain = this.#session.trees.find((tree) => tree.kind === 'iso9660')!;
    const joliet = this.#session.trees.find((tree) => tree.kind === 'joliet');
    const rockRidge = this.#rockRidge(plain);
    const [first, second] = joliet !== undefined && rockRidge === null ? [joliet, plain] : [plain, joliet];
    const seen = new Set<string>();
    for (const entry of this.#walk(first, first === plain ? rockRidge : null)) {
      if (entry.kind === 'file') seen.add(placeOf(entry));
      yield entry;
    }
    if (second !== undefined) {
      for (const entry of this.#walk(second, second === plain ? rockRidge : null)) {
        if (entry.kind !== 'file' || entry.bytes === 0 || seen.has(placeOf(entry))) continue;
        this.notes.add('Some files are in one of its two lists of names only; they are read as well.');
        yield { ...entry, path: `${second.kind === 'joliet' ? '(Joliet only)' : '(ISO 9660 only)'} ${entry.path}`.slice(0, pathCharactersMax) };
      }
    }
    yield* this.#boot();
  }

  pieces(entry: Entry): Iterable<Piece> {
    return this.#device.pieces(entry.extents, entry.bytes);
  }

  close(): void {
    this.#device.close();
  }

  *#walk(tree: Tree, skip: number | null): Generator<Entry> {
    const visited = new Set<number>();
    const folders: Folder[] = [{ path: '', sector: tree.rootSector, bytes: tree.rootBytes, depth: 0 }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      if (visited.has(folder.sector)) {
        this.notes.add(`The folder ${folder.path} lies where another one lies: the folders run in a circle or share their content. It was read once.`);
        continue;
      }
      visited.add(folder.sector);
      for (const record of this.#records(tree, folder, skip)) {
        if ((this.#count += 1) > entriesMax) {
          this.notes.add(`It lists more than ${entriesMax} files and folders; what comes after them was not looked at.`);
          return;
        }
        if (record.folder === null) yield record.entry;
        else if (folder.depth >= depthMax) this.notes.add(`${record.entry.path} lies deeper than ${depthMax} folders; it was not entered.`);
        else folders.push({ ...record.folder, path: record.entry.path, depth: folder.depth + 1 });
      }
    }
  }

  /** The records of one folder; the extents of one file are put together (§6.5.1). */
  *#records(tree: Tree, folder: Folder, skip: number | null): Generator<{ entry: Entry; folder: { sector: number; bytes: number } | null }> {
    const where = folder.path === '' ? 'The root folder' : `The folder ${folder.path}`;
    let length = folder.bytes;
    if (length > folderBytesMax) {
      this.notes.add(`${where} should have ${length} bytes; the first ${folderBytesMax} are read.`);
      length = folderBytesMax;
    }
    let open: { path: string; extents: Extent[]; bytes: number; modified: number; problem: string } | null = null;
    for (let offset = 0; offset < length; offset += sectorBytes) {
      if ((this.#budget -= sectorBytes) < 0 || this.#extents > extentsMax) {
        this.notes.add('Its lists of files lie over one another and go on and on; the rest of them was not read.');
        return;
      }
      let bytes: Buffer;
      try {
        bytes = this.#device.read(folder.sector * tree.blockBytes + offset, Math.min(sectorBytes, length - offset));
      } catch {
        this.notes.add(`${where} cannot be read at byte ${folder.sector * tree.blockBytes + offset} of the medium; files that it lists there are not known.`);
        continue;
      }
      // A record never crosses a sector; a length of 0 means that the next one begins in the next sector (§6.8.1.1).
      for (let at = 0; at < bytes.length;) {
        const size = bytes[at]!;
        if (size === 0) break;
        if (size < 34 || at + size > bytes.length || 33 + bytes[at + 32]! > size) {
          this.notes.add(`${where} is damaged at byte ${folder.sector * tree.blockBytes + offset + at} of the medium.`);
          break;
        }
        const record = bytes.subarray(at, at + size);
        at += size;
        const nameLength = record[32]!;
        if (nameLength === 1 && record[33]! <= 1) continue;
        if (record.readUInt32LE(2) !== record.readUInt32BE(6) || record.readUInt32LE(10) !== record.readUInt32BE(14)) this.notes.add('Numbers that are written in both byte orders disagree: something made this image by hand.');
        const rock = skip === null ? null : this.#rock(record, skip);
        const name = rock?.name ?? (tree.kind === 'joliet' ? ucs2(record.subarray(33, 33 + nameLength)).replace(/;\d+$/, '') : record.toString('latin1', 33, 33 + nameLength).replace(/;\d+$/, '').replace(/\.$/, ''));
        const path = pathOf(folder.path, name);
        const flags = record[25]!;
        const sector = record.readUInt32LE(2) + record[1]!;
        const extent: Extent = { offset: sector * tree.blockBytes, length: record.readUInt32LE(10) };
        if ((flags & 0x02) !== 0) {
          yield { entry: entryOf(path, 0, 0, 'file', [], ''), folder: { sector, bytes: extent.length } };
          continue;
        }
        // Its folder was moved up to save depth (RRIP §4.1.5), where it is found by its own record.
        if (rock?.kind === 'moved') continue;
        if (rock?.kind === 'link') {
          yield { entry: entryOf(path, 0, 0, 'link', [], `a link to ${rock.target.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')}; links are not followed`), folder: null };
          continue;
        }
        if (rock?.kind === 'special') {
          yield { entry: entryOf(path, 0, 0, 'special', [], 'no file but a device, a pipe or a socket'), folder: null };
          continue;
        }
        if (open !== null && open.path !== path) {
          yield { entry: entryOf(open.path, open.bytes, open.modified, 'file', open.extents, open.problem), folder: null };
          open = null;
        }
        open ??= { path, extents: [], bytes: 0, modified: dateOf(record), problem: '' };
        open.extents.push(extent);
        this.#extents += 1;
        open.bytes += extent.length;
        if (record[26]! !== 0 || record[27]! !== 0) open.problem = 'it is written interleaved with others, which no disc for images is';
        if ((flags & 0x80) !== 0) continue;
        yield { entry: entryOf(open.path, open.bytes, open.modified, 'file', open.extents, open.problem), folder: null };
        open = null;
      }
    }
    if (open !== null) yield { entry: entryOf(open.path, open.bytes, open.modified, 'file', open.extents, open.problem), folder: null };
  }

  /** Bytes to skip in each System Use field where SUSP is in use (§5.3 of SUSP: SP in the first record of the root), else null. */
  #rockRidge(tree: Tree): number | null {
    try {
      const record = this.#device.read(tree.rootSector * tree.blockBytes, 255);
      const size = record[0]!;
      const at = 33 + record[32]! + (record[32]! % 2 === 0 ? 1 : 0);
      if (size <= at + 7) return null;
      for (const offset of [at, at + 15]) {
        if (offset + 7 <= size && record.toString('latin1', offset, offset + 2) === 'SP' && record[offset + 4] === 0xbe && record[offset + 5] === 0xef) return record[offset + 6]!;
      }
    } catch {
      // A damaged root is told of where it is walked.
    }
    return null;
  }

  /** What Rock Ridge says of a record: its name, and whether it is a link or something else than a file. Only read, never acted on. */
  #rock(record: Buffer, skip: number): { name: string | null; kind: RockKind; target: string } {
    const nameLength = record[32]!;
    const said = { name: null as string | null, kind: 'file' as RockKind, target: '' };
    let area: Buffer | null = record.subarray(Math.min(record.length, 33 + nameLength + (nameLength % 2 === 0 ? 1 : 0) + skip));
    for (let areas = 0; area !== null && areas <= continuationsMax; areas += 1) {
      const here: Buffer = area;
      area = null;
      for (let at = 0; at + 4 <= here.length;) {
        const size = here[at + 2]!;
        if (size < 4 || at + size > here.length) break;
        const signature = here.toString('latin1', at, at + 2);
        const field = here.subarray(at, at + size);
        at += size;
        if (signature === 'NM' && size > 5 && (field[4]! & 0x06) === 0) said.name = `${said.name ?? ''}${field.toString('utf8', 5)}`.slice(0, 255);
        else if (signature === 'SL') {
          said.kind = 'link';
          if (size > 5) said.target = `${said.target}${linkText(field.subarray(5))}`.slice(0, 255);
        } else if (signature === 'CL') said.kind = 'moved';
        else if (signature === 'PX' && size >= 12) {
          const type = field.readUInt32LE(4) & 0o170000;
          if (type !== 0 && type !== 0o100000 && type !== 0o040000 && type !== 0o120000) said.kind = 'special';
        } else if (signature === 'CE' && size >= 28) {
          try {
            area = this.#device.read(field.readUInt32LE(4) * sectorBytes + field.readUInt32LE(12), Math.min(field.readUInt32LE(20), sectorBytes));
          } catch {
            this.notes.add('Some long names of the medium cannot be read.');
          }
        } else if (signature === 'ST') break;
      }
    }
    return said;
  }

  /** El Torito: the image that a computer would start from. It is no file, and is looked at like one. */
  *#boot(): Generator<Entry> {
    const { bootCatalog } = this.#session;
    if (bootCatalog === null) return;
    this.notes.add('A computer could be started from this medium (El Torito).');
    let catalog: Buffer;
    try {
      catalog = this.#device.read(bootCatalog * sectorBytes, sectorBytes);
    } catch {
      return;
    }
    const blocks = [1.2, 1.44, 2.88];
    let index = 0;
    for (let at = 32; at + 32 <= catalog.length && index < 16; at += 32) {
      const entry = catalog.subarray(at, at + 32);
      if (entry[0] !== 0x88 && entry[0] !== 0) continue;
      const sector = entry.readUInt32LE(8);
      const count = entry.readUInt16LE(6);
      if (sector === 0 || count === 0) continue;
      const floppy = blocks[(entry[1]! & 0x0f) - 1];
      const length = Math.min(floppy === undefined ? count * 512 : Math.round(floppy * 1000 * 1024), Math.max(0, this.#device.length - sector * sectorBytes));
      index += 1;
      yield entryOf(`(boot image ${index})`, length, 0, 'file', [{ offset: sector * sectorBytes, length }], '');
    }
  }
}

function ucs2(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 2 <= bytes.length; at += 2) text += String.fromCharCode(bytes.readUInt16BE(at));
  return text.replace(/\0+$/, '').toWellFormed();
}

/** §9.1.5: years since 1900, month, day, hour, minute, second, quarter hours from GMT. */
function dateOf(record: Buffer): number {
  const time = Date.UTC(1900 + record[18]!, record[19]! - 1, record[20]!, record[21]!, record[22]!, record[23]!) - record.readInt8(24) * 15 * 60_000;
  return time > 0 ? time : 0;
}

/** Components of a symbolic link (RRIP §4.1.3.1), for people. */
function linkText(components: Buffer): string {
  let text = '';
  for (let at = 0; at + 2 <= components.length;) {
    const flags = components[at]!;
    const size = components[at + 1]!;
    text += (flags & 8) !== 0 ? '/' : (flags & 4) !== 0 ? '../' : (flags & 2) !== 0 ? './' : `${components.toString('utf8', at + 2, Math.min(components.length, at + 2 + size))}/`;
    at += 2 + size;
  }
  return text.replace(/(.)\/$/, '$1');
}
