/**
 * ZIP (APPNOTE 6.3.10) as strictly as ISO/IEC 21320-1 writes it: the list at the end and the entries before it must say the same, lie one behind
 * the other without gap or overlap, and be stored or deflated. A reader of our own, since readers differ in exactly what hides things: which of
 * two lists counts, whether the entry or the list is believed, what lies between.
 *
 * Where the list cannot be believed, what begins as an entry is unpacked all the same: a malicious part is to be found, not only suspected.
 */
import { crc32 } from 'node:zlib';
import { printable, slackBytesMax, solidBytes, type Inner, type Opening } from './contract.ts';
import { inflate } from './deflate.ts';
import { checkOfficeEntry } from './office.ts';

/** A study with its viewer has some thousand files. */
const entriesMax = 10_000;

const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, descriptor: 0x08074b50 } as const;
const endBytes = 22;
const commentBytesMax = 0xffff;
const encryptedFlags = 0x0001 | 0x0040 | 0x2000;
const descriptorFlag = 0x0008;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  readonly madeBy: number;
  readonly attributes: number;
}

export function* openZip(opening: Opening): Generator<Inner, void, void> {
  const { bytes, say } = opening;
  const list = readList(opening);
  if (typeof list === 'string') {
    say('container-unscannable', list);
    yield* unpackEntries(opening, 0, bytes.length);
    return;
  }
  const names = new Set<string>();
  let at = 0;
  for (const entry of list.entries.toSorted((one, other) => one.offset - other.offset)) {
    opening.budget.step();
    checkName(entry, names, say);
    if (entry.offset < at) {
      say('container-unscannable', `has entries that overlap (${printable(entry.name)})`);
      continue;
    }
    yield* between(opening, at, entry.offset);
    at = yield* unpack(opening, entry);
  }
  yield* between(opening, at, list.offset);
  if (list.comment.length > 0) yield { name: 'the comment', bytes: list.comment };
}

interface List {
  readonly entries: readonly Entry[];
  readonly offset: number;
  readonly comment: Buffer;
}

/** The list of entries, or why there is none that all readers would agree on. */
function readList({ bytes, budget }: Opening): List | string {
  const lowest = Math.max(0, bytes.length - endBytes - commentBytesMax);
  let end = -1;
  for (let at = bytes.length - endBytes; at >= lowest; at -= 1) {
    if (bytes.readUInt32LE(at) !== signature.end) continue;
    const after = bytes.length - (at + endBytes + bytes.readUInt16LE(at + 20));
    // DICOM pads a value to even length.
    if (end < 0 && (after === 0 || (after === 1 && bytes.at(-1) === 0))) end = at;
    else return 'has more than one end, or something behind it';
  }
  if (end < 0) return 'has no list of its entries at its end';
  let [count, size, offset] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
  if (bytes.readUInt16LE(end + 4) !== 0 || bytes.readUInt16LE(end + 6) !== 0 || bytes.readUInt16LE(end + 8) !== count) return 'is one of several';
  let listEnd = end;
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const locator = end - 20;
    if (locator < 0 || bytes.readUInt32LE(locator) !== signature.locator64) return 'says it is a large one and is none';
    const at = Number(bytes.readBigUInt64LE(locator + 8));
    if (at + 56 > locator || bytes.readUInt32LE(at) !== signature.end64 || at + 12 + Number(bytes.readBigUInt64LE(at + 4)) !== locator) return 'says it is a large one and is none';
    [count, size, offset] = [Number(bytes.readBigUInt64LE(at + 32)), Number(bytes.readBigUInt64LE(at + 40)), Number(bytes.readBigUInt64LE(at + 48))];
    listEnd = at;
  }
  if (count > entriesMax) return `has more than ${entriesMax} entries`;
  if (offset + size !== listEnd) return 'has bytes before it, or its list is not where it says';
  const entries: Entry[] = [];
  let at = offset;
  for (let index = 0; index < count; index += 1) {
    budget.step();
    if (at + 46 > listEnd || bytes.readUInt32LE(at) !== signature.central) return 'has a damaged list of entries';
    const [nameLength, extraLength, commentLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > listEnd) return 'has a damaged list of entries';
    const large = largeSizes(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength), [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)]);
    entries.push({
      name: bytes.toString('latin1', at + 46, at + 46 + nameLength), flags: bytes.readUInt16LE(at + 8), method: bytes.readUInt16LE(at + 10), crc: bytes.readUInt32LE(at + 16),
      size: large[0]!, packed: large[1]!, offset: large[2]!, madeBy: bytes[at + 5]!, attributes: bytes.readUInt32LE(at + 38),
    });
    at = next;
  }
  if (at !== listEnd) return 'has a list that is longer than its entries';
  return { entries, offset, comment: bytes.subarray(end + endBytes) };
}

