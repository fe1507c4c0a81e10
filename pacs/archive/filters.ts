/**
 * From matching (dicom/web/query.ts) to SQL: for each condition a filter, and where an index can produce the candidates, a driver.
 * All text of a query goes in as bound parameters; only names from our own tables become SQL.
 */
import type { Matching } from '@lazaret/dicom/web/query.ts';
import type { IndexedAttribute } from './attributes.ts';
import { foldText, nameKinds } from './names.ts';

export type Parameter = string | number;

/** A condition of a WHERE clause over the tables studies, series and instances. */
export interface Filter {
  readonly where: string;
  readonly parameters: readonly Parameter[];
}

/** A SELECT of candidate keys from an index, without any limit. */
export interface Driver {
  readonly table: 'studies' | 'series' | 'instances';
  /** The first column is the table's key. */
  readonly select: string;
  readonly parameters: readonly Parameter[];
  /** True for drivers over unique values: at most as many rows as values, no need to count. */
  readonly unique: boolean;
  /** Where it is a range of the Study Date: searches of Studies go through them by date anyway. */
  readonly window?: Filter;
}

/** A column constrained to trigrams: several are joined into one full-text query. */
export interface Trigrams {
  readonly column: string;
  readonly expression: string;
}

export interface Plan {
  readonly filter: Filter;
  readonly drivers: readonly Driver[];
  readonly trigrams: Trigrams | null;
}

/** Text columns that studyTexts holds. */
const trigramColumns: ReadonlySet<string> = new Set(['patientName', 'patientID', 'accessionNumber', 'referringPhysicianName', 'studyID', 'studyDescription']);
/** Columns with an index that begins with them. */
const indexedColumns: Readonly<Record<string, readonly string[]>> = {
  studies: ['studyInstanceUID', 'studyDate', 'studyTime', 'accessionNumber', 'patientID', 'patientBirthDate', 'studyID'],
  series: ['seriesInstanceUID', 'modality', 'performedProcedureStepStartDate'],
  instances: ['sopInstanceUID'],
};
const uniqueColumns: ReadonlySet<string> = new Set(['studyInstanceUID', 'seriesInstanceUID', 'sopInstanceUID']);
const keys = { studies: 'studyKey', series: 'seriesKey', instances: 'instanceKey' } as const;
export const tables = { study: 'studies', series: 'series', instance: 'instances' } as const;
/** Most trigrams of one condition, spread over its text: more cost more than they spare, the filter decides anyway. */
const trigramsMax = 5;
/** Most words of a fuzzy name. */
const wordsMax = 8;
/** Shortest literal beginning of a pattern that an ordered index is asked for. */
const prefixLengthMin = 3;

/** `*` and `?` mean the same in GLOB; its `[` must not mean anything. */
export function globOf(pattern: string): string {
  return pattern.replaceAll('[', '[[]');
}

/** The filter, driver and trigrams of one matched attribute. null for universal matching. */
export function planOf(attribute: Pick<IndexedAttribute, 'vr' | 'level'> & { readonly column: string }, matching: Matching, fuzzy: boolean): Plan | null {
  if (matching.kind === 'universal') return null;
  const table = tables[attribute.level];
  const column = `${table}.${attribute.column}`;
  if (attribute.column === 'modalitiesInStudy') return modalitiesPlan(matching);
  if (attribute.vr === 'PN') return namePlan(table, attribute.column, matching, fuzzy);
  const filter = filterOf(column, attribute.vr, matching);
  const prefix = matching.kind === 'wildcard' && indexedColumns[table]!.includes(attribute.column) ? /^[^*?]*/.exec(matching.pattern)![0] : '';
  if (prefix.length >= prefixLengthMin) {
    // U+10FFFF sorts after everything (SQLite compares UTF-8).
    const driver: Driver = { table, select: `SELECT ${keys[table]} FROM ${table} WHERE ${column} >= ? AND ${column} < ?`, parameters: [prefix, `${prefix}\u{10FFFF}`], unique: false };
    return { filter, drivers: [driver], trigrams: null };
  }
  const trigrams = table === 'studies' && trigramColumns.has(attribute.column) && matching.kind === 'wildcard' ? trigramsOf(attribute.column, matching.pattern) : null;
  const indexed = indexedColumns[table]!.includes(attribute.column) && !matchesAnything(matching);
  const drivers: Driver[] = indexed ? [{
    table, select: `SELECT ${keys[table]} FROM ${table} WHERE ${filter.where}`, parameters: filter.parameters, unique: uniqueColumns.has(attribute.column),
    ...(attribute.column === 'studyDate' ? { window: filter } : {}),
  }] : [];
  return { filter, drivers, trigrams };
}

