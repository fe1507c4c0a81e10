/**
 * Search query parameters of PS3.18 §8.3.4 (2026): from the names and values of a URL's query to what shall match, what shall be
 * returned, and how much of it. Says of every parameter that is wrong what is wrong with it; decides nothing about what a server supports.
 */

/** Most parameters of one search; the longest useful query has some twenty. */
export const parametersMax = 64;
/** Longest value of one parameter in characters: a list of 200 UIDs of 64 characters. */
export const valueLengthMax = 13_000;
/** Most values of one list. */
export const listLengthMax = 200;
/** Most `*` and `?` of one pattern. */
export const wildcardsMax = 16;
/** Longest path through sequences: PS3.18 sets none, no IOD nests matched attributes deeper than two. */
export const pathLengthMax = 4;
/** Most attributes asked for with `includefield`. */
export const includeFieldsMax = 256;
/** Largest limit and offset that are taken as numbers; servers have far lower ones of their own. */
export const countMax = 1_000_000_000;

/** What a name in a query stands for. */
export interface QueryAttribute {
  /** Eight upper-case hex digits. */
  readonly tag: string;
  /** '' where it has none (a private attribute, or one that the dictionary does not know). */
  readonly keyword: string;
  readonly vr: string;
}

/** PS3.4 §C.2.2.2. Values are as in the query, without leading and trailing spaces. */
export type Matching =
  /** §C.2.2.2.1 Single Value Matching. */
  | { readonly kind: 'single'; readonly value: string }
  /** §C.2.2.2.2 List of UID Matching, and Multiple Value Matching. Any of them. */
  | { readonly kind: 'any'; readonly of: readonly Matching[] }
  /** §C.2.2.2.3 Universal Matching: everything. */
  | { readonly kind: 'universal' }
  /** §C.2.2.2.4 Wild Card Matching: `*` any run of characters, `?` any one. */
  | { readonly kind: 'wildcard'; readonly pattern: string }
  /** §C.2.2.2.5 Range Matching, bounds included, as complete values; null where a side is open. */
  | { readonly kind: 'range'; readonly from: string | null; readonly to: string | null }
  /** Empty Value Matching: the value is `""`. */
  | { readonly kind: 'empty' };

export interface Condition {
  /** As it stood in the query. */
  readonly name: string;
  /** From the top of the Data Set down; the last one is matched. */
  readonly path: readonly QueryAttribute[];
  readonly matching: Matching;
}

export interface Query {
  readonly conditions: readonly Condition[];
  readonly includeAll: boolean;
  readonly includeFields: readonly (readonly QueryAttribute[])[];
  readonly fuzzyMatching: boolean;
  /** null where none was given. */
  readonly limit: number | null;
  readonly offset: number;
  /** Parameters that are no search parameters and no attributes: PS3.18 §8.3 lets a server ignore them. */
  readonly unknown: readonly string[];
}

/** One thing wrong with a query. Maps to 400 Bad Request. */
export interface QueryProblem {
  readonly parameter: string;
  readonly text: string;
}

/** The attribute of a keyword or of a tag (eight upper-case hex digits), or undefined. */
export type AttributeLookup = (name: string) => QueryAttribute | undefined;

