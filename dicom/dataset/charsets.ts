/**
 * Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 §6.1): bytes to text for every defined term, code extensions of ISO 2022 included.
 * Nothing throws: a byte that the declared sets do not define becomes U+FFFD, and the object keeps its bytes.
 */

/** Graphic sets that can be invoked in G0 or G1. */
type GraphicSet =
  | { readonly bytes: 1; readonly table: readonly string[] }
  | { readonly bytes: 2; decode(first: number, second: number): string };

const replacement = '\uFFFD';

/** Text of the bytes 0xA0 to 0xFF in a single-byte set, by the platform's table of that name. */
function upperHalf(label: string): readonly string[] {
  const decoder = new TextDecoder(label);
  return Array.from({ length: 96 }, (_, index) => decoder.decode(Uint8Array.of(0xa0 + index)));
}

/** ISO 8859-1 and -9 by themselves: the platform's tables of these names are those of Windows, and only nearly the same. */
function latin1(): readonly string[] {
  return Array.from({ length: 96 }, (_, index) => String.fromCharCode(0xa0 + index));
}

function latin5(): readonly string[] {
  const table = [...latin1()];
  for (const [byte, letter] of [[0xd0, 'Ğ'], [0xdd, 'İ'], [0xde, 'Ş'], [0xf0, 'ğ'], [0xfd, 'ı'], [0xfe, 'ş']] as const) table[byte - 0xa0] = letter;
  return table;
}

/** JIS X 0201 Katakana: A1 to DF are U+FF61 to U+FF9F. */
function katakana(): readonly string[] {
  return Array.from({ length: 96 }, (_, index) => (index >= 1 && index <= 0x3f ? String.fromCharCode(0xff60 + index) : replacement));
}

function twoBytes(label: string, prefix: readonly number[]): GraphicSet {
  const decoder = new TextDecoder(label);
  return {
    bytes: 2,
    decode(first, second) {
      if ((first & 0x7f) < 0x21 || (first & 0x7f) === 0x7f || (second & 0x7f) < 0x21 || (second & 0x7f) === 0x7f) return replacement;
      const text = decoder.decode(Uint8Array.of(...prefix, first | 0x80, second | 0x80));
      return text.startsWith(replacement) ? replacement : text;
    },
  };
}

/** Made when first asked for. */
function lazy<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}

const single = (make: () => readonly string[]): (() => GraphicSet) => lazy(() => ({ bytes: 1, table: make() }));

interface CharacterSet {
  /** ISO registration number, as in the defined term. */
  readonly registration: number;
  /** Final characters of the escape sequence after ESC, and the set that it invokes: PS3.3 Tables C.12-3 and C.12-4. */
  readonly g0?: { readonly escape: string; readonly set: 'ascii' | 'roman' | (() => GraphicSet) };
  readonly g1?: { readonly escape: string; readonly set: () => GraphicSet };
}

