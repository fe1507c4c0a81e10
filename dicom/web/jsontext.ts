/**
 * JSON while it is being written, as bytes of UTF-8: text of an object is mostly ASCII that stands in JSON as it stands in the object, and is copied as bytes. Made
 * of strings, it would be a million of them that are joined at the end.
 */

const bytesAtFirst = 64 * 1024;
/** Memory that is kept for the next text. */
const bytesKept = 16 * 1024 * 1024;

let spare: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes that stand in a JSON string as they are: ASCII without control characters, quotation mark and backslash. */
const plain = new Uint8Array(256).fill(1, 0x20, 0x7f);
plain[0x22] = 0;
plain[0x5c] = 0;

const hexDigits = Uint8Array.from('0123456789ABCDEF', (digit) => digit.charCodeAt(0));
const base64Digits = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (digit) => digit.charCodeAt(0));

/** One at a time: the memory of the last one that was ended is used again. */
export class JsonText {
  #bytes: Uint8Array;
  #length = 0;
  /** Bytes that are no characters: those of a character beyond the first, less the second half that it is counted as in a string. */
  #continuing = 0;

  constructor() {
    this.#bytes = spare.length > 0 ? spare : new Uint8Array(bytesAtFirst);
    spare = new Uint8Array(0);
  }

  /** Length of the text as a string. */
  get characters(): number {
    return this.#length - this.#continuing;
  }

  /** The text; nothing is added to it afterwards. */
  end(): string {
    const text = decoder.decode(this.#bytes.subarray(0, this.#length));
    if (this.#bytes.length <= bytesKept) spare = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return text;
  }

  byte(code: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length] = code;
    this.#length += 1;
  }

  /** Characters of ASCII, as JSON has them. */
  ascii(text: string): void {
    const { length } = text;
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < length; index += 1) bytes[start + index] = text.charCodeAt(index);
    this.#length = start + length;
  }

  /** Any text, as a JSON string with its quotation marks. */
  string(text: string): void {
    const json = JSON.stringify(text);
    const room = json.length * 3;
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    const { written } = encoder.encodeInto(json, this.#bytes.subarray(this.#length));
    this.#length += written;
    this.#continuing += written - json.length;
  }

  /** Bytes that are ASCII and `isPlain`. */
  copy(from: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.#length + count > this.#bytes.length) this.#grow(count);
    const bytes = this.#bytes;
    const shift = this.#length - start;
    // Most values have a dozen characters: a loop costs less than a view.
    if (count > copiedByLoop) bytes.set(from.subarray(start, end), this.#length);
    else for (let at = start; at < end; at += 1) bytes[at + shift] = from[at]!;
    this.#length += count;
  }

  /** The same, between quotation marks. */
  quoted(from: Uint8Array, start: number, end: number): void {
    if (this.#length + end - start + 2 > this.#bytes.length) this.#grow(end - start + 2);
    this.#bytes[this.#length] = quote;
    this.#length += 1;
    this.copy(from, start, end);
    this.#bytes[this.#length] = quote;
    this.#length += 1;
  }

  /** The beginning of an attribute: `"00100010":{"vr":"PN"`, after a comma where it is not the first. */
  attribute(tag: number, vr: string, isFirst: boolean): void {
    if (this.#length + attributeBytes > this.#bytes.length) this.#grow(attributeBytes);
    const bytes = this.#bytes;
    let at = this.#length;
    if (!isFirst) bytes[at++] = comma;
    bytes[at++] = quote;
    for (let shift = 28; shift >= 0; shift -= 4) bytes[at++] = hexDigits[(tag >>> shift) & 15]!;
    for (let index = 0; index < beforeVR.length; index += 1) bytes[at++] = beforeVR[index]!;
    bytes[at++] = vr.charCodeAt(0);
    bytes[at++] = vr.charCodeAt(1);
    bytes[at++] = quote;
    this.#length = at;
  }

  /** Eight hexadecimal digits. */
  hex(number: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let digit = 0; digit < 8; digit += 1) bytes[start + digit] = hexDigits[(number >>> (28 - 4 * digit)) & 15]!;
    this.#length = start + 8;
  }

  base64(from: Uint8Array): void {
    const size = Math.ceil(from.length / 3) * 4;
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    const bytes = this.#bytes;
    let at = this.#length;
    this.#length += size;
    let index = 0;
    for (; index + 2 < from.length; index += 3) {
      const triple = (from[index]! << 16) | (from[index + 1]! << 8) | from[index + 2]!;
      bytes[at] = base64Digits[triple >>> 18]!;
      bytes[at + 1] = base64Digits[(triple >>> 12) & 63]!;
      bytes[at + 2] = base64Digits[(triple >>> 6) & 63]!;
      bytes[at + 3] = base64Digits[triple & 63]!;
      at += 4;
    }
    if (index === from.length) return;
    const [first, second] = [from[index]!, from[index + 1]];
    bytes[at] = base64Digits[first >>> 2]!;
    bytes[at + 1] = base64Digits[((first & 3) << 4) | ((second ?? 0) >>> 4)]!;
    bytes[at + 2] = second === undefined ? equals : base64Digits[(second & 15) << 2]!;
    bytes[at + 3] = equals;
  }

  #grow(more: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

const copiedByLoop = 64;
const [quote, comma, equals] = [0x22, 0x2c, 0x3d] as const;
const beforeVR = encoder.encode('":{"vr":"');
const attributeBytes = 2 + 8 + beforeVR.length + 3;

/** Whether all these bytes stand in a JSON string as they are; with `separator`, a backslash is no character of one, but stands between two. */
export function isPlain(bytes: Uint8Array, start: number, end: number, separator: boolean): boolean {
  for (let at = start; at < end; at += 1) if (plain[bytes[at]!] === 0 && !(separator && bytes[at] === 0x5c)) return false;
  return true;
}

/** Whether these bytes are a JSON number with an exponent of at most two digits, which stands as it is. */
export function isNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (bytes[at] === 0x2d) at += 1;
  const whole = at;
  at = afterDigits(bytes, at, end);
  // No zero before other digits.
  if (at === whole || (bytes[whole] === 0x30 && at > whole + 1)) return false;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = afterDigits(bytes, fraction, end);
    if (at === fraction) return false;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at += 1;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1;
    const exponent = at;
    at = afterDigits(bytes, at, end);
    if (at === exponent || at > exponent + 2) return false;
  }
  return at === end;
}

function afterDigits(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1;
  return at;
}