/** Values of 0xFFFFFFFF stand in the extra field of zip64 instead, in this order (APPNOTE 4.5.3). */
function largeSizes(extra: Buffer, values: readonly number[]): number[] {
  let large: Buffer | null = null;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) large = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  let at = 0;
  return values.map((value) => {
    if (value !== 0xffffffff || large === null || at + 8 > large.length) return value;
    at += 8;
    return Number(large.readBigUInt64LE(at - 8));
  });
}

function checkName(entry: Entry, names: Set<string>, say: Opening['say']): void {
  const shown = printable(entry.name);
  const { name } = entry;
  if (name.split(/[/\\]/).includes('..') || /^[/\\]|^[A-Za-z]:|[\0\\]/.test(name)) say('container-unscannable', `has an entry that would be put elsewhere (${shown})`);
  const folded = name.toLowerCase();
  if (names.has(folded)) say('container-unscannable', `has two entries of one name (${shown})`);
  names.add(folded);
  // Made on Unix, with the mode in the upper half: a symbolic link, a device or a socket.
  const type = (entry.attributes >>> 28) & 0xf;
  if (entry.madeBy === 3 && type !== 0 && type !== 8 && type !== 4) say('container-unscannable', `has an entry that is no file but a link or a device (${shown})`);
}

/** Gives the part, and returns where its bytes end; -1 is never returned, so that a broken entry cannot hide the next. */
function* unpack(opening: Opening, entry: Entry): Generator<Inner, number, void> {
  const { bytes, budget, say } = opening;
  const shown = printable(entry.name);
  const at = entry.offset;
  if (at + 30 > bytes.length || bytes.readUInt32LE(at) !== signature.local) {
    say('container-unscannable', `has an entry that is not where the list says (${shown})`);
    return at;
  }
  const [flags, method, crc, packed, size, nameLength, extraLength] = [
    bytes.readUInt16LE(at + 6), bytes.readUInt16LE(at + 8), bytes.readUInt32LE(at + 14), bytes.readUInt32LE(at + 18), bytes.readUInt32LE(at + 22), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28),
  ];
  const data = at + 30 + nameLength + extraLength;
  const large = largeSizes(bytes.subarray(at + 30 + nameLength, data), [size, packed]);
  const later = (flags & descriptorFlag) !== 0;
  const agrees = bytes.toString('latin1', at + 30, at + 30 + nameLength) === entry.name && method === entry.method && flags === entry.flags
    && (later ? (crc === 0 || crc === entry.crc) && (large[1] === 0 || large[1] === entry.packed) : crc === entry.crc && large[1] === entry.packed && large[0] === entry.size);
  if (!agrees) say('container-unscannable', `says different things of one entry (${shown})`);
  const end = data + entry.packed;
  if (end > bytes.length) {
    say('container-unscannable', `ends inside an entry (${shown})`);
    yield* unpackEntries(opening, at, bytes.length);
    return bytes.length;
  }
  if ((flags & encryptedFlags) !== 0 || (entry.flags & encryptedFlags) !== 0) say('container-unscannable', `has an encrypted entry (${shown})`);
  else yield* content(opening, entry, bytes.subarray(data, end));
  if (!later) return end;
  // A descriptor of 12, 16 or, in zip64, 20 or 24 bytes, whose signature may be absent.
  budget.step();
  const start = end + 4 <= bytes.length && bytes.readUInt32LE(end) === signature.descriptor ? end + 4 : end;
  if (start + 12 > bytes.length || bytes.readUInt32LE(start) !== entry.crc) {
    say('container-unscannable', `says different things of one entry (${shown})`);
    return end;
  }
  if (bytes.readUInt32LE(start + 4) === entry.packed && bytes.readUInt32LE(start + 8) === entry.size) return start + 12;
  return Math.min(bytes.length, start + 20);
}

