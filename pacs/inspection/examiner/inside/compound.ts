/**
 * OLE compound files (MS-CFB): Word, Excel, Outlook, Windows installer. Sector chains are followed with their length bounded by the count of
 * sectors, so that loops end; every stream is a part; what no chain holds is one as well.
 */
import { printable, solidBytes, type Inner, type Opening } from './contract.ts';
import { decompressMacros } from './macros.ts';

const endOfChain = 0xfffffffe;
const free = 0xffffffff;
const entryBytes = 128;
/** A large spreadsheet has some hundred. */
const entriesMax = 20_000;

/** Class of Windows installer packages, patches and transforms (root entry): what is opened by them installs programs. */
const installers: ReadonlySet<string> = new Set(['84100c00', '86100c00', '82100c00']);

/** Names of streams and storages that make a document do something (MS-OVBA, MS-OLEDS). */
const activeNames: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^(?:_VBA_PROJECT|VBA|Macros|_VBA_PROJECT_CUR)$/i, 'has macros'],
  [/^Equation Native$/i, 'has an equation of the old editor'],
  [/^\u0001Ole10Native$/i, 'has a file packed into it'],
  [/^(?:ObjectPool|\u0001CompObjLink|\u0001Ole10ItemName)$/i, 'has objects of other programs in it'],
  [/^(?:ExOleObjStg|MBD[0-9A-F]{8})$/i, 'has objects of other programs in it'],
];

interface Layout {
  readonly bytes: Buffer;
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly table: Int32Array;
  /** Sectors that something owns. */
  readonly used: Uint8Array;
}

