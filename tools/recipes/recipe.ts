/** What a recipe is: a test object by name, with the reason for it and what must become of it. */
import { createHash } from 'node:crypto';
import type { Verdict } from '../../pacs/quarantine/contract.ts';

export type Door = 'association' | 'stow';

export interface Expected {
  /** Any of these is right. */
  readonly verdicts: readonly Verdict[];
  /** Exactly these parts are neutralised, where the verdict is clean. */
  readonly disarmed: readonly string[];
}

/** The object as it goes over an association: without preamble and File Meta Information (PS3.7). */
export interface Transfer {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly dataSet: Uint8Array;
  /** What must become of it when it comes this way: what hid before the Data Set is gone then. */
  readonly expected: Expected;
}

export interface Recipe {
  /** File name without extension. */
  readonly name: string;
  /** Row of the threat catalogue, such as A1; 'benign', or 'eicar'. */
  readonly threat: string;
  /** One sentence: why this object is in the set. */
  readonly why: string;
  /** The whole file. */
  bytes(): Uint8Array;
  /** What the file must become. */
  readonly expected: Expected;
  /** What it must become when it comes by STOW-RS, where that is not the same. */
  readonly overStow?: Expected;
  /** How it goes over DIMSE, or null where nothing of it is left there or it cannot be said in a C-STORE. */
  readonly transfer: (() => Transfer) | null;
  /** How many bytes of the file lie behind the Data Set. */
  readonly trailing?: () => number;
  /** Doors that it can pass. */
  readonly doors: readonly Door[];
}

export const clean: Expected = { verdicts: ['clean'], disarmed: [] };
export const malicious: Expected = { verdicts: ['malicious'], disarmed: [] };
export const malformed: Expected = { verdicts: ['malformed'], disarmed: [] };
export const unscannable: Expected = { verdicts: ['unscannable'], disarmed: [] };
/** Held by whichever rule comes first; what matters is that it does not get in. */
export const held: Expected = { verdicts: ['malicious', 'malformed', 'unscannable'], disarmed: [] };
export function disarmed(...what: readonly string[]): Expected {
  return { verdicts: ['clean'], disarmed: what };
}

/** A UID that belongs to a name: 2.25 and 120 bits of its digest as a decimal number (PS3.5 §B.2). */
export function uidOf(name: string): string {
  return `2.25.${BigInt(`0x1${createHash('sha256').update(name).digest('hex').slice(0, 30)}`)}`;
}