/** Reads the parameters of a search, in the order in which they came. */
export function parseQuery(parameters: Iterable<readonly [name: string, value: string]>, lookup: AttributeLookup): { readonly query: Query; readonly problems: readonly [] } | { readonly query: null; readonly problems: readonly QueryProblem[] } {
  const problems: QueryProblem[] = [];
  const conditions: { name: string; path: readonly QueryAttribute[]; value: string }[] = [];
  const includeFields: (readonly QueryAttribute[])[] = [];
  const unknown: string[] = [];
  const flags = { fuzzymatching: false, emptyvaluematching: false, multiplevaluematching: false };
  const counts: { limit: number | null; offset: number | null } = { limit: null, offset: null };
  let includeAll = false;
  const wrong = (parameter: string, text: string): void => {
    problems.push({ parameter: parameter.slice(0, 64), text });
  };

  let count = 0;
  for (const [name, value] of parameters) {
    if (++count > parametersMax) {
      wrong(name, `there are more than ${parametersMax} parameters`);
      break;
    }
    if (/\p{Cc}/u.test(value)) {
      // No value that can be matched holds one (PS3.5 §6.2), and what comes after a NUL would be lost on the way.
      wrong(name, 'the value holds a control character');
    } else if (value.length > valueLengthMax) {
      wrong(name, `the value has ${value.length} characters, at most ${valueLengthMax} are taken`);
    } else if (name === 'limit' || name === 'offset') {
      // PS3.18 §8.3.4.4
      if (counts[name] !== null) wrong(name, 'is there twice');
      else if (!/^\d{1,10}$/.test(value) || Number(value) > countMax) wrong(name, 'is not a whole number from 0 upwards');
      else counts[name] = Number(value);
    } else if (name === 'fuzzymatching' || name === 'emptyvaluematching' || name === 'multiplevaluematching') {
      // PS3.18 §8.3.4.2, §8.3.4.5, §8.3.4.6
      if (value !== 'true' && value !== 'false') wrong(name, 'is neither true nor false');
      else flags[name] = value === 'true';
    } else if (name === 'includefield') {
      // PS3.18 §8.3.4.3
      for (const field of value.split(',')) {
        const path = field === 'all' ? 'all' : parsePath(field.trim(), lookup);
        if (path === 'all') includeAll = true;
        else if (path === 'unknown') wrong(name, `"${field.slice(0, 64)}" is not a tag, a keyword or a path of them`);
        else if (path === 'too-long') wrong(name, `"${field.slice(0, 64)}" goes through more than ${pathLengthMax - 1} sequences`);
        else if (includeFields.length === includeFieldsMax) wrong(name, `more than ${includeFieldsMax} attributes are asked for`);
        else includeFields.push(path);
        if (problems.length >= parametersMax) break;
      }
    } else {
      // PS3.18 §8.3.4.1
      const path = parsePath(name, lookup);
      if (path === 'unknown') unknown.push(name.slice(0, 64));
      else if (path === 'too-long') wrong(name, `goes through more than ${pathLengthMax - 1} sequences`);
      else if (conditions.some((one) => one.path.length === path.length && one.path.every((step, index) => step.tag === path[index]!.tag))) wrong(name, 'the attribute is matched twice');
      else conditions.push({ name, path, value });
    }
  }

  const matched: Condition[] = [];
  for (const { name, path, value } of conditions) {
    const matching = parseMatching(value, path.at(-1)!.vr, flags);
    if (typeof matching === 'string') wrong(name, matching);
    else matched.push({ name, path, matching });
  }
  if (problems.length > 0) return { query: null, problems };
  return { query: { conditions: matched, includeAll, includeFields, fuzzyMatching: flags.fuzzymatching, limit: counts.limit, offset: counts.offset ?? 0, unknown }, problems: [] };
}

/** `attribute = attribute-id *("." attribute-id)`, each a tag or a keyword. */
function parsePath(name: string, lookup: AttributeLookup): readonly QueryAttribute[] | 'unknown' | 'too-long' {
  const steps = name.split('.', pathLengthMax + 1);
  if (steps.length > pathLengthMax) return 'too-long';
  const path: QueryAttribute[] = [];
  for (const [index, step] of steps.entries()) {
    const isTag = /^[0-9A-Fa-f]{8}$/.test(step);
    const found = lookup(isTag ? step.toUpperCase() : step) ?? (isTag ? { tag: step.toUpperCase(), keyword: '', vr: 'UN' } : undefined);
    // Only the last step may be something else than a sequence; of an unknown tag nobody knows.
    if (found === undefined || (index < steps.length - 1 && found.vr !== 'SQ' && found.vr !== 'UN')) return 'unknown';
    path.push(found);
  }
  return path;
}

interface MatchingFlags {
  readonly emptyvaluematching: boolean;
  readonly multiplevaluematching: boolean;
}

/** VRs whose values cannot hold wild cards: they are compared as they are (PS3.4 §C.2.2.2.4). */
const withoutWildcards: ReadonlySet<string> = new Set(['AT', 'DA', 'TM', 'DT', 'SL', 'SS', 'SV', 'US', 'UL', 'UV', 'FL', 'FD', 'OB', 'OW', 'UN', 'UI', 'IS', 'DS', 'AS']);

/** The matching of one value by its VR, or a sentence that says what is wrong with it. */
function parseMatching(value: string, vr: string, flags: MatchingFlags): Matching | string {
  const text = value.trim();
  if (text === '') return { kind: 'universal' };
  if (flags.emptyvaluematching && text === '""') return { kind: 'empty' };
  // UIDs: a list is separated by commas (PS3.18 §8.3.4.1) or, as in DIMSE, by backslashes. Code strings hold neither character, and viewers send such lists.
  const separator = vr === 'UI' || vr === 'CS' ? /[\\,]/ : flags.multiplevaluematching ? /\\/ : null;
  if (separator !== null && separator.test(text)) {
    const parts = text.split(separator).map((part) => part.trim()).filter((part) => part !== '');
    if (parts.length > listLengthMax) return `the list has ${parts.length} values, at most ${listLengthMax} are taken`;
    const of: Matching[] = [];
    for (const part of parts) {
      const matching = parseOne(part, vr);
      if (typeof matching === 'string') return matching;
      of.push(matching);
    }
    return of.length === 0 ? { kind: 'universal' } : of.length === 1 ? of[0]! : { kind: 'any', of };
  }
  return parseOne(text, vr);
}

