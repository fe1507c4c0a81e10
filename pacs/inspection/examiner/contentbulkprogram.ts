/**
 * Programs at any position of some bytes. Signatures of two to four bytes occur in numbers by chance, so each is followed to what it points at:
 * what is found here is a program's header and nothing else.
 */

export interface FoundProgram {
  readonly at: number;
  readonly length: number;
  readonly name: string;
}

/** What a loader takes for the second header of a Windows program; DOS itself wants none. */
const secondHeaders = [
  ['a Windows program', 0x50450000, 0xffffffff], // PE
  ['a 16 bit Windows program', 0x4e450000, 0xffff0000], // NE
  ['a Windows driver of old', 0x4c450000, 0xffffffff], // LE
  ['a Windows driver of old', 0x4c580000, 0xffffffff], // LX
] as const;
/** Where the second header may be: compilers put it at 64 to 1024, packers within a page or two. */
const secondHeaderAtMax = 0x10000;
/** Bytes that a header of any kind needs: windows of a large value overlap by this and by `secondHeaderAtMax`. */
export const programBytes = 64;
export const programOverlapBytes = secondHeaderAtMax + programBytes;
/** The first few say all. */
const foundMax = 4;

/**
 * The programs in `view`. A Windows program is also found where each of its bytes was combined with one key (exclusive or): the usual way to hide
 * one. `end` is where headers may begin at most, for windows that overlap.
 */
export function programsIn(view: Uint8Array, end = view.length): FoundProgram[] {
  const found: FoundProgram[] = [];
  findWindows(view, Math.min(end, view.length - programBytes + 1), found);
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
  findELF(bytes, end, found);
  findMachO(bytes, end, found);
  return found.toSorted((one, other) => one.at - other.at);
}

/**
 * MZ that points to a second header. MZ under a key keeps the difference of its two letters, 0x17: that is what is looked for, four places at a
 * time, since an opaque value may be a volume of hundreds of megabytes.
 */
function findWindows(view: Uint8Array, end: number, found: FoundProgram[]): void {
  // Shorter than a header.
  if (end <= 0) return;
  const head = (4 - (view.byteOffset & 3)) & 3;
  for (let at = 0; at < Math.min(head, end); at += 1) if (checkWindows(view, at, found)) return;
  if (end <= head) return;
  // A header needs 64 bytes, so the word of its first byte is inside the view.
  const count = (end - head + 3) >> 2;
  const words = new Int32Array(view.buffer, view.byteOffset + head, count);
  for (let index = 0; index < count; index += 1) {
    const word = words[index]!;
    const differences = word ^ (word >>> 8) ^ 0x171717;
    const next = index + 1 < count ? words[index + 1]! : -1;
    // A byte that is zero in the first three differences (with now and then one too many), or in that of the last and the next word's first.
    if (((differences - 0x010101) & ~differences & 0x808080) === 0 && (((word >>> 24) ^ next) & 0xff) !== 0x17 && next !== -1) continue;
    const first = head + index * 4;
    for (let at = first; at < first + 4 && at < end; at += 1) if (checkWindows(view, at, found)) return;
  }
}

/** True when enough were found. */
function checkWindows(view: Uint8Array, at: number, found: FoundProgram[]): boolean {
  if ((view[at]! ^ view[at + 1]!) !== 0x17) return false;
  const key = view[at]! ^ 0x4d;
  // e_lfanew under 64 KiB: its upper bytes are 0.
  if (view[at + 0x3e] !== key || view[at + 0x3f] !== key) return false;
  const offset = (view[at + 0x3c]! ^ key) | ((view[at + 0x3d]! ^ key) << 8);
  const header = at + offset;
  if (offset < 4 || header + 24 > view.length) return false;
  const word = (((view[header]! ^ key) << 24) | ((view[header + 1]! ^ key) << 16) | ((view[header + 2]! ^ key) << 8) | (view[header + 3]! ^ key)) >>> 0;
  for (const [name, signature, mask] of secondHeaders) {
    // The shorter signatures are taken only where nothing is hidden and no byte can serve two ends: under a key they occur by chance.
    if (((word & mask) >>> 0) !== signature || (name !== 'a Windows program' && (key !== 0 || offset < 0x40))) continue;
    found.push({ at, length: programBytes, name: key === 0 ? name : `${name}, hidden under a key of one byte` });
    return found.length >= foundMax;
  }
  return false;
}

/** An ELF identification that is valid, and a header version of 1 (System V ABI). */
function findELF(bytes: Buffer, end: number, found: FoundProgram[]): void {
  for (let at = bytes.indexOf('\u007fELF', 0, 'latin1'); at >= 0 && at < end; at = bytes.indexOf('\u007fELF', at + 1, 'latin1')) {
    if (at + 7 > bytes.length) return;
    const [size, order, version] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!];
    if ((size !== 1 && size !== 2) || (order !== 1 && order !== 2) || version !== 1) continue;
    found.push({ at, length: programBytes, name: 'a Linux program' });
    if (found.length >= foundMax) return;
  }
}

const machO: readonly (readonly [signature: string, littleEndian: boolean])[] = [['\xce\xfa\xed\xfe', true], ['\xcf\xfa\xed\xfe', true], ['\xfe\xed\xfa\xce', false], ['\xfe\xed\xfa\xcf', false]];

/** Processor, kind of file and number of load commands are such as there are (mach-o/loader.h). */
function findMachO(bytes: Buffer, end: number, found: FoundProgram[]): void {
  for (const [signature, littleEndian] of machO) {
    for (let at = bytes.indexOf(signature, 0, 'latin1'); at >= 0 && at < end; at = bytes.indexOf(signature, at + 1, 'latin1')) {
      if (at + 28 > bytes.length) break;
      const word = (offset: number): number => (littleEndian ? bytes.readUInt32LE(at + offset) : bytes.readUInt32BE(at + offset));
      const processor = word(4) & 0x00ffffff;
      if (processor < 1 || processor > 18 || word(12) < 1 || word(12) > 12 || word(16) > 4096) continue;
      found.push({ at, length: programBytes, name: 'a macOS program' });
      if (found.length >= foundMax) return;
    }
  }
}

/** A DOS program without a second header, which only the start of some bytes can be: sizes and offsets that agree with each other. */
export function isDOSProgram(view: Uint8Array): boolean {
  if (view.length < 32 || view[0] !== 0x4d || view[1] !== 0x5a) return false;
  const word = (offset: number): number => view[offset]! | (view[offset + 1]! << 8);
  const [lastPage, pages, paragraphs, relocations] = [word(2), word(4), word(8), word(24)];
  return lastPage < 512 && pages > 0 && paragraphs >= 2 && paragraphs * 16 <= pages * 512 && relocations >= 0x1c && relocations <= Math.max(0x40, paragraphs * 16);
}
