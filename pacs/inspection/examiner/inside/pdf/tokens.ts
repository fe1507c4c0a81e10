/** The values of a PDF (ISO 32000-2 §7.3): read iteratively, as they stand, with both of two equal keys kept, since readers differ in which they take. */
import type { Budget } from '../contract.ts';

export interface Name { readonly type: 'name'; readonly text: string }
export interface Text { readonly type: 'string'; readonly text: string }
export interface Reference { readonly type: 'reference'; readonly number: number }
export interface List { readonly type: 'array'; readonly items: readonly Value[] }
export interface Dictionary { readonly type: 'dictionary'; readonly pairs: readonly (readonly [key: string, value: Value])[] }
/** true, false, null, and what is no value at all. */
export interface Word { readonly type: 'word'; readonly text: string }
export type Value = number | Name | Text | Reference | List | Dictionary | Word;

export interface Read {
  readonly value: Value | null;
  /** Where the value ends. */
  readonly next: number;
  /** Something that readers mend, each in its way: an array without its end, a key that is no name. */
  readonly broken: boolean;
}

/** Deeper than any document; readers with recursion give up earlier. */
const nestingMax = 512;
/** What one token costs beside others steps: it is kept until its object is complete. */
const tokenSteps = 6;
/** Of a string so much is kept: enough for the script of a form. The bytes themselves are scanned anyway. */
const stringBytesMax = 1024 * 1024;

/** 1: white space; 2: delimiter (§7.2.3). */
const classes = new Uint8Array(256);
for (const byte of [0, 9, 10, 12, 13, 32]) classes[byte] = 1;
for (const character of '()<>[]{}/%') classes[character.charCodeAt(0)] = 2;

export function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && classes[byte] === 1;
}
export function isRegular(byte: number | undefined): boolean {
  return byte !== undefined && classes[byte] === 0;
}

/** Past white space and comments. */
export function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    if (bytes[at] === 0x25) while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at += 1;
    else if (classes[bytes[at]!] === 1) at += 1;
    else break;
  }
  return at;
}

interface Frame { readonly isArray: boolean; readonly items: Value[]; isBroken: boolean }

/** The value that begins at `from`. Stops before words that end an object, so that a dictionary without its end swallows nothing. */
export function readValue(bytes: Buffer, from: number, budget: Budget): Read {
  const stack: Frame[] = [];
  let broken = false;
  let at = from;
  for (;;) {
    const before = at;
    at = skipBlank(bytes, at);
    budget.step(tokenSteps + ((at - before) >>> 4));
    if (at >= bytes.length) return { value: closeAll(stack), next: at, broken: true };
    const byte = bytes[at]!;
    const next = bytes[at + 1];
    let value: Value;
    if (byte === 0x5b || (byte === 0x3c && next === 0x3c)) {
      if (stack.length >= nestingMax) return { value: closeAll(stack), next: at, broken: true };
      stack.push({ isArray: byte === 0x5b, items: [], isBroken: false });
      at += byte === 0x5b ? 1 : 2;
      continue;
    }
    if (byte === 0x5d || (byte === 0x3e && next === 0x3e)) {
      const frame = stack.at(-1);
      if (frame === undefined) return { value: null, next: at, broken: true };
      const isArray = byte === 0x5d;
      at += isArray ? 1 : 2;
      // The wrong bracket closes nothing: readers skip it.
      if (frame.isArray !== isArray) {
        broken = true;
        frame.isBroken = true;
        continue;
      }
      stack.pop();
      const closed = close(frame);
      broken ||= closed.broken;
      value = closed.value;
    } else if (byte === 0x2f) {
      const read = readName(bytes, at + 1);
      value = { type: 'name', text: read.text };
      at = read.next;
    } else if (byte === 0x28) {
      const read = readString(bytes, at + 1);
      budget.step((read.next - at) >>> 2);
      value = { type: 'string', text: read.text };
      broken ||= read.broken;
      at = read.next;
    } else if (byte === 0x3c) {
      const read = readHex(bytes, at + 1);
      budget.step((read.next - at) >>> 2);
      value = { type: 'string', text: read.text };
      broken ||= read.broken;
      at = read.next;
    } else if (classes[byte] === 2) {
      // A brace, or a bracket without its partner.
      broken = true;
      at += 1;
      const frame = stack.at(-1);
      if (frame !== undefined) frame.isBroken = true;
      continue;
    } else {
      let end = at;
      while (end < bytes.length && classes[bytes[end]!] === 0 && end - at < 256) end += 1;
      const word = bytes.toString('latin1', at, end);
      if (/^(?:endobj|obj|stream|endstream|xref|trailer|startxref)$/.test(word)) return { value: closeAll(stack), next: at, broken: true };
      at = end;
      const frame = stack.at(-1);
      if (word === 'R' && frame !== undefined && isReference(frame.items)) {
        frame.items.pop();
        value = { type: 'reference', number: frame.items.pop() as number };
      } else {
        value = /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(word) ? Number(word) : { type: 'word', text: word };
        // Some readers drop a word that is none of the language, others keep it as a value.
        if (frame !== undefined && typeof value !== 'number' && !/^(?:true|false|null)$/.test(word)) frame.isBroken = true;
        if (frame === undefined && typeof value === 'number') {
          const reference = referenceAt(bytes, from);
          if (reference !== null) return reference;
        }
      }
    }
    const frame = stack.at(-1);
    if (frame === undefined) return { value, next: at, broken };
    frame.items.push(value);
  }
}

function isReference(items: readonly Value[]): boolean {
  return items.length >= 2 && Number.isInteger(items.at(-1)) && Number.isInteger(items.at(-2));
}