export function* openCompound({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  if (bytes.length < 512 || bytes.readUInt16LE(28) !== 0xfffe) return say('document-unscannable', 'has a damaged header');
  const shift = bytes.readUInt16LE(30);
  if ((shift !== 9 && shift !== 12) || bytes.readUInt16LE(32) !== 6) return say('document-unscannable', 'has a damaged header');
  const sectorBytes = 2 ** shift;
  const sectors = Math.ceil(Math.max(0, bytes.length - sectorBytes) / sectorBytes);
  budget.step(sectors);
  const layout: Layout = { bytes, sectorBytes, sectors, table: new Int32Array(sectors).fill(-1), used: new Uint8Array(sectors) };
  let broken = !readTable(layout);
  const chain = (start: number, size = Number.POSITIVE_INFINITY): Buffer => {
    const read = readChain(layout, start, size);
    budget.step(Math.ceil(read.bytes.length / sectorBytes) + 1);
    broken ||= !read.ended;
    return read.bytes;
  };
  const directory = chain(bytes.readUInt32LE(48));
  const small = chain(bytes.readUInt32LE(60));
  if (directory.length < entryBytes) return say('document-unscannable', 'has no directory');
  const store = chain(directory.readUInt32LE(116), directory.readUInt32LE(120));
  if (installers.has(directory.toString('hex', 80, 84))) say('executable-content', 'is a package of the Windows installer, which installs programs');
  const told = new Set<string>();
  for (let at = 0; at + entryBytes <= directory.length; at += entryBytes) {
    budget.step();
    if (at / entryBytes >= entriesMax) return say('part-limit', `has more than ${entriesMax} streams`);
    const type = directory[at + 66]!;
    if (type === 0) continue;
    const nameLength = Math.min(64, directory.readUInt16LE(at + 64));
    const name = directory.toString('utf16le', at, at + Math.max(0, nameLength - 2));
    for (const [pattern, what] of activeNames) {
      if (!pattern.test(name) || told.has(what)) continue;
      told.add(what);
      say('document-active', what);
    }
    if (/^(?:EncryptedPackage|EncryptionInfo)$/i.test(name)) say('document-unscannable', 'is encrypted');
    if (type !== 2) continue;
    const size = directory.readUInt32LE(at + 120);
    const start = directory.readUInt32LE(at + 116);
    const isSmall = size < 4096;
    const content = isSmall ? readSmall(store, small, start, size) : chain(start, size);
    if (isSmall) budget.step(size / 64 + 1);
    if (content.length !== size) broken = true;
    // Chains may share sectors: what they give together counts as unpacked.
    budget.takeBytes(content.length);
    if (content.length === 0) continue;
    const shown = printable(name.replaceAll(/[\u0000-\u001f]/g, ''));
    yield { name: `stream ${shown}`, bytes: content };
    for (const text of decompressMacros(content, budget)) yield { name: `macros in ${shown}`, bytes: text };
    if (/Ole10Native$/i.test(name)) {
      const packed = packedFile(content);
      if (packed !== null) yield { name: `part ${printable(packed.name)} packed in ${shown}`, bytes: packed.bytes };
    }
  }
  if (broken) say('document-unscannable', 'has streams that are damaged or run in circles');
  yield* unused(layout);
}

/** Fills the sector table from the sectors that the header and its continuation name. False where they are not all there. */
function readTable(layout: Layout): boolean {
  const { bytes, sectorBytes, sectors, table, used } = layout;
  const perSector = sectorBytes / 4;
  let filled = 0;
  let whole = true;
  const take = (sector: number): void => {
    if (sector === free) return;
    const at = (sector + 1) * sectorBytes;
    if (sector >= sectors || at + sectorBytes > bytes.length) {
      whole = false;
      return;
    }
    used[sector] = 1;
    for (let index = 0; index < perSector && filled < sectors; index += 1) table[filled++] = bytes.readInt32LE(at + 4 * index);
  };
  for (let index = 0; index < 109; index += 1) take(bytes.readUInt32LE(76 + 4 * index));
  let next = bytes.readUInt32LE(68);
  for (let count = 0; next < 0xfffffffa; count += 1) {
    const at = (next + 1) * sectorBytes;
    if (count > sectors || next >= sectors || at + sectorBytes > bytes.length) return false;
    used[next] = 1;
    for (let index = 0; index < perSector - 1; index += 1) take(bytes.readUInt32LE(at + 4 * index));
    next = bytes.readUInt32LE(at + sectorBytes - 4);
  }
  return whole;
}

function readChain({ bytes, sectorBytes, sectors, table, used }: Layout, start: number, size: number): { readonly bytes: Buffer; readonly ended: boolean } {
  const pieces: Buffer[] = [];
  let length = 0;
  let sector = start;
  for (let count = 0; length < size; count += 1) {
    if (sector === endOfChain || sector === free) break;
    if (count > sectors || sector >= sectors) return { bytes: Buffer.concat(pieces), ended: false };
    used[sector] = 1;
    const piece = bytes.subarray((sector + 1) * sectorBytes, Math.min((sector + 2) * sectorBytes, bytes.length));
    pieces.push(piece);
    length += piece.length;
    sector = table[sector]! >>> 0;
  }
  const all = Buffer.concat(pieces);
  return { bytes: size < all.length ? all.subarray(0, size) : all, ended: true };
}

/** Streams of less than 4096 bytes lie in sectors of 64 inside the stream of the root. */
function readSmall(store: Buffer, table: Buffer, start: number, size: number): Buffer {
  const pieces: Buffer[] = [];
  let sector = start;
  for (let length = 0; length < size; length += 64) {
    const at = sector * 64;
    if (at + 1 > store.length) break;
    pieces.push(store.subarray(at, Math.min(at + 64, store.length)));
    if (sector * 4 + 4 > table.length) break;
    sector = table.readUInt32LE(sector * 4);
  }
  return Buffer.concat(pieces).subarray(0, size);
}

function* unused({ bytes, sectorBytes, sectors, used }: Layout): Generator<Inner, void, void> {
  const pieces: Buffer[] = [];
  for (let sector = 0; sector < sectors; sector += 1) {
    const piece = bytes.subarray((sector + 1) * sectorBytes, (sector + 2) * sectorBytes);
    if (used[sector] === 0 && solidBytes(piece) > 0) pieces.push(piece);
  }
  if (pieces.length > 0) yield { name: 'what no stream holds', bytes: Buffer.concat(pieces) };
}

/** MS-OLEDS 2.3.6 as the packager of Windows writes it: label, path, path, size, the file. */
function packedFile(content: Buffer): { readonly name: string; readonly bytes: Buffer } | null {
  let at = 6;
  const text = (): string | null => {
    const end = content.indexOf(0, at);
    if (end < 0 || end - at > 1024) return null;
    const found = content.toString('latin1', at, end);
    at = end + 1;
    return found;
  };
  const label = text();
  if (label === null || text() === null || at + 8 > content.length) return null;
  at += 8;
  if (text() === null || at + 4 > content.length) return null;
  const size = content.readUInt32LE(at);
  return { name: label, bytes: content.subarray(at + 4, Math.min(at + 4 + size, content.length)) };
}
