/** Images of discs and sticks by recipe: ISO 9660 with Joliet, UDF in three kinds of partition, FAT16. Written from the standards, for readers to be tested with. */
import type { MediumFile } from './media.ts';

const sector = 2048;

/** A folder with what is in it, made from paths. */
interface Tree {
  readonly name: string;
  readonly folders: Map<string, Tree>;
  readonly files: MediumFile[];
}

function treeOf(files: readonly MediumFile[]): Tree {
  const root: Tree = { name: '', folders: new Map(), files: [] };
  for (const file of files) {
    let at = root;
    const names = file.path.split('/');
    for (const name of names.slice(0, -1)) {
      let next = at.folders.get(name);
      if (next === undefined) at.folders.set(name, (next = { name, folders: new Map(), files: [] }));
      at = next;
    }
    at.files.push({ path: names.at(-1)!, bytes: file.bytes });
  }
  return root;
}

function allOf(root: Tree): Tree[] {
  const all = [root];
  for (let index = 0; index < all.length; index += 1) all.push(...all[index]!.folders.values());
  return all;
}

const padTo = (bytes: Buffer, size: number): Buffer => Buffer.concat([bytes, Buffer.alloc((size - (bytes.length % size)) % size)]);
const both16 = (into: Buffer, value: number, at: number): void => void (into.writeUInt16LE(value, at), into.writeUInt16BE(value, at + 2));
const both32 = (into: Buffer, value: number, at: number): void => void (into.writeUInt32LE(value, at), into.writeUInt32BE(value, at + 4));

export interface ISOOptions {
  readonly label?: string;
  readonly joliet?: boolean;
  /** Files that only the Joliet tree lists. */
  readonly jolietOnly?: readonly MediumFile[];
  /** A folder of this name in the root leads back to the root. */
  readonly circle?: string;
}

/** ECMA-119: system area, descriptors, folders, files. */
export function iso(files: readonly MediumFile[], { label = 'LAZARET', joliet = true, jolietOnly = [], circle }: ISOOptions = {}): Buffer {
  const places = new Map<Buffer, number>();
  const content: Buffer[] = [];
  const trees = [{ ucs2: false, root: treeOf(files) }, ...(joliet ? [{ ucs2: true, root: treeOf([...files, ...jolietOnly]) }] : [])];
  const record = (name: Buffer, place: number, length: number, folder: boolean): Buffer => {
    const bytes = Buffer.alloc((34 + name.length) & ~1);
    bytes[0] = bytes.length;
    both32(bytes, place, 2);
    both32(bytes, length, 10);
    bytes.set([126, 3, 11, 9, 15, 0, 0], 18);
    bytes[25] = folder ? 2 : 0;
    both16(bytes, 1, 28);
    bytes[32] = name.length;
    name.copy(bytes, 33);
    return bytes;
  };
  const nameOf = (name: string, ucs2: boolean, folder: boolean): Buffer => (ucs2 ? Buffer.from(name, 'utf16le').swap16() : Buffer.from(folder ? name : `${name};1`, 'latin1'));
  /** With the places that are known so far: the first time for the lengths, the second time right. */
  const layOut = ({ root, ucs2 }: { root: Tree; ucs2: boolean }, at: ReadonlyMap<Tree, { place: number; length: number }>): Map<Tree, Buffer> => {
    const made = new Map<Tree, Buffer>();
    for (const folder of allOf(root)) {
      const here = at.get(folder) ?? { place: 0, length: sector };
      const records = [record(Buffer.from([0]), here.place, here.length, true), record(Buffer.from([1]), here.place, here.length, true)];
      if (folder === root && circle !== undefined) records.push(record(nameOf(circle, ucs2, true), here.place, here.length, true));
      for (const inner of folder.folders.values()) records.push(record(nameOf(inner.name, ucs2, true), at.get(inner)?.place ?? 0, at.get(inner)?.length ?? sector, true));
      for (const file of folder.files) records.push(record(nameOf(file.path, ucs2, false), places.get(file.bytes) ?? 0, file.bytes.length, false));
      let bytes = Buffer.alloc(0);
      for (const each of records) {
        const room = sector - (bytes.length % sector);
        if (each.length > room) bytes = Buffer.concat([bytes, Buffer.alloc(room)]);
        bytes = Buffer.concat([bytes, each]);
      }
      made.set(folder, padTo(bytes, sector));
    }
    return made;
  };
  let next = 16 + trees.length + 1;
  const folders = trees.map((tree) => {
    const at = new Map<Tree, { place: number; length: number }>();
    for (const [folder, bytes] of layOut(tree, at)) {
      at.set(folder, { place: next, length: bytes.length });
      next += bytes.length / sector;
    }
    return at;
  });
  for (const { bytes } of [...files, ...jolietOnly]) {
    if (places.has(bytes)) continue;
    places.set(bytes, next);
    content.push(padTo(bytes, sector));
    next += Math.ceil(bytes.length / sector);
  }
  const descriptors = trees.map(({ root, ucs2 }, index) => {
    const bytes = Buffer.alloc(sector);
    bytes[0] = ucs2 ? 2 : 1;
    bytes.write('CD001\x01', 1, 'latin1');
    bytes.set(ucs2 ? Buffer.from(label.padEnd(16), 'utf16le').swap16() : Buffer.from(label.padEnd(32), 'latin1'), 40);
    if (ucs2) bytes.write('%/E', 88, 'latin1');
    both32(bytes, next, 80);
    both16(bytes, 1, 120);
    both16(bytes, 1, 124);
    both16(bytes, sector, 128);
    const { place, length } = folders[index]!.get(root)!;
    record(Buffer.from([0]), place, length, true).copy(bytes, 156);
    bytes.write('2026031109150000', 813, 'latin1');
    return bytes;
  });
  const end = Buffer.alloc(sector);
  end.write('\xffCD001\x01', 0, 'latin1');
  return Buffer.concat([Buffer.alloc(16 * sector), ...descriptors, end, ...trees.flatMap((tree, index) => [...layOut(tree, folders[index]!).values()]), ...content]);
}

