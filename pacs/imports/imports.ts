/**
 * Imports of media as the keeper remembers them: begun, file by file, settled, with a receipt that stays (contract.ts says who asks what).
 * An import is settled when everything was read and every object has a verdict.
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Call } from '@lazaret/system/channel.ts';
import { refused } from '@lazaret/system/failure.ts';
import { prepareAll } from '../quarantine/database.ts';
import { checkFields, checkObjectId } from '../quarantine/guards.ts';
import type { Parts } from '../quarantine/parts.ts';
import type { Asked, Begun, CompanionAnswer, Fate, ImportState, ImportStatus, Medium, Receipt } from '../reception/media/contract.ts';
import { Companions } from './companions.ts';
import { checkDirectories, checkFiles, checkId, checkMedium, checkNotes, count, digest, plain } from './guards.ts';
import type { Digest } from '../reception/contract.ts';
import { begunMessage, infectedMessage, nameOfMedium, settledMessage } from './record.ts';
import { Receipts } from './receipt.ts';
import { entriesMax } from '../reception/media/volume.ts';

/** How often unsettled imports are looked at; for a large one less often, so that looking costs at most a twentieth of the time. */
const settleMs = 500;
/** An import whose objects took so long to count is not counted again at once: pages ask for all of them every second or two, and everybody else waits meanwhile. */
const countedMs = 5;
const recentMax = 500;
const listMax = 200;
/** contract.ts: `next` waits so long. */
const pollMs = 20_000;
/** Companions of all imports in the scan or before it: each is a file of ours on the disk. */
const companionsMax = 256;

interface Row {
  readonly number: number;
  readonly id: string;
  readonly state: ImportState;
  readonly medium: string;
  readonly listing: string;
  readonly files: number;
  readonly bytes: number;
  readonly person: string;
  readonly address: string;
  readonly upload: string;
  readonly label: string;
  readonly begun_at: number;
  readonly ended_at: number | null;
  readonly problem: string;
  readonly notes: string;
  readonly directories: string;
  readonly receipt: string | null;
  /** Its clean objects wait for a choice. */
  readonly waits: 0 | 1;
}

const texts = {
  byId: 'SELECT * FROM import WHERE id = ?',
  byListing: `SELECT * FROM import WHERE listing = ? AND upload = '' ORDER BY number DESC LIMIT 1`,
  open: `SELECT * FROM import WHERE state NOT IN ('settled', 'failed')`,
  newest: 'SELECT * FROM import ORDER BY number DESC LIMIT ?',
  asked: `SELECT * FROM import WHERE state = 'asked' ORDER BY number LIMIT 1`,
  add: 'INSERT INTO import (id, state, medium, listing, files, bytes, person, address, upload, label, begun_at, waits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  begin: `UPDATE import SET state = 'reading', medium = ?, listing = ?, files = ?, bytes = ?, waits = max(waits, ?), ended_at = NULL, problem = '' WHERE number = ?`,
  state: 'UPDATE import SET state = ?, ended_at = ?, problem = ? WHERE number = ?',
  notes: 'UPDATE import SET notes = ?, directories = ? WHERE number = ?',
  settle: `UPDATE import SET state = 'settled', receipt = ? WHERE number = ?`,
  file: 'INSERT OR REPLACE INTO import_file (number, file, path, bytes, sha256, fate, object_id, what, text, stops) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  // A directory is read again: what it says is compared at the end. What could not be read or taken gets another try.
  done: `SELECT file FROM import_file WHERE number = ? AND fate NOT IN ('directory', 'unreadable', 'unreached', 'refused', 'unscanned')`,
  stops: 'SELECT file, stops FROM import_file WHERE number = ? AND stops > 0',
  fates: 'SELECT fate, count(*) AS count, sum(bytes) AS bytes FROM import_file WHERE number = ? GROUP BY fate',
  states: `SELECT state, verdict, count(*) AS count FROM (SELECT DISTINCT object_id FROM import_file WHERE number = ? AND object_id <> '') CROSS JOIN ledger USING (object_id) GROUP BY state, verdict`,
  // By object, so that it is also known of what was released or repaired later.
  waitsFor: `SELECT import.id FROM ledger JOIN ledger_source USING (source) JOIN import ON id = batch WHERE object_id = ? AND door = 'media' AND waits = 1`,
  unreconciled: `SELECT count(*) AS count FROM withdrawnInstances WHERE reason = 'unreconciled' AND waitsFor = ?`,
  duplicates: `SELECT DISTINCT archived_sha256 AS digest FROM import_file CROSS JOIN ledger USING (object_id) WHERE import_file.number = ? AND fate = 'duplicate' AND state = 'archived'`,
  elsewhere: `SELECT count(*) AS count FROM (SELECT DISTINCT archived_sha256 AS digest FROM import_file CROSS JOIN ledger USING (object_id) WHERE import_file.number = ?1 AND fate = 'duplicate' AND state = 'archived')
    CROSS JOIN withdrawnInstances USING (digest) WHERE reason = 'unreconciled' AND waitsFor <> ?2`,
} as const;