function* content({ bytes, budget, say }: Opening, entry: Pick<Entry, 'name' | 'method' | 'size' | 'crc'>, data: Buffer): Generator<Inner, void, void> {
  const shown = printable(entry.name);
  if (entry.name.endsWith('/') && data.length === 0) return;
  let output = data;
  if (entry.method === 8) {
    const inflated = inflate(data, 'raw', budget);
    output = inflated.output;
    if (inflated.ended === 'limit') say('part-limit', `has an entry that unpacks to more than is looked at (${shown})`);
    else if (inflated.ended !== 'complete') say('container-unscannable', `has an entry that cannot be unpacked (${shown})`);
    else if (inflated.consumed !== data.length) {
      say('part-unaccounted', `has bytes behind the data of an entry (${shown})`);
      yield { name: `what follows ${shown}`, bytes: data.subarray(inflated.consumed) };
    }
  } else if (entry.method !== 0) {
    say('container-unscannable', `has an entry packed in a way that is not looked into (${shown})`);
    return;
  }
  if (output.length !== entry.size || crc32(output) !== entry.crc) say('container-unscannable', `has an entry that is not what it says (${shown})`);
  checkOfficeEntry(entry.name, output, say);
  if (output.length > 0) yield { name: `part ${shown}`, bytes: output };
  budget.step(1 + (bytes.length >>> 20));
}

/** Where nothing should be. */
function* between(opening: Opening, from: number, to: number): Generator<Inner, void, void> {
  if (to <= from) return;
  const gap = opening.bytes.subarray(from, to);
  const solid = solidBytes(gap);
  if (solid === 0) return;
  if (solid > slackBytesMax || gap.indexOf('PK\x03\x04', 0, 'latin1') >= 0) opening.say('part-unaccounted', `holds ${gap.length} bytes that its list does not name`);
  yield { name: 'what lies between its entries', bytes: gap, opened: false };
  yield* unpackEntries(opening, from, to);
}

/** What begins as an entry, without a list: as far as it goes. */
function* unpackEntries(opening: Opening, from: number, to: number): Generator<Inner, void, void> {
  const { bytes, budget } = opening;
  const quiet: Opening = { ...opening, bytes, budget, say: () => {} };
  let at = bytes.indexOf('PK\x03\x04', from, 'latin1');
  for (let count = 0; at >= 0 && at + 30 <= to && count < entriesMax; count += 1) {
    budget.step();
    const data = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const next = bytes.indexOf('PK', Math.min(data, to), 'latin1');
    const method = bytes.readUInt16LE(at + 8);
    const packed = bytes.readUInt32LE(at + 18);
    // A stored entry without its length goes on to the next signature.
    const end = Math.min(to, packed > 0 && packed !== 0xffffffff ? data + packed : method === 0 && next >= 0 ? next : to);
    if (data < end) yield* content(quiet, { name: bytes.toString('latin1', at + 30, at + 30 + bytes.readUInt16LE(at + 26)), method, size: 0, crc: 0 }, bytes.subarray(data, end));
    at = bytes.indexOf('PK\x03\x04', packed > 0 && data + packed <= to ? data + packed : at + 4, 'latin1');
  }
}