export type UDFPartition = 'physical' | 'metadata' | 'virtual';

/** ECMA-167 and UDF 2.01 (2.50 with a metadata partition, 2.01 with a virtual one): each node one block, each file one extent. */
export function udf(files: readonly MediumFile[], { label = 'LAZARET', partition = 'physical' as UDFPartition } = {}): Buffer {
  const start = 260;
  const tagged = (tag: number, block: number, bytes: Buffer): Buffer => {
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(2, 2);
    bytes.writeUInt32LE(block, 12);
    bytes[4] = 0;
    bytes[4] = bytes.subarray(0, 16).reduce((sum, byte) => sum + byte, 0) & 0xff;
    return bytes;
  };
  const dstring = (text: string, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes[0] = 8;
    bytes.write(text, 1, 'latin1');
    bytes[size - 1] = text.length + 1;
    return bytes;
  };
  const root = treeOf(files);
  const folders = allOf(root);
  // Block 0 the File Set, then nodes; folders' content is embedded in their nodes or follows them.
  const nodes: (Tree | MediumFile)[] = [...folders, ...folders.flatMap((folder) => folder.files)];
  const nodeBlock = new Map<Tree | MediumFile, number>(nodes.map((node, index) => [node, index + 1]));
  const reference = partition === 'physical' ? 0 : 1;
  const lists = folders.map((folder): Buffer => {
    const entry = (name: string, flags: number, block: number): Buffer => {
      const written = flags === 8 ? '' : name;
      const bytes = Buffer.alloc((38 + (flags === 8 ? 0 : written.length * 2 + 1) + 3) & ~3);
      bytes.writeUInt16LE(1, 16);
      bytes[18] = flags;
      bytes[19] = flags === 8 ? 0 : written.length * 2 + 1;
      bytes.writeUInt32LE(sector, 20);
      bytes.writeUInt32LE(block, 24);
      bytes.writeUInt16LE(reference, 28);
      if (flags !== 8) {
        bytes[38] = 16;
        Buffer.from(written, 'utf16le').swap16().copy(bytes, 39);
      }
      return tagged(257, nodeBlock.get(folder)!, bytes);
    };
    return Buffer.concat([entry('', 8 | 2, 1), ...[...folder.folders.values()].map((inner) => entry(inner.name, 2, nodeBlock.get(inner)!)), ...folder.files.map((file) => entry(file.path, 0, nodeBlock.get(file)!))].map((each, index) => {
      // The parent has no name and is flagged so.
      if (index === 0) {
        each[18] = 8 | 2;
        each[19] = 0;
        return tagged(257, 1, each.subarray(0, 40));
      }
      return each;
    }));
  });
  // Blocks of the region that holds nodes and folders: in the partition itself, behind a metadata file, or under a virtual table.
  let meta = nodes.length + 1;
  const listBlock = lists.map((bytes) => {
    const at = meta;
    meta += Math.max(1, Math.ceil(bytes.length / sector));
    return at;
  });
  const lead = partition === 'metadata' ? 1 : 0;
  let data = lead + meta;
  const fileBlock = new Map<MediumFile, number>();
  for (const file of nodes.filter((node): node is MediumFile => 'bytes' in node)) {
    fileBlock.set(file, data);
    data += Math.max(1, Math.ceil(file.bytes.length / sector));
  }
  const longAd = (length: number, block: number, where: number): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt32LE(block, 4);
    bytes.writeUInt16LE(where, 8);
    return bytes;
  };
  const node = (type: number, block: number, length: number, allocation: Buffer, flags = 1): Buffer => {
    const bytes = Buffer.alloc(sector);
    bytes.writeUInt16LE(4, 20);
    bytes[27] = type;
    bytes.writeUInt16LE(flags, 34);
    bytes.writeBigUInt64LE(BigInt(length), 56);
    for (const at of [72, 84, 96]) Buffer.from([0x00, 0x10, 0xea, 0x07, 3, 11, 9, 15, 0, 0, 0, 0]).copy(bytes, at);
    bytes.writeUInt32LE(allocation.length, 172);
    allocation.copy(bytes, 176);
    return tagged(261, block, bytes);
  };
  const fileSet = Buffer.alloc(sector);
  longAd(sector, 1, reference).copy(fileSet, 400);
  const region = Buffer.concat([
    tagged(256, 0, fileSet),
    ...nodes.map((each, index) => ('bytes' in each ? node(5, index + 1, each.bytes.length, longAd(each.bytes.length, fileBlock.get(each)!, 0)) : node(4, index + 1, lists[index]!.length, longAd(lists[index]!.length, listBlock[index]!, reference)))),
    ...lists.map((bytes) => padTo(bytes.length === 0 ? Buffer.alloc(1) : bytes, sector)),
  ]);
  const shortAd = Buffer.alloc(8);
  shortAd.writeUInt32LE(region.length, 0);
  shortAd.writeUInt32LE(lead, 4);
  const content = [...fileBlock.keys()].map(({ bytes }) => padTo(bytes.length === 0 ? Buffer.alloc(1) : bytes, sector));
  const inside = Buffer.concat([...(partition === 'metadata' ? [node(250, 0, region.length, shortAd, 0)] : []), region, ...content]);
  const tail: Buffer[] = [];
  if (partition === 'virtual') {
    const table = Buffer.alloc(152 + (region.length / sector) * 4);
    table.writeUInt16LE(152, 0);
    for (let block = 0; block < region.length / sector; block += 1) table.writeUInt32LE(block, 152 + block * 4);
    tail.push(node(248, inside.length / sector, table.length, table, 3));
  }
  const map1 = Buffer.from([1, 6, 1, 0, 0, 0]);
  const map2 = Buffer.alloc(64);
  map2.set([2, 64], 0);
  map2.write(partition === 'metadata' ? '*UDF Metadata Partition' : '*UDF Virtual Partition', 5, 'latin1');
  const maps = reference === 0 ? map1 : Buffer.concat([map1, map2]);
  const volume = Buffer.alloc(sector);
  dstring(label, 32).copy(volume, 24);
  dstring('4C415A4152455401', 128).copy(volume, 72);
  const logical = Buffer.alloc(sector);
  dstring(label, 128).copy(logical, 84);
  logical.writeUInt32LE(sector, 212);
  longAd(sector, 0, reference).copy(logical, 248);
  logical.writeUInt32LE(maps.length, 264);
  logical.writeUInt32LE(reference + 1, 268);
  maps.copy(logical, 440);
  const place = Buffer.alloc(sector);
  place.writeUInt32LE(start, 188);
  place.writeUInt32LE(inside.length / sector + tail.length, 192);
  const anchor = Buffer.alloc(sector);
  for (const at of [16, 24]) {
    anchor.writeUInt32LE(16 * sector, at);
    anchor.writeUInt32LE(32, at + 4);
  }
  const image = Buffer.alloc(start * sector);
  const put = (at: number, bytes: Buffer): void => void bytes.copy(image, at * sector);
  for (const [index, name] of ['BEA01', 'NSR03', 'TEA01'].entries()) image.write(`\0${name}\x01`, (16 + index) * sector, 'latin1');
  put(32, tagged(1, 32, volume));
  put(33, tagged(6, 33, logical));
  put(34, tagged(5, 34, place));
  put(35, tagged(8, 35, Buffer.alloc(sector)));
  put(256, tagged(2, 256, anchor));
  return Buffer.concat([image, inside, ...tail]);
}

