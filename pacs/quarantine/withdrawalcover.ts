/** Which withdrawals stand, and what they are about: asked of each object that is concluded, so it lives in memory. */
import { eventTypes } from '@lazaret/audit/codes.ts';
import type { Group } from './commits.ts';
import type { Cover } from './conclusion.ts';
import type { Conclusion } from './contract.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import type { Selection } from './withdrawalcontract.ts';
import { objectsMessage } from './withdrawalrecord.ts';
import { withdrawalStatements, type Order, type Taken } from './withdrawalschema.ts';

export class StandingCover implements Cover {
  readonly #parts: Parts;
  readonly #run;
  readonly #wake: () => void;
  /** Orders that stand, by what they are about; read on each conclusion. */
  #imports = new Map<string, number>();
  #studies = new Map<string, Order>();
  /** `source` null: from whomever. */
  #windows: { readonly order: number; readonly source: string | null; readonly since: number; readonly until: number }[] = [];
  /** Objects in inspection that an order waits for, to hold them or to bring them back. */
  readonly waiting = new Map<string, number>();
  readonly returning = new Map<string, number>();

  /** `wake` is called when an object that an order waits for was concluded. */
  constructor(parts: Parts, wake: () => void) {
    this.#parts = parts;
    this.#wake = wake;
    this.#run = withdrawalStatements(parts.database);
    this.read();
    for (const { withdrawal, object_id: objectId, fate } of this.#run.waiting.all() as unknown as Taken[]) (fate === 'waiting' ? this.waiting : this.returning).set(objectId, withdrawal);
  }

  /** What stands is read again whenever that changes: there are few orders, and many conclusions. */
  read(): void {
    this.#imports = new Map();
    this.#studies = new Map();
    this.#windows = [];
    for (const order of this.#run.standing.all() as unknown as Order[]) {
      const selection = JSON.parse(order.selection) as Selection;
      if (selection.kind === 'import') this.#imports.set(selection.import, order.number);
      else if (selection.kind === 'study') this.#studies.set(selection.study, order);
      else if (selection.kind === 'source' || selection.kind === 'time') this.#windows.push({ source: null, ...selection, order: order.number });
    }
  }

  orderFor(row: LedgerRow, conclusion: Conclusion): number | null {
    const { instance, disarmed } = conclusion;
    const returning = this.returning.get(row.object_id);
    const study = instance === null ? undefined : this.#studies.get(instance.studyInstanceUID);
    const found = this.waiting.get(row.object_id)
      ?? (row.door === 'media' ? this.#imports.get(row.batch) : undefined)
      ?? (study !== undefined && row.number <= study.top ? study.number : undefined)
      ?? this.#windows.find(({ source, since, until }) => row.received_at >= since && row.received_at < until && (source === null || source === row.peer || source === row.calling_ae_title || source === row.address))?.order
      // The same image in another envelope, disarmed into the very file that was taken away.
      ?? (disarmed === null ? undefined : (this.#run.byDigest.get(disarmed.sha256) as { withdrawal: number } | undefined)?.withdrawal);
    return found === undefined || found === returning ? null : found;
  }

  concluded(group: Group, row: LedgerRow, state: 'archived' | 'held', order: number | null): void {
    if (order === null && !this.waiting.has(row.object_id) && !this.returning.has(row.object_id)) return;
    for (const each of this.#run.under.all(row.object_id) as unknown as Taken[]) {
      if (each.fate === 'returning') this.#run.fate.run(state === 'archived' ? 'restored' : 'kept', state === 'archived' ? 'inspected with current signatures' : 'inspected with current signatures, and not clean', each.withdrawal, each.number);
      else if (order === null) this.#run.fate.run('passed', state === 'held' ? 'held by its own verdict' : '', each.withdrawal, each.number);
    }
    if (order !== null) this.#hold(group, row, order);
    group.after(() => {
      this.waiting.delete(row.object_id);
      this.returning.delete(row.object_id);
      this.#wake();
    });
  }

  #hold(group: Group, row: LedgerRow, number: number): void {
    const order = this.#run.byNumber.get(number) as unknown as Order;
    this.#run.put.run(number, row.number, row.object_id, 'taken', 'never', null, null, 0, 'was in inspection');
    this.#parts.ledger.decide(row.object_id, 'withdraw', order.person, '', order.reason, group.time);
    group.record.message(objectsMessage(order, eventTypes.withdrawal, order.person, `Found clean, and held instead of archived: ${order.reason}`, [row], group.time));
  }
}
