/** Held objects by medium or study, and one decision for all of a group: each object is still decided on, and recorded, by itself. */
import type { StatementSync } from 'node:sqlite';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { prepareAll } from './database.ts';
import type { ObjectId, Source } from '../reception/contract.ts';
import { checkDecide, type Decisions } from './decisions.ts';
import { checkFields, checkObjectId, checkText } from './guards.ts';
import type { Verdict } from './contract.ts';
import type { Parts } from './parts.ts';
import type { GroupBy, GroupDecision, GroupDecisionAnswer, GroupsAnswer, HeldGroup } from './requests.ts';

const groupsMax = 200;
/** Decided on in one request: a second or two, since each file is read once more before it is released. Whoever asks goes on with `next`. */
const pageMax = 64;
/** Side by side; they share commits. */
const parallel = 16;
const namedMax = 500;

const totals = `count(*) AS objects, sum(verdict = 'malicious') AS malicious, sum(verdict = 'clean') AS withdrawn, sum(verdict = 'malformed') AS malformed, sum(verdict = 'unscannable') AS unscannable,
  count(DISTINCT patient_id || char(10) || patient_name) AS patients, count(DISTINCT study_instance_uid) AS studies, min(received_at) AS first, max(received_at) AS last, min(patient_name) AS patientName, min(patient_id) AS patientID,
  min(study_description) AS description, min(modality) AS modality, group_concat(DISTINCT json_extract(findings, '$[0].code')) AS codes, door, peer, address, calling_ae_title, called_ae_title, batch`;
const order = `ORDER BY malicious > 0 DESC, last DESC LIMIT ${groupsMax + 1}`;
const texts = {
  byMedium: `SELECT batch AS key, ${totals} FROM ledger JOIN ledger_source USING (source) WHERE state = 'held' GROUP BY batch ${order}`,
  byStudy: `SELECT study_instance_uid AS key, ${totals} FROM ledger JOIN ledger_source USING (source) WHERE state = 'held' GROUP BY study_instance_uid ${order}`,
  ofMedium: `SELECT number, object_id, verdict FROM ledger WHERE state = 'held' AND number > ?1 AND source IN (SELECT source FROM ledger_source WHERE batch = ?2) ORDER BY number LIMIT ?3`,
  ofStudy: `SELECT number, object_id, verdict FROM ledger WHERE state = 'held' AND number > ?1 AND study_instance_uid = ?2 ORDER BY number LIMIT ?3`,
} as const;

type GroupRow = Omit<HeldGroup, 'source' | 'codes'> & { readonly codes: string | null; readonly door: Source['door']; readonly peer: string; readonly address: string; readonly calling_ae_title: string; readonly called_ae_title: string; readonly batch: string };

export class Groups {
  readonly #parts: Parts;
  readonly #decisions: Decisions;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;

  constructor(parts: Parts, decisions: Decisions) {
    this.#parts = parts;
    this.#decisions = decisions;
    this.#run = prepareAll(parts.database, texts);
  }

  /** Throws `request-invalid`. */
  groups(untrusted: unknown): GroupsAnswer {
    const by = checkBy(checkFields(untrusted)['by']);
    const rows = (by === 'medium' ? this.#run.byMedium : this.#run.byStudy).all() as unknown as GroupRow[];
    return {
      by, held: this.#parts.counts.all().held, more: rows.length > groupsMax,
      groups: rows.slice(0, groupsMax).map(({ codes, door, peer, address, calling_ae_title: calling, called_ae_title: called, batch, ...row }) => ({
        ...row, codes: codes === null ? [] : codes.split(','), source: { door, peer, address, callingAETitle: calling, calledAETitle: called, batch },
      })),
    };
  }

  /** Decides on the next objects of a group. Throws what `checkDecide` throws; what single objects are refused for is in the answer. */
  async decide(untrusted: unknown): Promise<GroupDecisionAnswer> {
    const request = checkGroupDecision(untrusted);
    const rows = (request.by === 'medium' ? this.#run.ofMedium : this.#run.ofStudy).all(request.after, request.key, pageMax) as unknown as { number: number; object_id: ObjectId; verdict: Verdict | null }[];
    const named = new Set(request.named);
    const left: { objectId: ObjectId; code: string; text: string }[] = [];
    let [done, proposed] = [0, 0];
    const one = async ({ object_id: objectId, verdict }: (typeof rows)[number]): Promise<void> => {
      const { person, roles, reason, decision } = request;
      if (decision === 'release' && verdict === 'malicious' && !named.has(objectId)) {
        left.push({ objectId, code: 'malicious-unnamed', text: 'It was found malicious: it is released only where it is named, never along with others.' });
        return;
      }
      try {
        const { outcome } = await this.#decisions.decide({ objectId, decision, person, roles, reason });
        if (outcome === 'done') done += 1;
        else proposed += 1;
      } catch (error) {
        if (!(error instanceof Failure) || error.severity === 'broken') throw error;
        left.push({ objectId, code: error.code, text: error.message });
      }
    };
    for (let from = 0; from < rows.length; from += parallel) await Promise.all(rows.slice(from, from + parallel).map(one));
    return { done, proposed, left, next: rows.length === pageMax ? rows.at(-1)!.number : null };
  }
}

function checkBy(by: unknown): GroupBy {
  if (by !== 'medium' && by !== 'study') throw refused('request-invalid', 'groups are by medium or by study');
  return by;
}

function checkGroupDecision(untrusted: unknown): GroupDecision {
  const value = checkFields(untrusted);
  const { named, after } = value;
  if (!Array.isArray(named) || named.length > namedMax) throw refused('request-invalid', `named is a list of at most ${namedMax} objects`);
  if (!Number.isSafeInteger(after) || (after as number) < 0) throw refused('request-invalid', 'after is not from an earlier answer');
  const { objectId: _none, ...decision } = checkDecide({ ...value, objectId: '0'.repeat(32) });
  return { ...decision, by: checkBy(value['by']), key: checkText(value['key'], 'key', 256), named: named.map(checkObjectId), after: after as number };
}
