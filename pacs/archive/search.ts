/**
 * Searches of the index (QIDO-RS, C-FIND): which Studies, Series or Instances match, newest first, as DICOM JSON. Runs in processes that
 * only read. A search is bounded in what it returns and in what it looks through; what was cut is said in `notes`.
 *
 * SQLite's planner does not know how common a name is. So this one counts the candidates of each condition first, up to a bound. Few are
 * looked at directly. For some thousands the newest Studies are gone through first, where there may be matches enough for a page. Where every
 * condition is common, the Studies are gone through by date until there are.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Query } from '@lazaret/dicom/web/query.ts';
import { refused } from '@lazaret/system/failure.ts';
import { indexedAttributes, requestAttributeKeys, type IndexedAttribute, type Level } from './attributes.ts';
import { planOf, tables, trigramDriver, type Driver, type Filter, type Parameter, type Trigrams } from './filters.ts';
import { composeRow, type Row, type SearchScope } from './answers.ts';
import { servedMetadata } from './instances.ts';
import type { JSONDataSet } from './metadata.ts';

/** Most results of one answer. A page of a list has 25 to 100; one Series may have thousands of instances, and clients rarely page there. */
export const resultsMax: Readonly<Record<Level, number>> = { study: 1000, series: 5000, instance: 20_000 };
/** Most instances of one answer when attributes are asked for that only the metadata hold: each costs a read and a parse. */
export const documentResultsMax = 1000;
/** Largest offset: going through a hundred thousand results page by page is no search. */
export const offsetMax = 100_000;
/** Candidates are counted up to here, in about 1 ms. */
const countedMax = 10_000;
/** So many candidates are looked at without further thought (2 ms). */
const directMax = 2000;
/** Studies, the newest, that are gone through before all candidates are (5 to 10 ms). */
const newestMax = 50_000;
/** Series or instances that an unscoped search goes through at most, newest first, when no condition has an index (about 0.2 s). */
const walkedMax = 200_000;
/** Statements kept: there are as many texts as combinations of conditions; people use a few dozen. */
const statementsMax = 256;

export interface SearchResult {
  readonly studyInstanceUID: string;
  /** null at Study level. */
  readonly seriesInstanceUID: string | null;
  readonly sopInstanceUID: string | null;
  readonly attributes: Record<string, unknown>;
}

export interface SearchAnswer {
  readonly results: readonly SearchResult[];
  /** There are more than were returned. */
  readonly more: boolean;
  /** Sentences for the user agent: what was ignored or left out. */
  readonly notes: readonly string[];
}

export interface Search {
  search(level: Level, scope: SearchScope, query: Query): SearchAnswer;
}

const byPath: ReadonlyMap<string, IndexedAttribute> = new Map(indexedAttributes.map((one) => [one.tag, one]));
const depth: Readonly<Record<Level, number>> = { study: 0, series: 1, instance: 2 };

/** Index pages kept in memory: with 2 MB, SQLite's own, a search by date in a million studies reads its index from files again and again. */
const cachedKiB = 64 * 1024;