// prettier-ignore
const characterSets: readonly CharacterSet[] = [
  { registration: 6,   g0: { escape: '(B', set: 'ascii' } },
  { registration: 100, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-A', set: single(latin1) } },
  { registration: 101, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-B', set: single(() => upperHalf('iso-8859-2')) } },
  { registration: 109, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-C', set: single(() => upperHalf('iso-8859-3')) } },
  { registration: 110, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-D', set: single(() => upperHalf('iso-8859-4')) } },
  { registration: 144, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-L', set: single(() => upperHalf('iso-8859-5')) } },
  { registration: 127, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-G', set: single(() => upperHalf('iso-8859-6')) } },
  { registration: 126, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-F', set: single(() => upperHalf('iso-8859-7')) } },
  { registration: 138, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-H', set: single(() => upperHalf('iso-8859-8')) } },
  { registration: 148, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-M', set: single(latin5) } },
  { registration: 203, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-b', set: single(() => upperHalf('iso-8859-15')) } },
  { registration: 13,  g0: { escape: '(J', set: 'roman' }, g1: { escape: ')I', set: single(katakana) } },
  { registration: 166, g0: { escape: '(B', set: 'ascii' }, g1: { escape: '-T', set: single(() => upperHalf('windows-874')) } },
  { registration: 87,  g0: { escape: '$B', set: lazy(() => twoBytes('euc-jp', [])) } },
  { registration: 159, g0: { escape: '$(D', set: lazy(() => twoBytes('euc-jp', [0x8f])) } },
  { registration: 149, g1: { escape: '$)C', set: lazy(() => twoBytes('euc-kr', [])) } },
  { registration: 58,  g1: { escape: '$)A', set: lazy(() => twoBytes('gb18030', [])) } },
];
const characterSetByRegistration = new Map(characterSets.map((set) => [set.registration, set]));

/** ESC sequences have at most three bytes after ESC. */
const escapeLengthMax = 3;

/** What the terms of (0008,0005) mean together. */
export interface TextDecoding {
  /** Terms that are none of the standard's; their text is decoded as the default repertoire. */
  readonly unknownTerms: readonly string[];
  /** JIS X 0201: 5C and 7E are others than in ASCII. In all other decodings, bytes of ASCII are its characters where no ESC is among them. */
  readonly isRoman: boolean;
  /** Text of a value. `delimiters` says which characters end a value or a component, before which the first set is active again. */
  decode(bytes: Uint8Array, delimiters: Delimiters): string;
}

/** PS3.5 §6.1.2.5.3: "\" in VRs of several values, also "^" and "=" in PN; in text of one value none, and a byte 5C is a character. */
export type Delimiters = 'none' | 'values' | 'name';

const decodings = new Map<string, TextDecoding>();

/** So many combinations of terms are kept. There are about 40 in use; the rest is made again. */
const decodingsMax = 64;

/** Decoding for the values of Specific Character Set; none or an empty one is the default repertoire, ISO-IR 6. */
export function textDecoding(terms: readonly string[]): TextDecoding {
  const key = terms.join('\\');
  const known = decodings.get(key);
  if (known !== undefined) return known;
  const made = makeDecoding(terms);
  if (decodings.size >= decodingsMax) decodings.clear();
  decodings.set(key, made);
  return made;
}

function makeDecoding(terms: readonly string[]): TextDecoding {
  const first = normalised(terms[0] ?? '');
  // These have no code extensions and stand alone (PS3.3 Table C.12-5).
  if (first === 'ISO_IR 192') return wholeDecoding('utf-8');
  if (first === 'GB18030') return wholeDecoding('gb18030');
  if (first === 'GBK') return wholeDecoding('gbk');
  const unknownTerms: string[] = [];
  const sets: CharacterSet[] = [];
  for (const term of terms) {
    const digits = /^ISO_IR (\d+)$|^ISO 2022 IR (\d+)$/.exec(normalised(term));
    const set = normalised(term) === '' ? characterSetByRegistration.get(6) : characterSetByRegistration.get(Number(digits?.[1] ?? digits?.[2] ?? -1));
    if (set === undefined) unknownTerms.push(term);
    else sets.push(set);
  }
  const initial = terms.length === 0 || unknownTerms.includes(terms[0] ?? '') ? characterSetByRegistration.get(6)! : sets[0]!;
  // ISO 2022 IR 6 need not be named to be returned to, and JIS X 0201 Roman goes with its Katakana.
  const extended = terms.length > 1 || (terms[0] ?? '').includes('2022');
  const escapes = new Map<string, (state: State) => void>();
  if (extended) {
    escapes.set('(B', (state) => void (state.g0 = 'ascii'));
    for (const set of sets) {
      if (set.g0 !== undefined) {
        const { set: invoked } = set.g0;
        escapes.set(set.g0.escape, (state) => void (state.g0 = typeof invoked === 'function' ? invoked() : invoked));
      }
      if (set.g1 !== undefined) {
        const { set: invoked } = set.g1;
        escapes.set(set.g1.escape, (state) => void (state.g1 = invoked()));
      }
    }
  }
  const shiftJIS = first === 'ISO_IR 13' && terms.length === 1;
  return {
    unknownTerms,
    isRoman: initial.registration === 13,
    decode(bytes, delimiters) {
      if (isPlain(bytes, initial)) return ascii(bytes);
      if (shiftJIS && bytes.some((byte) => (byte >= 0x81 && byte <= 0x9f) || byte >= 0xe0)) return shiftJISDecoder().decode(bytes);
      return decodeExtended(bytes, initial, escapes, delimiters);
    },
  };
}

/** Quirk: objects that say ISO_IR 13 and hold Shift JIS, whose bytes 81 to 9F and E0 to FC are no characters of JIS X 0201. */
const shiftJISDecoder = lazy(() => new TextDecoder('shift_jis'));

/** Quirk: "ISO-IR 100", "ISO IR 100", "ISO_IR100" and lower case are seen; they leave no doubt. */
function normalised(term: string): string {
  const trimmed = term.trim().toUpperCase();
  const match = /^ISO[ _-]?(2022[ _-]?)?IR[ _-]?(\d+)$/.exec(trimmed);
  if (match === null) return trimmed;
  return match[1] === undefined ? `ISO_IR ${match[2]}` : `ISO 2022 IR ${match[2]}`;
}

/** A multi-byte set without code extensions: a second byte 5C belongs to its character, so values are separated after decoding. */
function wholeDecoding(label: string): TextDecoding {
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return { unknownTerms: [], isRoman: false, decode: (bytes) => decoder.decode(bytes) };
}

/** Only bytes of the default repertoire, no ESC: what nearly all values are. JIS X 0201 has other characters at 5C and 7E. */
function isPlain(bytes: Uint8Array, initial: CharacterSet): boolean {
  const roman = initial.registration === 13;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!;
    if (byte >= 0x80 || byte === 0x1b || (roman && (byte === 0x5c || byte === 0x7e))) return false;
  }
  return true;
}

const asciiDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Characters of the default repertoire. */
function ascii(bytes: Uint8Array): string {
  if (bytes.length > 24) return asciiDecoder.decode(bytes);
  let text = '';
  for (let index = 0; index < bytes.length; index += 1) text += String.fromCharCode(bytes[index]!);
  return text;
}

interface State {
  g0: 'ascii' | 'roman' | GraphicSet;
  g1: GraphicSet | null;
}

/** The state machine of PS3.5 §6.1.2.5. */
function decodeExtended(bytes: Uint8Array, initial: CharacterSet, escapes: ReadonlyMap<string, (state: State) => void>, delimiters: Delimiters): string {
  const firstG0 = initial.g0?.set === 'roman' ? 'roman' : 'ascii';
  const firstG1 = initial.g1?.set() ?? null;
  const state: State = { g0: firstG0, g1: firstG1 };
  let text = '';
  let index = 0;
  while (index < bytes.length) {
    const byte = bytes[index]!;
    if (byte === 0x1b) {
      const length = escapeAt(bytes, index + 1, escapes, state);
      if (length === 0) text += replacement;
      index += 1 + length;
      continue;
    }
    if (byte < 0x20) {
      // Line and page ends and any other control character: the first set is active again.
      state.g0 = firstG0;
      state.g1 = firstG1;
      text += String.fromCharCode(byte);
      index += 1;
      continue;
    }
    if (byte < 0x80) {
      if (typeof state.g0 !== 'string' && byte !== 0x20 && byte !== 0x7f) {
        index += 1;
        const second = state.g0.bytes === 2 ? bytes[index] : undefined;
        if (state.g0.bytes === 2 && second !== undefined && second >= 0x21 && second < 0x7f) {
          text += state.g0.decode(byte, second);
          index += 1;
        } else text += replacement;
        continue;
      }
      if (byte === 0x5c && delimiters !== 'none') text += resetAt('\\', state, firstG0, firstG1);
      else if ((byte === 0x5e || byte === 0x3d) && delimiters === 'name') text += resetAt(String.fromCharCode(byte), state, firstG0, firstG1);
      else if (state.g0 === 'roman' && byte === 0x5c) text += '\u00A5';
      else if (state.g0 === 'roman' && byte === 0x7e) text += '\u203E';
      else text += String.fromCharCode(byte);
      index += 1;
      continue;
    }
    index += 1;
    const { g1 } = state;
    if (g1 === null) text += replacement;
    else if (g1.bytes === 1) text += byte >= 0xa0 ? (g1.table[byte - 0xa0] ?? replacement) : replacement;
    else {
      const second = bytes[index];
      if (second !== undefined && second >= 0xa1) {
        text += g1.decode(byte, second);
        index += 1;
      } else text += replacement;
    }
  }
  return text;
}

function resetAt(delimiter: string, state: State, g0: State['g0'], g1: State['g1']): string {
  state.g0 = g0;
  state.g1 = g1;
  return delimiter;
}

/** Length of a declared escape sequence at `start`, after invoking its set; 0 where there is none: an undeclared one switches nothing. */
function escapeAt(bytes: Uint8Array, start: number, escapes: ReadonlyMap<string, (state: State) => void>, state: State): number {
  let sequence = '';
  for (let length = 1; length <= escapeLengthMax && start + length <= bytes.length; length += 1) {
    sequence += String.fromCharCode(bytes[start + length - 1]!);
    const invoke = escapes.get(sequence);
    if (invoke === undefined) continue;
    invoke(state);
    return length;
  }
  return 0;
}