/** FAT16 with long names; `mbr` puts it into the first partition of a stick. */
export function fat16(files: readonly MediumFile[], { label = 'LAZARET', mbr = false } = {}): Buffer {
  const cluster = 2048;
  const root = treeOf(files);
  let next = 2;
  const chains: number[] = [];
  const blocks: Buffer[] = [];
  const store = (bytes: Buffer): number => {
    if (bytes.length === 0) return 0;
    const first = next;
    const count = Math.ceil(bytes.length / cluster);
    for (let index = 0; index < count; index += 1) chains[next + index] = index === count - 1 ? 0xffff : next + index + 1;
    next += count;
    blocks.push(padTo(bytes, cluster));
    return first;
  };
  let made = 0;
  const records = (name: string, attributes: number, first: number, length: number): Buffer => {
    made += 1;
    const short = Buffer.from(`LZ${String(made).padStart(6, '0')}   `, 'latin1');
    const sum = short.reduce((total, byte) => (((total & 1) << 7) + (total >> 1) + byte) & 0xff, 0);
    const units = [...Buffer.from(name, 'utf16le').toString('utf16le')].join('');
    const text = Buffer.from(`${units}\0`, 'utf16le');
    const count = Math.ceil(Math.max(1, units.length) / 13);
    const parts: Buffer[] = [];
    for (let part = count; part >= 1; part -= 1) {
      const bytes = Buffer.alloc(32, 0xff);
      bytes[0] = part | (part === count ? 0x40 : 0);
      bytes[11] = 0x0f;
      bytes[12] = 0;
      bytes[13] = sum;
      bytes.writeUInt16LE(0, 26);
      const piece = Buffer.alloc(26, 0xff);
      text.subarray((part - 1) * 26, part * 26).copy(piece);
      piece.copy(bytes, 1, 0, 10);
      piece.copy(bytes, 14, 10, 22);
      piece.copy(bytes, 28, 22, 26);
      parts.push(bytes);
    }
    const bytes = Buffer.alloc(32);
    short.copy(bytes);
    bytes[11] = attributes;
    bytes.writeUInt16LE((46 << 9) | (3 << 5) | 11, 24);
    bytes.writeUInt16LE(first, 26);
    bytes.writeUInt32LE(length, 28);
    return Buffer.concat([...parts, bytes]);
  };
  const layOut = (folder: Tree): Buffer => Buffer.concat([
    ...[...folder.folders.values()].map((inner) => records(inner.name, 0x10, store(Buffer.concat([layOut(inner), Buffer.alloc(32)])), 0)),
    ...folder.files.map((file) => records(file.path, 0x20, store(file.bytes), file.bytes.length)),
  ]);
  const labelRecord = Buffer.alloc(32);
  labelRecord.write(label.padEnd(11), 'latin1');
  labelRecord[11] = 0x08;
  const rootBytes = Buffer.alloc(512 * 32);
  Buffer.concat([labelRecord, layOut(root)]).copy(rootBytes);
  const clusters = Math.max(4_200, next);
  const fatSectors = Math.ceil(((clusters + 2) * 2) / 512);
  const table = Buffer.alloc(fatSectors * 512);
  table.writeUInt32LE(0xfffffff8, 0);
  chains.forEach((value, index) => table.writeUInt16LE(value, index * 2));
  const boot = Buffer.alloc(512);
  boot.set([0xeb, 0x3c, 0x90], 0);
  boot.write('LAZARET ', 3, 'latin1');
  boot.writeUInt16LE(512, 11);
  boot[13] = cluster / 512;
  boot.writeUInt16LE(1, 14);
  boot[16] = 1;
  boot.writeUInt16LE(512, 17);
  boot.writeUInt32LE(1 + fatSectors + 32 + clusters * 4, 32);
  boot[21] = 0xf8;
  boot.writeUInt16LE(fatSectors, 22);
  boot[38] = 0x29;
  boot.writeUInt32LE(0x20260311, 39);
  boot.write(label.padEnd(11), 43, 'latin1');
  boot.writeUInt16LE(0xaa55, 510);
  const content = Buffer.concat(blocks);
  const volume = Buffer.concat([boot, table, rootBytes, content, Buffer.alloc(clusters * cluster - content.length)]);
  if (!mbr) return volume;
  const first = Buffer.alloc(2048 * 512);
  first[450] = 0x0e;
  first.writeUInt32LE(2048, 454);
  first.writeUInt32LE(volume.length / 512, 458);
  first.writeUInt16LE(0xaa55, 510);
  return Buffer.concat([first, volume]);
}
