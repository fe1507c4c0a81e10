/**
 * What scanners look for, without anything that could run: headers that describe programs of no sections and no code,
 * and signatures of containers with nothing in them. EICAR's test text is put together when asked for, so that it is in no file of ours.
 */

function bytesOf(length: number, ...parts: readonly (readonly [offset: number, value: string | readonly number[]])[]): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [offset, value] of parts) bytes.set(typeof value === 'string' ? Buffer.from(value, 'latin1') : value, offset);
  return bytes;
}

/** A DOS header whose e_lfanew says where the PE header is. */
export function dosHeader(peAt: number): Buffer {
  const bytes = bytesOf(128, [0, 'MZ'], [0x18, [0x40]], [0x4e, 'This program cannot be run in DOS mode.\r\r\n$']);
  bytes.writeUInt32LE(peAt >>> 0, 0x3c);
  return bytes;
}

/** PE signature, COFF header without sections, optional header of zeros. */
export function peHeader(): Buffer {
  return bytesOf(0x108, [0, 'PE\0\0'], [4, [0x64, 0x86]], [20, [0xf0, 0]], [22, [0x22, 0]], [24, [0x0b, 0x02]]);
}

/** A PE file that has no sections. */
export function pe(): Buffer {
  return Buffer.concat([dosHeader(128), peHeader(), Buffer.alloc(512)]);
}

/** ELF header, 64-bit little endian x86-64; program headers, if any, at `programHeadersAt`. */
export function elf(programHeadersAt = 0, programHeaders = 0): Buffer {
  const bytes = bytesOf(64, [0, [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]], [16, [2, 0, 0x3e, 0, 1]], [52, [64, 0, 56, 0, programHeaders, 0]]);
  bytes.writeBigUInt64LE(BigInt(programHeadersAt), 32);
  return bytes;
}

export const machO = (): Buffer => bytesOf(32, [0, [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1, 3, 0, 0, 0, 2, 0, 0, 0]]);
export const machOFat = (): Buffer => bytesOf(48, [0, [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1, 1, 0, 0, 7, 0, 0, 0, 3]]);
export const dex = (): Buffer => bytesOf(112, [0, 'dex\n035\0']);
export const wasm = (): Buffer => bytesOf(8, [0, '\0asm'], [4, [1, 0, 0, 0]]);
export const shebang = (): Buffer => Buffer.from('#!/bin/sh\n# nothing follows\n');
export const zm = (): Buffer => bytesOf(64, [0, 'ZM']);

/** A ZIP archive with one empty file in it. */
export function zip(): Buffer {
  const name = 'empty.txt';
  const local = bytesOf(30 + name.length, [0, 'PK\x03\x04'], [4, [20]], [26, [name.length]], [30, name]);
  const central = bytesOf(46 + name.length, [0, 'PK\x01\x02'], [4, [20]], [6, [20]], [28, [name.length]], [46, name]);
  const end = bytesOf(22, [0, 'PK\x05\x06'], [8, [1]], [10, [1]]);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
export const rar = (): Buffer => bytesOf(32, [0, 'Rar!\x1a\x07\x01\0']);
export const sevenZip = (): Buffer => bytesOf(32, [0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]]);
export const pdf = (): Buffer => Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
export const html = (): Buffer => Buffer.from('<html><body><script>// nothing</script></body></html>\n');
export const ole = (): Buffer => bytesOf(512, [0, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]]);
/** The header of a shell link. */
export const lnk = (): Buffer => bytesOf(76, [0, [0x4c]], [4, [0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]]);

/** The 68 characters that every engine agrees to call malicious (eicar.org), from parts. */
export function eicar(): Buffer {
  return Buffer.from(['X5O!P%@AP[4', '\\PZX54(P^)7CC)7}$', 'EICAR', '-STANDARD-', 'ANTIVIRUS', '-TEST-FILE!', '$H+H*'].join(''), 'latin1');
}

/** The preamble of a TIFF file that was one before it was recompressed: its directory lies far behind the end. */
export const staleTIFF = (): Buffer => bytesOf(128, [0, [0x49, 0x49, 0x2a, 0, 0, 0, 0x40, 0x01]]);
