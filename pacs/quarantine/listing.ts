/** Lists of the ledger for people: newest first, by state and free text. */
import { sql, type Kysely } from 'kysely';
import { refused } from '@lazaret/system/failure.ts';
import type { ObjectId } from '../reception/contract.ts';
import { states, type LedgerEntry, type State } from './contract.ts';
import { queries } from './database.ts';
import { checkFields, checkText } from './guards.ts';
import type { Conclusions } from './conclusion.ts';
import type { Parts } from './parts.ts';
import type { ListAnswer, ListRequest } from './requests.ts';
import type { LedgerTables } from './schema.ts';

/** requests.ts. */
const limitMax = 200;
/** Free text looks at this many of the newest objects: older ones are found through the archive's index, which is made for it. */
const searchedMax = 50_000;
const textMax = 200;

export function checkList(untrusted: unknown): ListRequest {
  const value = checkFields(untrusted);
  const given = value['states'];
  if (!Array.isArray(given) || !given.every((state) => (states as readonly unknown[]).includes(state))) throw refused('request-invalid', 'states is not a list of states');
  const { limit, after } = value;
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) throw refused('request-invalid', 'limit is not a count');
  if (after !== null && (typeof after !== 'string' || !/^[0-9]{1,15}$/.test(after))) throw refused('request-invalid', 'after is not from an earlier answer');
  return { states: given as State[], text: checkText(value['text'], 'text', textMax).trim(), limit: Math.min(limit as number, limitMax), after: after as string | null, ...groupOf(value['group']) };
}

function groupOf(untrusted: unknown): Pick<ListRequest, 'group'> {
  if (untrusted === undefined) return {};
  const { by, key } = checkFields(untrusted);
  if (by !== 'medium' && by !== 'study') throw refused('request-invalid', 'groups are by medium or by study');
  return { group: { by, key: checkText(key, 'key', 256) } };
}

export class Listing {
  readonly #parts: Parts;
  readonly #conclusions: Conclusions;
  readonly #queries: Kysely<LedgerTables>;

  constructor(parts: Parts, conclusions: Conclusions) {
    this.#parts = parts;
    this.#conclusions = conclusions;
    this.#queries = queries<LedgerTables>(parts.database);
  }

  async list(request: ListRequest): Promise<ListAnswer> {
    let query = this.#queries.selectFrom('ledger').select(['number', 'object_id']).orderBy('number', 'desc');
    if (request.states.length > 0) query = query.where('state', 'in', storedStates(request.states));
    if (request.after !== null) query = query.where('number', '<', Number(request.after));
    const { group } = request;
    if (group?.by === 'study') query = query.where('study_instance_uid', '=', group.key);
    else if (group !== undefined) query = query.where('source', 'in', this.#queries.selectFrom('ledger_source').select('source').where('batch', '=', group.key));
    if (request.text !== '') {
      const pattern = `%${request.text.replace(/[\\%_]/g, '\\$&')}%`;
      const newest = sql<number>`(SELECT max(number) - ${searchedMax} FROM ledger)`;
      const columns = ['patient_name', 'patient_id', 'study_instance_uid', 'study_description', 'sop_instance_uid', 'sop_class_uid', 'object_id', 'sha256', 'findings', 'modality'] as const;
      query = query.where('number', '>', newest).where((where) => where.or([
        ...columns.map((column) => sql<boolean>`${where.ref(column)} LIKE ${pattern} ESCAPE '\\'`),
        sql<boolean>`source IN (SELECT source FROM ledger_source WHERE peer LIKE ${pattern} ESCAPE '\\' OR calling_ae_title LIKE ${pattern} ESCAPE '\\' OR address LIKE ${pattern} ESCAPE '\\')`,
      ]));
    }
    // `inspecting` is known to the keeper only: of the waiting ones as many as fit are looked at.
    const rows = await query.limit(request.limit + 1).execute();
    const page = rows.slice(0, request.limit);
    const entries: LedgerEntry[] = [];
    for (const { object_id: objectId } of page) {
      const entry = this.entry(objectId as ObjectId);
      if (request.states.length === 0 || request.states.includes(entry.state)) entries.push(entry);
    }
    return { entries, next: rows.length > request.limit ? String(page.at(-1)!.number) : null, counts: this.#parts.counts.all() };
  }

  entry(objectId: ObjectId): LedgerEntry {
    return this.#conclusions.entry(this.#parts.ledger.rowOf(objectId));
  }
}

type Stored = LedgerTables['ledger']['state'];

function storedStates(wanted: readonly State[]): Stored[] {
  const stored = new Set<Stored>();
  for (const state of wanted) {
    if (state === 'inspecting') stored.add('waiting');
    else if (state === 'waiting' || state === 'archived' || state === 'held' || state === 'destroyed') stored.add(state);
  }
  return [...stored];
}