export class Imports {
  readonly #parts: Parts;
  readonly #companions: Companions;
  readonly #receipts: Receipts;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;
  readonly #polls = new Set<() => void>();
  readonly #recent = new Map<number, { readonly status: ImportStatus; readonly until: number }>();
  #scanning = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const database: DatabaseSync = parts.database;
    this.#run = prepareAll(database, texts);
    this.#companions = new Companions(parts);
    this.#receipts = new Receipts(database);
  }

  /** After a start of the keeper nobody reads any more: those who did begin anew. */
  async recover(): Promise<void> {
    const reading = this.#open().filter((row) => row.state === 'reading');
    if (reading.length > 0) {
      await this.#parts.commits.submit((group) => {
        for (const row of reading) this.#run.state.run(row.upload === '' ? 'interrupted' : 'asked', group.time, 'Lazaret was stopped while the medium was read.', row.number);
      });
    }
    this.#watch(0);
  }

  /** `import` as each socket may use it (contract.ts). */
  handle(untrusted: unknown, by: 'web' | 'reader', call: Call): Promise<unknown> | unknown {
    const body = checkFields(untrusted);
    switch (body['do']) {
      case 'status': return this.#recently(this.#rowOf(body['id']));
      case 'receipt': return this.receipt(this.#rowOf(body['id']));
      case 'list': {
        // A desk that is open asks so every few seconds.
        if (by === 'web') this.#parts.queue.prepare();
        return (this.#run.newest.all(Math.min(count(body['limit'], 'limit'), listMax)) as unknown as Row[]).map((row) => this.#recently(row));
      }
      case 'ask': return this.#ask(body);
    }
    if (by === 'reader') {
      switch (body['do']) {
        case 'begin': return this.#begin(body, call);
        case 'files': return this.#files(body);
        case 'end': return this.#end(body);
        case 'next': return this.#next(call);
      }
    }
    throw refused('request-invalid', 'there is no such request about imports');
  }

  /** A companion of an import that is being read. An infected one is an alert before anybody is answered. */
  async companion(untrusted: unknown): Promise<CompanionAnswer> {
    const body = checkFields(untrusted);
    const row = this.#rowOf(body['id']);
    if (row.state !== 'reading') throw refused('import-not-reading', 'this medium is not being read');
    if (this.#scanning >= companionsMax) throw refused('import-busy', 'too many files of media are being scanned at once');
    const file = { objectId: checkObjectId(body['objectId']), bytes: count(body['bytes'], 'bytes'), sha256: digest(body['sha256']), path: plain(body['path'], 'path', 1_000) };
    this.#scanning += 1;
    try {
      const answer = await this.#companions.scan(file);
      if (answer.verdict === 'infected') {
        const medium = JSON.parse(row.medium) as Medium;
        await this.#parts.commits.submit((group) => group.record.message(infectedMessage(row.id, medium, row.person, row.address, file, answer.text, group.time)));
      }
      return answer;
    } finally {
      this.#scanning -= 1;
    }
  }

  /** As it was a moment ago, where counting is long: so that it costs at most a twentieth of the time. A state is never an old one. */
  #recently(row: Row): ImportStatus {
    const start = performance.now();
    const known = this.#recent.get(row.number);
    if (known !== undefined && known.status.state === row.state && start < known.until) return known.status;
    const status = this.status(row);
    const now = performance.now();
    if (now - start < countedMs) this.#recent.delete(row.number);
    else {
      if (this.#recent.size >= recentMax) this.#recent.clear();
      this.#recent.set(row.number, { status, until: now + 20 * (now - start) });
    }
    return status;
  }

  status(row: Row): ImportStatus {
    const fates: Partial<Record<Fate, number>> = {};
    let done = 0;
    let doneBytes = 0;
    for (const each of this.#run.fates.all(row.number) as { fate: Fate; count: number; bytes: number }[]) {
      fates[each.fate] = each.count;
      if (each.fate === 'unreached') continue;
      done += each.count;
      doneBytes += each.bytes;
    }
    // Reading that was broken off has seen no name of the rest.
    if (row.state !== 'asked' && row.state !== 'reading' && row.files > done) fates.unreached = row.files - done;
    const objects = { waiting: 0, archived: 0, held: 0, malicious: 0 };
    for (const { state, verdict, count: number } of this.#run.states.all(row.number) as { state: string; verdict: string | null; count: number }[]) {
      if (state === 'waiting') objects.waiting += number;
      else if (state === 'archived') objects.archived += number;
      else {
        objects.held += number;
        if (verdict === 'malicious') objects.malicious += number;
      }
    }
    return {
      id: row.id, state: row.state, medium: mediumOf(row), person: row.person, begunAt: row.begun_at, endedAt: row.ended_at, files: row.files, bytes: row.bytes, done, doneBytes, fates, ...objects,
      unreconciled: this.#unreconciled(row, fates), problem: row.problem,
    };
  }

  receipt(row: Row): Receipt {
    if (row.receipt !== null) {
      // Receipts of earlier versions know of no unreached files.
      const kept: Receipt = { unreached: [], ...JSON.parse(row.receipt) as Omit<Receipt, 'unreached'> };
      // Whose it is may be said days later.
      return row.waits === 0 ? { ...kept, unreconciled: 0 } : { ...kept, unreconciled: this.#unreconciled(row, kept.fates), ...this.#receipts.studies(row.number, row.id) };
    }
    return this.#receipts.draw(row.number, this.status(row), row, Date.now());
  }

  /** The import whose choice an object waits for, or "". */
  waitsFor(objectId: string): string {
    return (this.#run.waitsFor.get(objectId) as { id: string } | undefined)?.id ?? '';
  }

  /** What people call the medium of an import; null where there is no such import. */
  sourceOf(id: string): string | null {
    const row = this.#run.byId.get(id) as Row | undefined;
    return row === undefined ? null : nameOfMedium(mediumOf(row));
  }

  /** Archived files that an import holds and that were there already. */
  duplicatesOf(id: string): readonly Digest[] {
    return (this.#run.duplicates.all(this.#rowOf(id).number) as { digest: Digest }[]).map(({ digest: one }) => one);
  }

  #unreconciled(row: Row, fates: ImportStatus['fates']): number {
    if (row.waits === 0) return 0;
    const own = (this.#run.unreconciled.get(row.id) as { count: number }).count;
    return (fates.duplicate ?? 0) === 0 ? own : own + (this.#run.elsewhere.get(row.number, row.id) as { count: number }).count;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const wake of this.#polls) wake();
  }

  async #begin(body: Readonly<Record<string, unknown>>, { signal }: Call): Promise<Begun> {
    const medium = checkMedium(body['medium']);
    const listing = digest(body['listing']);
    const files = count(body['files'], 'files', entriesMax);
    const bytes = count(body['bytes'], 'bytes');
    const person = plain(body['person'], 'person', 200);
    const address = plain(body['address'], 'address', 200);
    const upload = body['upload'] === '' ? '' : checkId(body['upload']);
    const waits = upload !== '' || body['waits'] === true ? 1 : 0;
    const begun = await this.#parts.commits.submit((group) => {
      const known = upload === '' ? (this.#run.byListing.get(listing) as Row | undefined) : this.#open().find((row) => row.upload === upload);
      // An upload that stopped coming for a while is asked for again: the same listing goes on where it was.
      const resumed = upload === '' ? known?.state === 'interrupted' : known?.state === 'asked' && known.listing === listing;
      const id = known !== undefined && (resumed || known.state === 'asked') ? known.id : newId();
      if (known?.id !== id) this.#run.add.run(id, 'reading', '', listing, files, bytes, person, address, upload, medium.label, group.time, waits);
      const row = this.#rowOf(id);
      this.#run.begin.run(JSON.stringify(medium), listing, files, bytes, waits, row.number);
      group.record.message(begunMessage(id, medium, row.person, row.address, files, resumed, group.time));
      return { id, number: row.number, resumed };
    });
    const done = begun.resumed ? (this.#run.done.all(begun.number) as { file: number }[]).map(({ file }) => file) : [];
    const stops = begun.resumed ? (this.#run.stops.all(begun.number) as { file: number; stops: number }[]).map(({ file, stops: times }) => [file, times] as const) : [];
    // Who reads it may be killed: then the connection is all that tells.
    signal.addEventListener('abort', () => void this.#abandon(begun.id).catch(() => {}), { once: true });
    return { id: begun.id, done, stops, resumed: begun.resumed };
  }

  async #abandon(id: string): Promise<void> {
    if (this.#closed || this.#rowOf(id).state !== 'reading') return;
    await this.#parts.commits.submit((group) => {
      const row = this.#rowOf(id);
      // An upload is still there, and the importer that is started again reads it anew: what came in before is known then.
      if (row.state === 'reading') this.#run.state.run(row.upload === '' ? 'interrupted' : 'asked', group.time, 'Reading was broken off.', row.number);
    }).catch(() => {});
  }

  async #files(body: Readonly<Record<string, unknown>>): Promise<null> {
    const files = checkFiles(body['files']);
    await this.#parts.commits.submit(() => {
      const row = this.#rowOf(body['id']);
      if (row.state !== 'reading') throw refused('import-not-reading', 'this medium is not being read');
      for (const file of files) {
        if (file.index >= row.files) throw refused('request-invalid', 'a file that the medium did not list');
        this.#run.file.run(row.number, file.index, file.path, file.bytes, file.sha256, file.fate, file.objectId, file.what, file.text, file.stops ?? 0);
      }
    });
    return null;
  }

  async #end(body: Readonly<Record<string, unknown>>): Promise<ImportStatus> {
    const outcome = body['outcome'];
    if (outcome !== 'read' && outcome !== 'interrupted' && outcome !== 'failed') throw refused('request-invalid', 'there is no such end');
    const notes = JSON.stringify(checkNotes(body['notes']));
    const directories = JSON.stringify(checkDirectories(body['directories']));
    const problem = plain(body['problem'], 'problem', 2_000);
    await this.#parts.commits.submit((group) => {
      const row = this.#rowOf(body['id']);
      if (row.state !== 'reading' && row.state !== 'asked') throw refused('import-not-reading', 'this medium is not being read');
      this.#run.state.run(outcome === 'read' ? 'inspecting' : outcome, group.time, problem, row.number);
      this.#run.notes.run(notes, directories, row.number);
    });
    await this.#settleAll();
    return this.status(this.#rowOf(body['id']));
  }

  async #ask(body: Readonly<Record<string, unknown>>): Promise<{ id: string }> {
    const upload = checkId(body['upload']);
    const [label, person, address] = (['label', 'person', 'address'] as const).map((name) => plain(body[name], name, 200));
    const id = await this.#parts.commits.submit((group) => {
      const known = this.#open().find((row) => row.upload === upload);
      if (known?.state === 'interrupted') this.#run.state.run('asked', null, '', known.number);
      if (known !== undefined) return known.id;
      const made = newId();
      this.#run.add.run(made, 'asked', '', '', 0, 0, person!, address!, upload, label!, group.time, 1);
      return made;
    });
    for (const wake of this.#polls) wake();
    return { id };
  }

  async #next({ signal }: Call): Promise<Asked | null> {
    const find = (): Asked | null => {
      const row = this.#run.asked.get() as Row | undefined;
      return row === undefined ? null : { id: row.id, upload: row.upload, label: row.label, person: row.person, address: row.address };
    };
    const now = find();
    if (now !== null) return now;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#polls.delete(end);
        resolve();
      };
      const timer = setTimeout(end, pollMs);
      this.#polls.add(end);
      signal.addEventListener('abort', end, { once: true });
    });
    return this.#closed ? null : find();
  }

  #watch(afterMs: number): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#settleAll().catch(() => this.#watch(settleMs));
    }, afterMs);
    this.#timer.unref();
  }

  /** Settles what has all its verdicts; comes again while something has not. */
  async #settleAll(): Promise<void> {
    const start = performance.now();
    let open = 0;
    for (const row of this.#open()) {
      if (row.state !== 'inspecting') continue;
      if (this.status(row).waiting > 0) {
        open += 1;
        continue;
      }
      await this.#parts.commits.submit((group) => {
        const now = this.#rowOf(row.id);
        if (now.state !== 'inspecting') return;
        const receipt = this.#receipts.draw(now.number, { ...this.status(now), state: 'settled' }, now, group.time);
        this.#run.settle.run(JSON.stringify(receipt), now.number);
        group.record.message(settledMessage(receipt, now.address, group.time));
      });
    }
    if (open > 0) this.#watch(Math.max(settleMs, (performance.now() - start) * 20));
  }

  #open(): Row[] {
    return this.#run.open.all() as unknown as Row[];
  }

  #rowOf(id: unknown): Row {
    const row = this.#run.byId.get(checkId(id)) as Row | undefined;
    if (row === undefined) throw refused('import-unknown', `there is no import ${String(id)}`);
    return row;
  }
}

function newId(): string {
  return randomBytes(16).toString('hex');
}

function mediumOf(row: Row): Medium {
  return row.medium === '' ? { kind: 'folder', label: row.label, identifier: '', bytes: 0 } : (JSON.parse(row.medium) as Medium);
}