/** Searches through a connection that is open for reading. */
export function searchIn(database: DatabaseSync): Search {
  // Sorting must not need a temporary file: a process that only reads has nowhere to put one.
  database.exec(`PRAGMA cache_size = -${cachedKiB}; PRAGMA temp_store = MEMORY`);
  const statements = new Map<string, StatementSync>();
  /** The least recently used statement goes first. */
  const prepare = (text: string): StatementSync => {
    const known = statements.get(text);
    if (known !== undefined) statements.delete(text);
    const statement = known ?? database.prepare(text);
    statements.set(text, statement);
    if (statements.size > statementsMax) statements.delete(statements.keys().next().value!);
    return statement;
  };

  return {
    search(level, scope, query) {
      if (query.offset > offsetMax) throw refused('offset-exceeded', `the offset is ${query.offset}, at most ${offsetMax} results are skipped; narrow the search instead`);
      const notes: string[] = query.unknown.length === 0 ? [] : [`These parameters are no attributes and were ignored: ${printable(query.unknown)}`];
      const { filters, drivers } = conditionsOf(level, scope, query, notes);
      const wantsDocuments = level === 'instance' && (query.includeAll || query.includeFields.some((path) => !byPath.has(path[0]!.tag)));
      const cap = wantsDocuments ? documentResultsMax : resultsMax[level];
      const limit = Math.min(query.limit ?? cap, cap);
      if (limit === 0) return { results: [], more: false, notes };

      const plans = planned(prepare, level, scope, filters, drivers, limit + 1 + query.offset);
      let rows: Row[] = [];
      for (const { text, parameters, partly } of plans) {
        rows = prepare(text).all(...parameters, limit + 1, query.offset) as unknown as Row[];
        // From the newest part alone as many as wanted: they are the same as from all.
        if (rows.length > limit) break;
        if (partly === 'last') notes.push(`Only the newest ${walkedMax} were searched: name a Study, a Series or an attribute of a Study`);
      }
      const more = rows.length > limit;
      if (more) rows.pop();
      const read = prepare(servedMetadata);
      const results = rows.map((row): SearchResult => ({
        studyInstanceUID: row.studyInstanceUID, seriesInstanceUID: row.seriesInstanceUID ?? null, sopInstanceUID: row.sopInstanceUID ?? null,
        attributes: composeRow(level, scope, query, row, wantsDocuments ? JSON.parse(read.get(row.instanceKey!)!['metadata'] as string) as JSONDataSet : null),
      }));
      return { results, more, notes };
    },
  };
}

/** Names for a header: nothing of the query that is not plain text. */
function printable(names: readonly string[]): string {
  return names.slice(0, 8).map((name) => name.replace(/[^A-Za-z0-9_.]/g, '?')).join(', ');
}

/** Filters and drivers of the conditions and of the scope. */
function conditionsOf(level: Level, scope: SearchScope, query: Query, notes: string[]): { filters: Filter[]; drivers: Driver[] } {
  const filters: Filter[] = [];
  const drivers: Driver[] = [];
  const trigrams: Trigrams[] = [];
  const ignored: string[] = [];
  const requests: { column: string; condition: Query['conditions'][number] }[] = [];
  for (const condition of query.conditions) {
    const [top, inner, further] = condition.path;
    const attribute = byPath.get(top!.tag);
    const request = top!.tag === '00400275' && inner !== undefined && further === undefined ? requestAttributeKeys.find((one) => one.tag === inner.tag) : undefined;
    if (request !== undefined && depth[level] >= depth.series) {
      requests.push({ column: request.column, condition });
    } else if (inner === undefined && attribute !== undefined && attribute.column !== null && depth[attribute.level] <= depth[level]) {
      const plan = planOf({ ...attribute, column: attribute.column }, condition.matching, query.fuzzyMatching);
      if (plan === null) continue;
      filters.push(plan.filter);
      drivers.push(...plan.drivers);
      if (plan.trigrams !== null) trigrams.push(plan.trigrams);
    } else if (condition.matching.kind !== 'universal') {
      // PS3.4 §C.2.2.1.3: an Optional Key that is not supported is not matched. Say so: the answer is wider than was asked.
      ignored.push(condition.name);
    }
  }
  if (ignored.length > 0) notes.push(`Matching on these attributes is not supported here and was ignored: ${printable(ignored)}`);
  const combined = trigramDriver(trigrams);
  if (combined !== null) drivers.push(combined);
  if (requests.length > 0) addRequests(requests, query.fuzzyMatching, filters, drivers);
  if (scope.studyInstanceUID !== undefined) filters.push({ where: 'studies.studyInstanceUID = ?', parameters: [scope.studyInstanceUID] });
  if (scope.seriesInstanceUID !== undefined) filters.push({ where: 'series.seriesInstanceUID = ?', parameters: [scope.seriesInstanceUID] });
  return { filters, drivers };
}