/** Wild cards at the beginning cannot use an ordered index, nor can emptiness (most rows may be empty). */
function matchesAnything(matching: Matching): boolean {
  if (matching.kind === 'any') return matching.of.some(matchesAnything);
  return matching.kind === 'wildcard' || matching.kind === 'empty';
}

function filterOf(column: string, vr: string, matching: Matching): Filter {
  switch (matching.kind) {
    case 'universal':
      return { where: '1', parameters: [] };
    case 'empty':
      return { where: vr === 'IS' || vr === 'US' ? `${column} IS NULL` : `${column} = ''`, parameters: [] };
    case 'single':
      return { where: `${column} = ?`, parameters: [vr === 'IS' || vr === 'US' ? Number(matching.value) : matching.value] };
    case 'wildcard':
      return { where: `${column} GLOB ?`, parameters: [globOf(matching.pattern)] };
    case 'range':
      // '' (no value) matches no range, an open one neither.
      if (matching.from === null) return { where: `${column} > '' AND ${column} <= ?`, parameters: [matching.to!] };
      if (matching.to === null) return { where: `${column} >= ?`, parameters: [matching.from] };
      return { where: `${column} BETWEEN ? AND ?`, parameters: [matching.from, matching.to] };
    case 'any': {
      if (matching.of.every((one) => one.kind === 'single')) {
        return { where: `${column} IN (${matching.of.map(() => '?').join(', ')})`, parameters: matching.of.map((one) => (vr === 'IS' || vr === 'US' ? Number(one.value) : one.value)) };
      }
      const parts = matching.of.map((one) => filterOf(column, vr, one));
      return { where: `(${parts.map((part) => part.where).join(' OR ')})`, parameters: parts.flatMap((part) => part.parameters) };
    }
  }
}

/** Modalities in Study (0008,0061): any one of the Study's may match (PS3.4 §C.6.2.1.2). */
function modalitiesPlan(matching: Matching): Plan {
  const values = matching.kind === 'any' ? matching.of : [matching];
  const filters = values.map((one): Filter => {
    if (one.kind === 'empty') return { where: "studies.modalitiesInStudy = ''", parameters: [] };
    const pattern = one.kind === 'single' ? one.value : one.kind === 'wildcard' ? one.pattern : '*';
    return { where: 'studies.modalitiesInStudy GLOB ?', parameters: [`*\\${globOf(pattern)}\\*`] };
  });
  const filter = { where: `(${filters.map((one) => one.where).join(' OR ')})`, parameters: filters.flatMap((one) => one.parameters) };
  if (!values.every((one) => one.kind === 'single')) return { filter, drivers: [], trigrams: null };
  const parameters = values.map((one) => one.value);
  // One Study has a modality once.
  const select = `SELECT ${parameters.length === 1 ? '' : 'DISTINCT '}studyKey FROM studyModalities WHERE modality IN (${parameters.map(() => '?').join(', ')})`;
  return { filter, drivers: [{ table: 'studies', select, parameters, unique: false }], trigrams: null };
}

/**
 * Person names: any component group, folded (names.ts). With fuzzy matching every word of the query must begin a word of the name, in any
 * order and component, so that "maria mus" finds Muster^Maria (PS3.4 §C.2.2.2.1.1 leaves the method to us).
 */
