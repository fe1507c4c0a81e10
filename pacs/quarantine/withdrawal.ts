/**
 * Withdrawals (withdrawalcontract.ts): orders are durable before anybody is answered, and are carried out in groups of a few objects, between which everything else
 * has its turn. What is done is in the tables, so after kill -9 the next start goes on where it was. What still is in inspection, or arrives for a medium
 * while its withdrawal stands, is held instead of archived (withdrawalcover.ts, asked by conclusion.ts).
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as breathe, setTimeout as wait } from 'node:timers/promises';
import { eventTypes } from '@lazaret/audit/codes.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { permitted, roles as allRoles, type Role } from '../access/actions.ts';
import type { Group } from './commits.ts';
import type { Cover } from './conclusion.ts';
import { checkFields, checkObjectId, checkText } from './guards.ts';
import type { Parts } from './parts.ts';
import type { Signatures } from './signatures.ts';
import type { Selection, WithdrawalFate, WithdrawalStatus, WithdrawnObject } from './withdrawalcontract.ts';
import { StandingCover } from './withdrawalcover.ts';
import { objectsMessage, orderMessage } from './withdrawalrecord.ts';
import { withdrawalStatements, type Order, type Taken } from './withdrawalschema.ts';
import { checkSelection, countPeople, previewOf, resolved, selectInto, wordsOf } from './withdrawalselection.ts';
import { bringBack, take } from './withdrawalsteps.ts';

/** Some 30 ms of the keeper: a door that has an object to admit waits no longer than that. */
const groupObjects = 64;
/** Objects that are inspected again at once before they come back: the queue stays short for what is sent now. */
const returningMax = 256;
/** The disk or the ledger could not be written: tried again after this. */
const againMs = 1_000;
const reasonMax = 2_000;
const personMax = 128;
const listMax = 200;
const objectsMax = 500;

interface Decider { readonly person: string; readonly roles: readonly Role[]; readonly reason: string }

export class Withdrawals {
  readonly #parts: Parts;
  readonly #signatures: Pick<Signatures, 'epoch'>;
  readonly #run;
  readonly #cover: StandingCover;
  #working: Promise<void> | null = null;
  #poke = Promise.withResolvers<void>();
  #problem = '';
  #closed = false;

  constructor(parts: Parts, signatures: Pick<Signatures, 'epoch'>) {
    this.#parts = parts;
    this.#signatures = signatures;
    this.#run = withdrawalStatements(parts.database);
    this.#cover = new StandingCover(parts, () => this.#poke.resolve());
    this.#start();
  }

  /** For conclusion.ts. */
  get cover(): Cover {
    return this.#cover;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#poke.resolve();
    await this.#working;
  }