/** All conditions on the Request Attributes Sequence must hold in one Item (PS3.4 §C.2.2.2.6). */
function addRequests(requests: readonly { column: string; condition: Query['conditions'][number] }[], fuzzy: boolean, filters: Filter[], drivers: Driver[]): void {
  const plans = requests.flatMap(({ column, condition }) => planOf({ vr: 'SH', level: 'series', column }, condition.matching, fuzzy) ?? []);
  if (plans.length === 0) return;
  const where = plans.map((plan) => plan.filter.where.replaceAll('series.', 'requestAttributes.')).join(' AND ');
  const select = `SELECT seriesKey FROM requestAttributes WHERE ${where}`;
  const parameters = plans.flatMap((plan) => plan.filter.parameters);
  filters.push({ where: `series.seriesKey IN (${select})`, parameters });
  drivers.push({ table: 'series', select: select.replace('SELECT', 'SELECT DISTINCT'), parameters, unique: false });
}

const columns: Readonly<Record<Level, string>> = {
  study: 'studies.studyInstanceUID, studyAttributes.attributes AS studyAttributes, studies.modalitiesInStudy, studies.numberOfSeries, studies.numberOfInstances',
  series: 'series.seriesInstanceUID, series.attributes AS seriesAttributes, series.numberOfInstances AS numberOfSeriesInstances',
  instance: 'instances.instanceKey, instances.sopInstanceUID, instances.sopClassUID, instances.transferSyntaxUID, instances.instanceNumber, instances.rows, instances.columns, instances.bitsAllocated, instances.numberOfFrames',
};
const keys = { studies: 'studyKey', series: 'seriesKey', instances: 'instanceKey' } as const;
/** Joins from the table of a level to those above it. */
const above: Readonly<Record<Level, string>> = {
  study: '', series: 'CROSS JOIN studies ON studies.studyKey = series.studyKey',
  instance: 'CROSS JOIN series ON series.seriesKey = instances.seriesKey CROSS JOIN studies ON studies.studyKey = series.studyKey',
};

/** One way to the answer. Those that are `partly` look through the newest part only; the next one, if there is any, looks through all. */
interface Planned {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  readonly partly: false | 'first' | 'last';
}

/**
 * The statements to try, in order; the last two parameters of each are limit and offset. `wanted` is how many matches must be found. Which
 * rows are in the answer is decided over keys alone; only those rows are then read whole.
 */
function planned(prepare: (text: string) => StatementSync, level: Level, scope: SearchScope, filters: readonly Filter[], drivers: readonly Driver[], wanted: number): readonly Planned[] {
  const where = conjunction(filters);
  const parameters = filters.flatMap((one) => one.parameters);
  const table = tables[level];
  const key = keys[table];
  if (scope.studyInstanceUID !== undefined && level !== 'study') {
    // Inside one Study: in the order in which people read it.
    const order = level === 'series' ? 'series.seriesNumber, series.seriesKey' : 'series.seriesNumber, series.seriesKey, instances.instanceNumber, instances.instanceKey';
    const instances = level === 'series' ? '' : 'CROSS JOIN instances ON instances.seriesKey = series.seriesKey';
    return [{ text: whole(level, `SELECT ${table}.${key} AS found FROM studies CROSS JOIN series ON series.studyKey = studies.studyKey ${instances} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`, order), parameters, partly: false }];
  }
  const order = level === 'study' ? 'studies.studyDate DESC, studies.studyKey DESC' : `${table}.${key} DESC`;
  const found = (from: string, condition = where): string => whole(level, `SELECT ${table}.${key} AS found FROM ${from} ${condition} ORDER BY ${order} LIMIT ? OFFSET ?`, order);
  const through = (driver: Driver): Planned => ({ text: found(`(${driver.select}) AS candidates ${joinsDown(driver.table, level)}`), parameters: [...driver.parameters, ...parameters], partly: false });
  if (level !== 'study') {
    // A candidate Study brings all of its rows, and going through everything is bounded: candidates serve better.
    const { best } = fewestCandidates(prepare, drivers, wanted);
    if (best !== null) return [through(best)];
    if (filters.length === 0) return [{ text: found(table), parameters, partly: false }];
    const newest = `(SELECT * FROM ${table} ORDER BY ${key} DESC LIMIT ${walkedMax}) AS ${table}`;
    return [{ text: found(`${newest} ${above[level]}`), parameters, partly: lastKey(prepare, table) > walkedMax && 'last' }];
  }

  const window = drivers.flatMap((one) => one.window ?? []);
  const { best, fewest, share } = fewestCandidates(prepare, drivers.filter((one) => one.window === undefined), wanted);
  if (best !== null && (best.unique || fewest <= directMax)) return [through(best)];
  const byDate = 'studies INDEXED BY studiesByDate';
  const all: Planned = { text: found(byDate), parameters, partly: false };
  // Nothing but a range of dates, or conditions so common that going through all by date is no worse than through their candidates.
  if (best === null || fewest >= countedMax) return [all];
  const last = through(best);
  // Not worth a try where few of the candidates can be among the newest.
  if (wanted / share > newestMax * 2) return [last];
  const border = prepare(`SELECT studyDate, studyKey FROM ${byDate} ${conjunction(window)} ORDER BY ${order} LIMIT 1 OFFSET ${newestMax}`).get(...window.flatMap((one) => one.parameters)) as { studyDate: string; studyKey: number } | undefined;
  if (border === undefined) return [all];
  return [{ text: found(byDate, `${where} AND (studies.studyDate, studies.studyKey) > (?, ?)`), parameters: [...parameters, border.studyDate, border.studyKey], partly: 'first' }, last];
}