const reference = /(\d{1,10})[\0\t\n\f\r ]{1,64}\d{1,10}[\0\t\n\f\r ]{1,64}R(?![^\0\t\n\f\r ()<>[\]{}/%])/y;

function referenceAt(bytes: Buffer, from: number): Read | null {
  const at = skipBlank(bytes, from);
  const text = bytes.toString('latin1', at, at + 160);
  reference.lastIndex = 0;
  const found = reference.exec(text);
  return found === null ? null : { value: { type: 'reference', number: Number(found[1]) }, next: at + found[0].length, broken: false };
}

/** Where readers may count keys and values in different ways, every name is a key, whatever follows it its value. */
function close({ isArray, items, isBroken }: Frame): { readonly value: Value; readonly broken: boolean } {
  if (isArray) return { value: { type: 'array', items }, broken: isBroken };
  const isName = (item: Value): item is Name => typeof item !== 'number' && item.type === 'name';
  const inPairs = !isBroken && items.length % 2 === 0 && items.every((item, index) => index % 2 === 1 || isName(item));
  const pairs: [string, Value][] = [];
  for (let index = 0; index < items.length; index += inPairs ? 2 : 1) {
    const item = items[index]!;
    // What is no key is kept, so that nothing in it is overlooked.
    if (isName(item)) pairs.push([item.text, items[index + 1] ?? { type: 'word', text: 'null' }]);
    else pairs.push(['', item]);
  }
  return { value: { type: 'dictionary', pairs }, broken: !inPairs };
}

function closeAll(stack: Frame[]): Value | null {
  let value: Value | null = null;
  for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
    if (value !== null) frame.items.push(value);
    value = close(frame).value;
  }
  return value;
}

/** Longer names than 127 bytes are no names of the standard. */
function readName(bytes: Buffer, from: number): { readonly text: string; readonly next: number } {
  let at = from;
  let text = '';
  while (at < bytes.length && classes[bytes[at]!] === 0) {
    let byte = bytes[at]!;
    if (byte === 0x23) {
      const digits = hexOf(bytes[at + 1]) * 16 + hexOf(bytes[at + 2]);
      if (digits >= 0) {
        byte = digits;
        at += 2;
      }
    }
    if (text.length < 128) text += String.fromCharCode(byte);
    at += 1;
  }
  return { text, next: at };
}

/** Value of a hexadecimal digit, or a number that makes any sum with it negative. */
function hexOf(byte: number | undefined): number {
  if (byte === undefined) return -1000;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1000;
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

function readString(bytes: Buffer, from: number): { readonly text: string; readonly next: number; readonly broken: boolean } {
  let nesting = 1;
  let plain = true;
  let end = from;
  for (; end < bytes.length; end += 1) {
    const byte = bytes[end]!;
    if (byte === 0x5c) {
      plain = false;
      end += 1;
    } else if (byte === 0x28) nesting += 1;
    else if (byte === 0x29 && --nesting === 0) break;
  }
  end = Math.min(end, bytes.length);
  const kept = bytes.subarray(from, Math.min(end, from + stringBytesMax));
  return { text: plain ? kept.toString('latin1') : unescape(kept), next: Math.min(bytes.length, end + 1), broken: end >= bytes.length };
}

function unescape(bytes: Buffer): string {
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at]!;
    if (byte === 0x5c) {
      at += 1;
      byte = bytes[at] ?? 0;
      if (byte >= 0x30 && byte <= 0x37) {
        let code = byte - 0x30;
        for (let more = 0; more < 2 && bytes[at + 1]! >= 0x30 && bytes[at + 1]! <= 0x37; more += 1) code = code * 8 + bytes[++at]! - 0x30;
        byte = code & 0xff;
      } else if (byte === 13 || byte === 10) {
        if (byte === 13 && bytes[at + 1] === 10) at += 1;
        continue;
      } else byte = escapes[String.fromCharCode(byte)] ?? byte;
    }
    out[length++] = byte;
  }
  return out.toString('latin1', 0, length);
}

function readHex(bytes: Buffer, from: number): { readonly text: string; readonly next: number; readonly broken: boolean } {
  const found = bytes.indexOf(0x3e, from);
  const end = found < 0 ? bytes.length : found;
  const kept = bytes.subarray(from, Math.min(end, from + 2 * stringBytesMax));
  const out = Buffer.alloc((kept.length + 1) >>> 1);
  let [length, half, broken] = [0, -1, found < 0];
  for (const byte of kept) {
    const digit = hexOf(byte);
    if (digit < 0) broken ||= !isWhite(byte);
    else if (half < 0) half = digit;
    else {
      out[length++] = half * 16 + digit;
      half = -1;
    }
  }
  if (half >= 0) out[length++] = half * 16;
  return { text: out.toString('latin1', 0, length), next: Math.min(bytes.length, end + 1), broken };
}

/** All values of a key; more than one where a dictionary says it twice. */
export function valuesOf(value: Value | null | undefined, ...keys: readonly string[]): Value[] {
  if (value === null || value === undefined || typeof value === 'number' || value.type !== 'dictionary') return [];
  return value.pairs.filter(([key]) => keys.includes(key)).map(([, found]) => found);
}

export function nameOf(value: Value | null | undefined): string {
  return value !== null && value !== undefined && typeof value !== 'number' && value.type === 'name' ? value.text : '';
}

export function hasName(dictionary: Value | null, key: string, ...names: readonly string[]): boolean {
  return valuesOf(dictionary, key).some((value) => names.includes(nameOf(value)));
}