function parseOne(text: string, vr: string): Matching | string {
  // "*" alone, and "**", match everything, also what has no value (PS3.4 §C.2.2.2.4).
  if (/^\*+$/.test(text)) return { kind: 'universal' };
  switch (vr) {
    case 'UI':
      return /^[0-9.]{1,64}$/.test(text) ? { kind: 'single', value: text } : `"${text.slice(0, 70)}" is not a UID`;
    case 'DA':
      return parseRange(text, (part) => (isDate(part) ? [part, part] : null), 'a date YYYYMMDD or a range of two');
    case 'TM':
      return parseRange(text, timeBounds, 'a time HHMMSS.FFFFFF, cut short where you like, or a range of two');
    case 'DT':
      return parseRange(text, dateTimeBounds, 'a date and time YYYYMMDDHHMMSS or a range of two');
    case 'IS': case 'US': case 'SS': case 'UL': case 'SL':
      return /^[+-]?\d{1,12}$/.test(text) ? { kind: 'single', value: String(Number(text)) } : `"${text.slice(0, 20)}" is not a whole number`;
    case 'SQ':
      return 'is a sequence: name the attribute inside it, as in sequence.attribute';
    default: {
      // Code strings are upper case (PS3.5 §6.2): what a person types in lower case means the same.
      const cased = vr === 'CS' ? text.toUpperCase() : text;
      if (withoutWildcards.has(vr) || !/[*?]/.test(cased)) return { kind: 'single', value: cased };
      const pattern = cased.replace(/\*+/g, '*');
      return pattern.replace(/[^*?]/g, '').length > wildcardsMax ? `the pattern has more than ${wildcardsMax} wild cards` : { kind: 'wildcard', pattern };
    }
  }
}

/** First and last value that a (perhaps incomplete) value stands for, or null where it is none. */
type Bounds = (part: string) => readonly [first: string, last: string] | null;

function parseRange(text: string, bounds: Bounds, expected: string): Matching | string {
  const complaint = `"${text.slice(0, 60)}" is not ${expected}`;
  const parts = text.split('-').map((part) => part.trim());
  if (parts.length === 1) {
    const both = bounds(parts[0]!);
    if (both === null) return complaint;
    return both[0] === both[1] ? { kind: 'single', value: both[0] } : { kind: 'range', from: both[0], to: both[1] };
  }
  if (parts.length > 2) return complaint;
  const [from, to] = [parts[0] === '' ? null : bounds(parts[0]!), parts[1] === '' ? null : bounds(parts[1]!)];
  if ((from === null && parts[0] !== '') || (to === null && parts[1] !== '')) return complaint;
  if (from === null && to === null) return { kind: 'universal' };
  if (from !== null && to !== null && from[0] > to[1]) return `"${text.slice(0, 60)}" ends before it begins`;
  return { kind: 'range', from: from?.[0] ?? null, to: to?.[1] ?? null };
}

function isDate(text: string): boolean {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (match === null) return false;
  const [month, day] = [Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** Times may stop after hours, minutes or seconds (PS3.5 §6.2): 10 stands for 10:00:00.000000 to 10:59:59.999999. */
function timeBounds(text: string): readonly [string, string] | null {
  const match = /^([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(?:\.(\d{1,6}))?)?)?$/.exec(text);
  if (match === null) return null;
  const [, hour = '', minute, second, fraction] = match;
  return [
    `${hour}${minute ?? '00'}${second ?? '00'}.${(fraction ?? '').padEnd(6, '0')}`,
    `${hour}${minute ?? '59'}${second ?? '59'}.${fraction === undefined ? '999999' : fraction.padEnd(6, fraction.length === 6 ? '0' : '9')}`,
  ];
}

function dateTimeBounds(text: string): readonly [string, string] | null {
  const match = /^(\d{8})([\d.]*)$/.exec(text);
  if (match === null || !isDate(match[1]!)) return null;
  if (match[2] === '') return [`${match[1]}000000.000000`, `${match[1]}235959.999999`];
  const time = timeBounds(match[2]!);
  return time === null ? null : [match[1]! + time[0], match[1]! + time[1]];
}
