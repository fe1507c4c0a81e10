/**
 * What takes the place of values in an export without the patient: at equal length, so that offsets stay true. An examiner says where (Blanking), as untrusted
 * numbers; what is written there is made here.
 */
import { createHmac } from 'node:crypto';

/**
 * `spaces`, `zeros`: nothing (text; other). The others are dummies where PS3.15 Table E.1-1 wants one that is not empty (D), in the form of their VR. `uid`: another UID,
 * the same for the same one throughout an export.
 */
export const fills = ['spaces', 'zeros', 'letters', 'digits', 'date', 'dateTime', 'time', 'age', 'uid'] as const;
export type Fill = (typeof fills)[number];
/** A Blanking carries them as numbers: a large report has 50,000. */
export const fillNumber = Object.fromEntries(fills.map((fill, index) => [fill, index])) as Readonly<Record<Fill, number>>;
export const uidFill = fillNumber.uid;
/** PS3.5 §9.1. What is longer is no UID. */
export const uidBytesMax = 64;

/** What stands first, and what follows to the end of the range. */
const patterns: Readonly<Record<Exclude<Fill, 'uid'>, readonly [first: string, rest: string]>> = {
  spaces: ['', ' '], zeros: ['', '\0'], letters: ['', 'X'], digits: ['', '0'], date: ['20000101', ' '], dateTime: ['20000101000000.000000', ' '], time: ['000000.000000', ' '], age: ['000Y', ' '],
};

/** Overwrites `piece` in [from, to) with what a range gets that began `before` bytes ahead of `from`. */
export function overwrite(piece: Uint8Array, from: number, to: number, before: number, fill: Exclude<Fill, 'uid'>): void {
  const [first, rest] = patterns[fill];
  piece.fill(rest.charCodeAt(0), from, to);
  for (let at = before; at < first.length && from + at - before < to; at += 1) piece[from + at - before] = first.charCodeAt(at);
}

/**
 * A UID of the same length below 2.25 (PS3.5 §B.2), made with the export's own key: nobody who has only the export can try which UID it was. Below six characters
 * there is no room for a root: digits.
 */
export function otherUID(uid: Uint8Array, key: Uint8Array): Uint8Array {
  const made = BigInt(`0x${createHmac('sha256', key).update(uid).digest('hex')}`).toString().padStart(uidBytesMax, '7');
  // No component begins with a zero, and one of 38 digits is a number of less than 128 bits.
  const digits = (from: number, length: number): string => (made[from] === '0' ? `7${made.slice(from + 1, from + length)}` : made.slice(from, from + length));
  const length = uid.length - 5;
  const text = length < 1 ? digits(0, uid.length) : length < 40 ? `2.25.${digits(0, length)}` : `2.25.${digits(0, 38)}.${digits(38, length - 39)}`;
  return Buffer.from(text, 'latin1');
}