  /** `withdraw` as the contract has it. Throws `request-invalid`, `role-missing`, `reason-missing`, `withdrawal-unknown`, `withdrawal-empty`, `withdrawal-too-large`, `second-person-needed`. */
  handle(untrusted: unknown): Promise<unknown> | unknown {
    const body = checkFields(untrusted);
    switch (body['do']) {
      case 'preview': return previewOf(this.#parts.database, checkSelection(body['selection']));
      case 'withdraw': return this.#withdraw(checkSelection(body['selection']), checkDecider(body));
      case 'restore': {
        const objects = body['objects'];
        if (!Array.isArray(objects) || objects.length > objectsMax) throw refused('request-invalid', `objects is a list of at most ${objectsMax}; an empty one is all of them`);
        return this.#restore(this.#orderOf(body['id']), objects.map(checkObjectId), checkDecider(body));
      }
      case 'status': return this.status(this.#orderOf(body['id']));
      case 'list': return (this.#run.newest.all(count(body['limit'], listMax)) as unknown as Order[]).map((order) => this.status(order));
      case 'objects': return this.#objects(this.#orderOf(body['id']), count(body['after'], Number.MAX_SAFE_INTEGER), count(body['limit'], objectsMax));
      default: throw refused('request-invalid', 'there is no such request about withdrawals');
    }
  }

  status(order: Order): WithdrawalStatus {
    const fates: Partial<Record<WithdrawalFate, number>> = {};
    let objects = 0;
    for (const { fate, count: number } of this.#run.fates.all(order.number) as { fate: WithdrawalFate; count: number }[]) {
      fates[fate] = number;
      objects += number;
    }
    return {
      id: order.id, selection: JSON.parse(order.selection) as Selection, what: order.what, state: order.state, person: order.person, reason: order.reason, at: order.at, fates, objects, patients: order.patients, studies: order.studies,
      malicious: this.#malicious(order), restore: order.restored_at === null ? null : { person: order.restored_by, reason: order.restored_reason, at: order.restored_at }, finishedAt: order.finished_at,
      problem: order.state === 'withdrawing' || order.state === 'restoring' ? this.#problem : '',
    };
  }

  async #withdraw(given: Selection, by: Decider): Promise<WithdrawalStatus> {
    const { database, commits } = this.#parts;
    const id = randomBytes(16).toString('hex');
    const order = await commits.submit((group) => {
      const selection = resolved(database, given);
      const { top } = this.#run.top.get() as { top: number };
      const number = Number(this.#run.add.run(id, JSON.stringify(selection), wordsOf(database, selection), by.person, by.roles.join(' '), by.reason, group.time, top, 0, 0).lastInsertRowid);
      const objects = selectInto(database, number, selection);
      // A medium that is being read has none yet, and more to come.
      if (objects === 0 && !(selection.kind === 'import' && this.#isOpen(selection.import))) throw refused('withdrawal-empty', 'There is nothing to take out of sight: nothing of this is in the archive or in inspection.');
      const people = countPeople(database, number);
      database.prepare('UPDATE withdrawal SET patients = ?, studies = ? WHERE number = ?').run(people.patients, people.studies, number);
      const made = this.#run.byNumber.get(number) as unknown as Order;
      const waiting = (this.#run.some.all(number, 'waiting', 0, -1) as unknown as Taken[]).map((each) => each.object_id);
      group.record.message(orderMessage(made, eventTypes.withdrawalOrdered, by.person, by.reason, [['objects', String(objects)], ['patients', String(people.patients)], ['studies', String(people.studies)]], group.time));
      group.after(() => {
        for (const objectId of waiting) this.#cover.waiting.set(objectId, number);
        this.#cover.read();
      });
      return made;
    });
    this.#start();
    return this.status(order);
  }

  #isOpen(id: string): boolean {
    return this.#parts.database.prepare(`SELECT 1 FROM import WHERE id = ? AND state NOT IN ('settled', 'failed')`).get(id) !== undefined;
  }

  async #restore(order: Order, objects: readonly string[], by: Decider): Promise<WithdrawalStatus> {
    await this.#parts.commits.submit((group) => {
      const now = this.#run.byNumber.get(order.number) as unknown as Order;
      if (this.#malicious(now, objects) > 0) {
        if (by.person === now.person) throw refused('second-person-needed', `In it is what was found malicious: somebody else than ${now.person}, who withdrew it, must bring it back.`);
        if (!by.roles.includes('security') && !now.roles.split(' ').includes('security')) throw refused('role-missing', 'In it is what was found malicious: one of the two who withdraw it and bring it back must have the role security.');
      }
      let asked = 0;
      if (objects.length === 0) {
        asked = Number(this.#run.ask.run(now.number).changes) + Number(this.#run.leave.run(now.number).changes);
      } else {
        for (const objectId of objects) {
          const { changes } = this.#run.askOne.run(now.number, objectId);
          if (Number(changes) === 0) throw refused('object-unknown', `Withdrawal ${now.id.slice(0, 8)} does not hold object ${objectId}.`);
          asked += 1;
        }
      }
      if (asked === 0 && now.standing === 0) throw refused('withdrawal-empty', 'There is nothing left to bring back: all of it is in sight again, or was decided on by itself.');
      this.#run.restore.run(objects.length === 0 ? 0 : now.standing, by.person, by.reason, group.time, now.number);
      group.record.message(orderMessage(now, eventTypes.restoralOrdered, by.person, by.reason, [['objects', String(asked)], ['withdrawn by', now.person]], group.time));
      group.after(() => {
        if (objects.length === 0) for (const [objectId, number] of this.#cover.waiting) if (number === now.number) this.#cover.waiting.delete(objectId);
        this.#cover.read();
      });
    });
    this.#start();
    return this.status(this.#run.byNumber.get(order.number) as unknown as Order);
  }

  #malicious(order: Order, objects: readonly string[] = []): number {
    if (objects.length === 0) return (this.#run.malicious.get(order.number) as { count: number }).count;
    return objects.filter((objectId) => this.#parts.ledger.row(objectId)?.verdict === 'malicious').length;
  }

  #start(): void {
    this.#poke.resolve();
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  async #work(): Promise<void> {
    // Not in the constructor of a keeper that is still being put together.
    await breathe();
    for (;;) {
      this.#poke = Promise.withResolvers();
      if (this.#closed) return;
      const orders = this.#run.open.all() as unknown as Order[];
      if (orders.length === 0) return;
      let idle = true;
      for (const order of orders) {
        try {
          if (await (order.state === 'withdrawing' ? this.#takeSome(order) : this.#returnSome(order))) idle = false;
          this.#problem = '';
        } catch (error) {
          if (!(error instanceof Failure) || error.severity === 'broken') throw error;
          this.#problem = error.message;
          await Promise.race([wait(againMs, undefined, { ref: false }), this.#poke.promise]);
        }
        await breathe();
      }
      // All that is left is in inspection.
      if (idle) await this.#poke.promise;
    }
  }

  /** True while there is more to do at once. */
  async #takeSome(order: Order): Promise<boolean> {
    const due = this.#some(order, 'due', 0, groupObjects);
    if (due.length === 0) {
      // Concluded in the very group in which it was ordered.
      const { changes } = await this.#parts.commits.submit(() => this.#run.overtaken.run(order.number));
      if (Number(changes) > 0) return true;
      await this.#finish(order, 'withdrawn', eventTypes.withdrawalOrdered);
      return true;
    }
    const step = (some: readonly Taken[]) => (group: Group): void => {
      const rows = some.flatMap((each) => take(this.#parts, group, order, each.object_id));
      const inspecting = some.filter(({ object_id: objectId }) => this.#parts.ledger.rowOf(objectId).state === 'waiting');
      if (rows.length > 0) group.record.message(objectsMessage(order, eventTypes.withdrawal, order.person, `Taken out of sight: ${order.reason}`, rows, group.time));
      group.after(() => { for (const each of inspecting) this.#cover.waiting.set(each.object_id, order.number); });
    };
    await this.#inGroups(order, due, step, 'failed');
    return true;
  }

  async #returnSome(order: Order): Promise<boolean> {
    let asked = this.#some(order, 'asked', 0, groupObjects);
    // Those whose file another one holds come after it.
    if (asked.length === 0 && this.#some(order, 'returning', 0, 1).length === 0) asked = this.#some(order, 'asked', 1, groupObjects);
    if (asked.length === 0) {
      if (this.#some(order, 'returning', 0, 1).length + this.#some(order, 'returning', 1, 1).length > 0) return false;
      await this.#finish(order, this.#some(order, 'taken', 0, 1).length > 0 ? 'withdrawn' : 'restored', eventTypes.restoralOrdered);
      return true;
    }
    const room = returningMax - this.#cover.returning.size;
    if (room <= 0) return false;
    const step = (some: readonly Taken[]) => (group: Group): void => {
      const returns = some.map((each) => ({ each, ...bringBack(this.#parts, group, order, each, this.#signatures.epoch) }));
      const rows = returns.flatMap(({ returned }) => returned ?? []);
      if (rows.length > 0) group.record.message(objectsMessage(order, eventTypes.restoral, order.restored_by, `Brought back: ${order.restored_reason}`, rows, group.time));
      const again = returns.filter(({ fate }) => fate === 'returning');
      if (again.length > 0) group.record.message(objectsMessage(order, eventTypes.restoralOrdered, order.restored_by, 'Inspected with current signatures before they are brought back', again.map(({ each }) => this.#parts.ledger.rowOf(each.object_id)), group.time));
      group.after(() => { for (const { each } of again) this.#cover.returning.set(each.object_id, order.number); });
    };
    await this.#inGroups(order, asked.slice(0, Math.max(1, room)), step, 'kept');
    return true;
  }

  /** Carries a step out on some objects. Where one of them is what keeps it from being done, the others are done without it, and it is noted. */
  async #inGroups(order: Order, some: readonly Taken[], step: (some: readonly Taken[]) => (group: Group) => void, failed: WithdrawalFate): Promise<void> {
    try {
      await this.#parts.commits.submit(step(some));
    } catch (error) {
      if (!(error instanceof Failure) || error.severity !== 'refused') throw error;
      if (some.length === 1) {
        await this.#parts.commits.submit(() => void this.#run.fate.run(failed, error.message, order.number, some[0]!.number));
        return;
      }
      for (const each of some) await this.#inGroups(order, [each], step, failed);
    }
  }

  async #finish(order: Order, state: Order['state'], type: typeof eventTypes.restoralOrdered | typeof eventTypes.withdrawalOrdered): Promise<void> {
    await this.#parts.commits.submit((group) => {
      this.#run.finish.run(state, group.time, order.number);
      const fates = Object.entries(this.status(this.#run.byNumber.get(order.number) as unknown as Order).fates).map(([fate, number]) => [fate, String(number)] as const);
      group.record.message(orderMessage(order, type, '', order.state === 'withdrawing' ? 'The withdrawal is carried out' : 'The bringing back is carried out', fates, group.time));
    });
  }

  #some(order: Order, fate: WithdrawalFate, twin: 0 | 1, limit: number): Taken[] {
    return this.#run.some.all(order.number, fate, twin, limit) as unknown as Taken[];
  }

  #objects(order: Order, after: number, limit: number): { objects: WithdrawnObject[]; next: number | null } {
    const page = this.#run.objects.all(order.number, after, limit) as unknown as Taken[];
    return {
      objects: page.flatMap((each): WithdrawnObject[] => {
        const row = this.#parts.ledger.row(each.object_id);
        if (row === null) return [];
        return [{ objectId: row.object_id, number: row.number, fate: each.fate, note: each.note, state: row.state, verdict: row.verdict, patientName: row.patient_name, patientID: row.patient_id, studyDescription: row.study_description }];
      }),
      next: page.length === limit ? page.at(-1)!.number : null,
    };
  }

  #orderOf(untrusted: unknown): Order {
    const id = checkText(untrusted, 'id', 32).toLowerCase();
    const rows = /^[0-9a-f]{6,32}$/.test(id) ? (this.#run.byId.all(id) as unknown as Order[]) : [];
    if (rows.length > 1) throw refused('withdrawal-ambiguous', `several withdrawals begin with ${id}; give more digits`);
    if (rows.length === 0) throw refused('withdrawal-unknown', `There is no withdrawal ${id}. \`./lazaret withdraw --list\` names them.`);
    return rows[0]!;
  }
}

/** Who decides: throws `role-missing`, `reason-missing` or `request-invalid`. */
function checkDecider(value: Readonly<Record<string, unknown>>): Decider {
  if (!Array.isArray(value['roles'])) throw refused('request-invalid', 'roles is not a list');
  const given = value['roles'] as unknown[];
  const roles = allRoles.filter((role) => given.includes(role));
  if (!roles.some((role) => permitted[role].includes('decide'))) throw refused('role-missing', 'withdrawing and bringing back take the role reviewer or security');
  const person = checkText(value['person'], 'person', personMax).trim();
  const reason = checkText(value['reason'], 'reason', reasonMax).trim();
  if (person === '') throw refused('request-invalid', 'a withdrawal has a person');
  if (reason === '') throw refused('reason-missing', 'say why: the reason stays with the withdrawal and in the audit log');
  return { person, roles, reason };
}

function count(untrusted: unknown, most: number): number {
  if (!Number.isSafeInteger(untrusted) || (untrusted as number) < 0) throw refused('request-invalid', 'a limit is a count');
  return Math.min(untrusted as number, most);
}
