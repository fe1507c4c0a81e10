/** The Value Representations of PS3.5 §6.2 and what a reader must know of each (edition 2024c). */

/** How a value is read. Two VRs of one kind differ in meaning only; of different kinds, also in bytes. */
export type VRKind = 'text' | 'number' | 'bytes' | 'tag' | 'sequence';

export interface VR {
  readonly code: string;
  readonly kind: VRKind;
  /** Explicit VR has 2 reserved bytes and a 32 bit length (PS3.5 Table 7.1-1), otherwise a 16 bit length (Table 7.1-2). */
  readonly longLength: boolean;
  /** Bytes of one value where all have the same, otherwise 0. A length must be a multiple of it. */
  readonly unitBytes: number;
  /** Decoded by Specific Character Set (PS3.5 §6.1.2.2): LO, LT, PN, SH, ST, UC, UT. */
  readonly characterSet: boolean;
  /** Backslash separates values. */
  readonly multiple: boolean;
}

type Row = readonly [code: string, kind: VRKind, length: 'short' | 'long', unitBytes: number, text: '' | 'charset' | 'charset single' | 'single'];

// prettier-ignore
const rows: readonly Row[] = [
  ['AE', 'text',     'short', 0, ''],
  ['AS', 'text',     'short', 0, ''],
  ['AT', 'tag',      'short', 4, ''],
  ['CS', 'text',     'short', 0, ''],
  ['DA', 'text',     'short', 0, ''],
  ['DS', 'text',     'short', 0, ''],
  ['DT', 'text',     'short', 0, ''],
  ['FD', 'number',   'short', 8, ''],
  ['FL', 'number',   'short', 4, ''],
  ['IS', 'text',     'short', 0, ''],
  ['LO', 'text',     'short', 0, 'charset'],
  ['LT', 'text',     'short', 0, 'charset single'],
  ['OB', 'bytes',    'long',  0, ''],
  ['OD', 'bytes',    'long',  8, ''],
  ['OF', 'bytes',    'long',  4, ''],
  ['OL', 'bytes',    'long',  4, ''],
  ['OV', 'bytes',    'long',  8, ''],
  ['OW', 'bytes',    'long',  2, ''],
  ['PN', 'text',     'short', 0, 'charset'],
  ['SH', 'text',     'short', 0, 'charset'],
  ['SL', 'number',   'short', 4, ''],
  ['SQ', 'sequence', 'long',  0, ''],
  ['SS', 'number',   'short', 2, ''],
  ['ST', 'text',     'short', 0, 'charset single'],
  ['SV', 'number',   'long',  8, ''],
  ['TM', 'text',     'short', 0, ''],
  ['UC', 'text',     'long',  0, 'charset'],
  ['UI', 'text',     'short', 0, ''],
  ['UL', 'number',   'short', 4, ''],
  ['UN', 'bytes',    'long',  0, ''],
  ['UR', 'text',     'long',  0, 'single'],
  ['US', 'number',   'short', 2, ''],
  ['UT', 'text',     'long',  0, 'charset single'],
  ['UV', 'number',   'long',  8, ''],
];

/** In the order of their codes; a VR's index in this table is its number in `vrIndexByCode`. */
export const vrs: readonly VR[] = rows.map(([code, kind, length, unitBytes, text]) => ({
  code,
  kind,
  longLength: length === 'long',
  unitBytes,
  characterSet: text.startsWith('charset'),
  multiple: kind === 'text' && !text.endsWith('single'),
}));

/** A VR as the number that ElementTable holds: (first letter << 8 | second letter). */
export function vrNumber(code: string): number {
  return (code.charCodeAt(0) << 8) | code.charCodeAt(1);
}

/** The two letters of such a number. */
export function vrCode(number: number): string {
  return String.fromCharCode(number >>> 8, number & 0xff);
}

/** VR number to 1 + index in `vrs`, or 0 where the two bytes are no VR: one lookup for an element header. */
export const vrIndexByNumber: Uint8Array = new Uint8Array(0x10000);
for (const [index, vr] of vrs.entries()) vrIndexByNumber[vrNumber(vr.code)] = index + 1;

export const vrByCode: ReadonlyMap<string, VR> = new Map(vrs.map((vr) => [vr.code, vr]));
