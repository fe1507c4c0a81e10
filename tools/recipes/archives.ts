/** Writes containers for test objects, right or wrong: ZIP, tar, gzip, OLE. Writers of their own, as all of the recipes' are. */
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly stored?: boolean;
  /** Left out of the list at the end. */
  readonly unlisted?: boolean;
  readonly flags?: number;
  /** Unix mode, in the list. */
  readonly mode?: number;
  /** Said in the list instead of the name. */
  readonly listedName?: string;
  /** Put behind the data of the entry. */
  readonly behind?: Uint8Array;
}

export function zipOf(entries: readonly ZipEntry[], { before = Buffer.alloc(0), comment = Buffer.alloc(0) }: { readonly before?: Uint8Array; readonly comment?: Uint8Array } = {}): Buffer {
  const pieces: Uint8Array[] = [before];
  const list: Uint8Array[] = [];
  let offset = before.length;
  for (const entry of entries) {
    const packed = entry.stored === true ? Buffer.from(entry.data) : deflateRawSync(entry.data);
    const method = entry.stored === true ? 0 : 8;
    const fields = (name: string): Buffer => {
      const bytes = Buffer.alloc(26);
      bytes.writeUInt16LE(20, 0);
      bytes.writeUInt16LE(entry.flags ?? 0, 2);
      bytes.writeUInt16LE(method, 4);
      bytes.writeUInt16LE(0x5c6b, 8);
      bytes.writeUInt32LE(crc32(entry.data), 10);
      bytes.writeUInt32LE(packed.length, 14);
      bytes.writeUInt32LE(entry.data.length, 18);
      bytes.writeUInt16LE(name.length, 22);
      return bytes;
    };
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields(entry.name), Buffer.from(entry.name, 'latin1'), packed, entry.behind ?? Buffer.alloc(0)]);
    const name = entry.listedName ?? entry.name;
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    if (entry.unlisted !== true) list.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields(name), tail, Buffer.from(name, 'latin1')]));
    pieces.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(list);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(list.length, 8);
  end.writeUInt16LE(list.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...pieces, central, end, comment]);
}

export interface TarEntry { readonly name: string; readonly data?: Uint8Array; readonly type?: string; readonly link?: string }

export function tarOf(entries: readonly TarEntry[]): Buffer {
  const pieces: Uint8Array[] = [];
  for (const { name, data = Buffer.alloc(0), type = '0', link = '' } of entries) {
    const header = Buffer.alloc(512);
    header.write(name, 0, 'latin1');
    header.write('0000644\x000000000\x000000000\0', 100, 'latin1');
    header.write(`${data.length.toString(8).padStart(11, '0')}\x0000000000000\0        `, 124, 'latin1');
    header.write(type, 156, 'latin1');
    header.write(link, 157, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    pieces.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

/** gzip with a file name in its header. */
export function gzipOf(data: Uint8Array, name = ''): Buffer {
  const plain = gzipSync(data);
  if (name === '') return plain;
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = 8;
  return Buffer.concat([header, Buffer.from(`${name}\0`), plain.subarray(10)]);
}

export interface CompoundStream { readonly name: string; readonly data: Uint8Array }

/** An OLE file of 512 byte sectors: table in sector 0, directory in 1 and 2, then the streams, each of at least 4096 bytes (padded). */
export function compoundOf(streams: readonly CompoundStream[], { storages = [], loop = false }: { readonly storages?: readonly string[]; readonly loop?: boolean } = {}): Buffer {
  const end = 0xfffffffe;
  const header = Buffer.alloc(512);
  header.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
  header.writeUInt32LE(0x0003003e, 24);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(1, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(end, 60);
  header.writeUInt32LE(end, 68);
  header.fill(0xff, 76);
  header.writeUInt32LE(0, 76);
  const table = Buffer.alloc(512, 0xff);
  table.writeUInt32LE(0xfffffffd, 0);
  table.writeUInt32LE(2, 4);
  table.writeUInt32LE(end, 8);
  const entry = (name: string, type: number, start: number, size: number): Buffer => {
    const bytes = Buffer.alloc(128);
    bytes.write(name, 0, 'utf16le');
    bytes.writeUInt16LE(2 * name.length + 2, 64);
    bytes[66] = type;
    bytes.fill(0xff, 68, 80);
    bytes.writeUInt32LE(start, 116);
    bytes.writeUInt32LE(size, 120);
    return bytes;
  };
  const directory = [entry('Root Entry', 5, end, 0), ...storages.map((name) => entry(name, 1, 0, 0))];
  const sectors: Buffer[] = [];
  let next = 3;
  for (const { name, data } of streams) {
    const size = Math.max(4096, data.length);
    const count = Math.ceil(size / 512);
    const bytes = Buffer.alloc(count * 512);
    bytes.set(data);
    sectors.push(bytes);
    directory.push(entry(name, 2, next, size));
    for (let index = 0; index < count; index++) table.writeUInt32LE(index < count - 1 ? next + index + 1 : loop ? next : end, 4 * (next + index));
    next += count;
  }
  if (loop) directory.at(-1)!.writeUInt32LE(0x40000000, 120);
  const bytes = Buffer.alloc(1024);
  directory.forEach((each, index) => bytes.set(each, index * 128));
  return Buffer.concat([header, table, bytes, ...sectors]);
}