function namePlan(table: string, name: string, matching: Matching, fuzzy: boolean): Plan {
  const column = `${table}.${name}`;
  if (matching.kind === 'empty') return { filter: { where: `${column} = ''`, parameters: [] }, drivers: [], trigrams: null };
  if (matching.kind === 'any') {
    const parts = matching.of.map((one) => namePlan(table, name, one, fuzzy));
    const filter = { where: `(${parts.map((part) => part.filter.where).join(' OR ')})`, parameters: parts.flatMap((part) => part.filter.parameters) };
    const trigrams = parts.every((part) => part.trigrams !== null) ? { column: name, expression: parts.map((part) => `(${part.trigrams!.expression})`).join(' OR ') } : null;
    return { filter, drivers: [], trigrams };
  }
  const text = matching.kind === 'wildcard' ? matching.pattern : matching.kind === 'single' ? matching.value : '';
  if (fuzzy) {
    const words = foldText(text.replace(/[*?=,]/g, ' ')).split(' ').filter((word) => word !== '').slice(0, wordsMax);
    if (words.length === 0) return { filter: { where: '1', parameters: [] }, drivers: [], trigrams: null };
    const filter = { where: words.map(() => `${column} GLOB ?`).join(' AND '), parameters: words.map((word) => `*[= ]${globOf(word)}*`) };
    return { filter, drivers: words.map((word) => beginningDriver(name, word)), trigrams: null };
  }
  const groups = text.split('=').map(foldText).filter((group) => group !== '');
  // A pattern such as "=*" or "^" leaves nothing to compare.
  if (groups.every((group) => /^[* ]*$/.test(group))) return { filter: { where: `${column} <> ''`, parameters: [] }, drivers: [], trigrams: null };
  const filter = { where: groups.map(() => `${column} GLOB ?`).join(' AND '), parameters: groups.map((group) => `*=${globOf(group)}=*`) };
  const beginnings = groups.map((group) => /^[^*?]*/.exec(group)![0]).filter((beginning) => beginning !== '');
  if (beginnings.length > 0) return { filter, drivers: beginnings.map((beginning) => beginningDriver(name, beginning)), trigrams: null };
  return { filter, drivers: [], trigrams: joinTrigrams(name, groups.map((group) => `=${group}=`)) };
}

/** Studies with a name, or a word of a name, that begins so. More than those that match: the filter decides. */
function beginningDriver(column: string, beginning: string): Driver {
  const select = 'SELECT DISTINCT studyKey FROM studyNames WHERE nameKind = ? AND name >= ? AND name < ?';
  return { table: 'studies', select, parameters: [nameKinds[column]!, beginning, `${beginning}\u{10FFFF}`], unique: false };
}

function trigramsOf(column: string, pattern: string): Trigrams | null {
  return joinTrigrams(column, [pattern]);
}

/** Trigrams that every match must contain, or null where the literal runs are too short to have any. Characters beyond the BMP count as one. */
function joinTrigrams(column: string, patterns: readonly string[]): Trigrams | null {
  const tokens = new Set<string>();
  for (const run of patterns.flatMap((pattern) => pattern.split(/[*?]+/))) {
    const characters = [...run];
    for (let index = 0; index + 3 <= characters.length; index += 1) tokens.add(characters.slice(index, index + 3).join(''));
  }
  if (tokens.size === 0) return null;
  // The ones with a delimiter say least: many names share them.
  const plain = [...tokens].filter((token) => !/[= ]/.test(token));
  const from = plain.length > 0 ? plain : [...tokens];
  const step = Math.max(1, (from.length - 1) / (trigramsMax - 1));
  const chosen = from.length <= trigramsMax ? from : Array.from({ length: trigramsMax }, (_, index) => from[Math.round(index * step)]!);
  return { column, expression: chosen.map((token) => `"${token.replaceAll('"', '""')}"`).join(' AND ') };
}

/** One driver for all trigram conditions together, or null. */
export function trigramDriver(all: readonly Trigrams[]): Driver | null {
  if (all.length === 0) return null;
  const expression = all.map((one) => `({${one.column}} : (${one.expression}))`).join(' AND ');
  return { table: 'studies', select: 'SELECT rowid AS studyKey FROM studyTexts WHERE studyTexts MATCH ?', parameters: [expression], unique: false };
}