function conjunction(filters: readonly Filter[]): string {
  return filters.length === 0 ? '' : `WHERE ${filters.map((one) => `(${one.where})`).join(' AND ')}`;
}

/** The rows of the keys that were found, in the same order. */
function whole(level: Level, found: string, order: string): string {
  const selected = `${columns.study}${level === 'study' ? '' : `, ${columns.series}`}${level === 'instance' ? `, ${columns.instance}` : ''}`;
  const table = tables[level];
  return `SELECT ${selected} FROM (${found}) CROSS JOIN ${table} ON ${table}.${keys[table]} = found ${above[level]} CROSS JOIN studyAttributes ON studyAttributes.studyKey = studies.studyKey ORDER BY ${order}`;
}

/** About how many rows a table has. */
function lastKey(prepare: (text: string) => StatementSync, table: Driver['table']): number {
  return (prepare(`SELECT max(${keys[table]}) AS last FROM ${table}`).get()!['last'] as number | null) ?? 0;
}

/** From the candidates' table to all the tables that the level needs. */
function joinsDown(from: Driver['table'], level: Level): string {
  const own = `CROSS JOIN ${from} ON ${from}.${keys[from]} = candidates.${keys[from]}`;
  if (from === 'instances') return `${own} ${above.instance}`;
  const instances = level === 'instance' ? 'CROSS JOIN instances ON instances.seriesKey = series.seriesKey' : '';
  if (from === 'series') return `${own} ${above.series} ${instances}`;
  return level === 'study' ? own : `${own} CROSS JOIN series ON series.studyKey = studies.studyKey ${instances}`;
}

/**
 * The driver with the fewest candidates, how many they are (countedMax: at least so many), and what share of all rows matches all
 * drivers if they have nothing to do with each other.
 */
function fewestCandidates(prepare: (text: string) => StatementSync, drivers: readonly Driver[], wanted: number): { best: Driver | null; fewest: number; share: number } {
  const unique = drivers.find((one) => one.unique);
  if (unique !== undefined) return { best: unique, fewest: 1, share: 1 };
  let best: Driver | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  let share = 1;
  for (const driver of drivers) {
    const count = prepare(`SELECT count(*) AS n FROM (${driver.select} LIMIT ${countedMax})`).get(...driver.parameters)!['n'] as number;
    share *= Math.min(1, count / Math.max(1, lastKey(prepare, driver.table)));
    if (count < fewest) [best, fewest] = [driver, count];
    if (fewest < wanted) break;
  }
  return { best, fewest, share };
}
