/**
 * The keeper's desk of reconciliation: people say whose a study is (contract.ts), which is durable and on the record before they are answered; carrying.ts
 * then carries it out, also after a restart.
 */
import { randomBytes } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import { refused } from '@lazaret/system/failure.ts';
import { prepareAll } from '../../quarantine/database.ts';
import type { Group } from '../../quarantine/commits.ts';
import { checkFields, checkObjectId, checkText } from '../../quarantine/guards.ts';
import type { Parts } from '../../quarantine/parts.ts';
import type { Digest } from '../../reception/contract.ts';
import { Carrying, type Damage } from './carrying.ts';
import type { Choice, IncomingStudy, LocalPatient, Reconciliation as Reconciled, StudyIdentity } from './contract.ts';
import { checkChoice, checkChoices, checkUID } from './guards.ts';
import { Incoming, reconciliationOf } from './incoming.ts';
import { Patients, patientsMax } from './patients.ts';
import { chosenMessage } from './record.ts';
import type { ChoiceRow, Sight } from './sight.ts';

const personMax = 128;
const addressMax = 200;
const reasonMax = 2_000;
/** A desk asks for what is incoming every second or so: the answer is made anew at most so much of the time. */
const freshShare = 20;

/** What the record of imports knows (pacs/imports). */
export interface ImportRecord {
  /** What people call its medium; null where there is no such import. */
  sourceOf(id: string): string | null;
  /** Archived files that it holds and that were there already. */
  duplicatesOf(id: string): readonly Digest[];
}

const texts = {
  add: `INSERT INTO reconciliations (id, studyInstanceUID, import, replacement, received, source, person, address, reason, at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'taking')`,
  byId: 'SELECT * FROM reconciliations WHERE id = ?',
  openFor: `SELECT * FROM reconciliations WHERE studyInstanceUID = ?1 AND (?2 = '' OR import = ?2) AND state IN ('taking', 'impossible')`,
  takenFor: `SELECT 1 FROM reconciliations WHERE studyInstanceUID = ? AND import = ? AND state = 'taken'`,
  end: `UPDATE reconciliations SET state = 'ended' WHERE number = ?`,
  adopt: 'UPDATE withdrawnInstances SET waitsFor = ? WHERE digest = ?',
  sourceOfStudy: `SELECT peer, calling_ae_title FROM studies JOIN series USING (studyKey) JOIN instances USING (seriesKey) JOIN ledger ON object_id = objectId JOIN ledger_source USING (source) WHERE studyInstanceUID = ? LIMIT 1`,
} as const;

export class Reconciliation {
  readonly #parts: Parts;
  readonly #sight: Sight;
  readonly #imports: ImportRecord;
  readonly #incoming: Incoming;
  readonly #patients: Patients;
  readonly #carrying: Carrying;
  readonly #run: Readonly<Record<keyof typeof texts, StatementSync>>;
  readonly #answers = new Map<string, { readonly studies: readonly IncomingStudy[]; readonly until: number }>();

  constructor(parts: Parts, sight: Sight, imports: ImportRecord, damage: Damage) {
    this.#parts = parts;
    this.#sight = sight;
    this.#imports = imports;
    this.#incoming = new Incoming(parts.database);
    this.#patients = new Patients(parts.database);
    this.#carrying = new Carrying(parts, sight, damage, () => this.#answers.clear());
    this.#run = prepareAll(parts.database, texts);
  }

  /** Goes on with what was chosen before a restart. */
  start(): void {
    this.#carrying.start();
  }
  /** An instance waits whose study was chosen for already. */
  followUp(studyInstanceUID: string): void {
    this.#carrying.followUp(studyInstanceUID);
  }
  close(): Promise<void> {
    return this.#carrying.close();
  }

  handle(untrusted: unknown): Promise<unknown> | unknown {
    const body = checkFields(untrusted);
    switch (body['do']) {
      case 'patients': return this.#find(body);
      case 'incoming': return this.incoming(checkObjectId(body['import']));
      case 'take': return this.#take(body);
      case 'change': return this.#change(body);
      case 'study': return this.#study(checkUID(body['studyInstanceUID'], 'studyInstanceUID'));
      case 'history': return this.#incoming.history(checkUID(body['studyInstanceUID'], 'studyInstanceUID'));
    }
    throw refused('request-invalid', 'there is no such request about reconciliation');
  }

  /** Throws `import-unknown`. */
  incoming(importId: string): readonly IncomingStudy[] {
    const known = this.#answers.get(importId);
    if (known !== undefined && performance.now() < known.until) return known.studies;
    if (this.#imports.sourceOf(importId) === null) throw refused('import-unknown', `there is no import ${importId}`);
    const start = performance.now();
    const studies = this.#incoming.studies(importId, this.#imports.duplicatesOf(importId));
    const now = performance.now();
    if (this.#answers.size > 64) this.#answers.clear();
    this.#answers.set(importId, { studies, until: now + (now - start) * freshShare });
    return studies;
  }

  #study(studyInstanceUID: string): StudyIdentity {
    const received = this.#incoming.received(studyInstanceUID);
    if (received === null) throw refused('study-unknown', `there is no study ${studyInstanceUID} in the archive`);
    return { studyInstanceUID, received, history: this.#incoming.history(studyInstanceUID) };
  }

  #find(body: Readonly<Record<string, unknown>>): LocalPatient[] {
    const { limit } = body;
    if (!Number.isSafeInteger(limit) || (limit as number) < 1) throw refused('request-invalid', 'limit is not a count');
    return this.#patients.find(checkText(body['text'], 'text', 256), Math.min(limit as number, patientsMax));
  }

  async #take(body: Readonly<Record<string, unknown>>): Promise<readonly IncomingStudy[]> {
    const importId = checkObjectId(body['import']);
    const choices = checkChoices(body['choices']);
    const who = whoOf(body);
    const source = this.#imports.sourceOf(importId);
    if (source === null) throw refused('import-unknown', `there is no import ${importId}`);
    await this.#parts.commits.submit((group) => {
      const duplicates = this.#imports.duplicatesOf(importId);
      const waiting = Map.groupBy(this.#incoming.waiting(importId, duplicates), ({ studyInstanceUID }) => studyInstanceUID);
      for (const choice of choices) {
        const rows = waiting.get(choice.studyInstanceUID);
        if (rows === undefined || this.#run.takenFor.get(choice.studyInstanceUID, importId) !== undefined) {
          throw refused('study-not-waiting', `of study ${choice.studyInstanceUID} nothing waits in this import: whose it is was said already, or it is not of this import. Somebody who may decide can change it`);
        }
        for (const { digest } of rows) this.#run.adopt.run(importId, digest);
        this.#choose(group, importId, choice, source, who);
      }
    });
    this.#answers.clear();
    this.#carrying.wake();
    return this.incoming(importId);
  }

  async #change(body: Readonly<Record<string, unknown>>): Promise<Reconciled> {
    const choice = checkChoice({ studyInstanceUID: body['studyInstanceUID'], replacement: checkFields(body['choice'])['replacement'] });
    const who = whoOf(body);
    if (who.reason === '') throw refused('reason-missing', 'say why: the reason stays with the study and in the audit log');
    const id = await this.#parts.commits.submit((group) => {
      const from = this.#run.sourceOfStudy.get(choice.studyInstanceUID) as { peer: string; calling_ae_title: string } | undefined;
      return this.#choose(group, '', choice, from?.peer || from?.calling_ae_title || '', who);
    });
    this.#answers.clear();
    this.#carrying.wake();
    return reconciliationOf(this.#run.byId.get(id) as unknown as ChoiceRow);
  }

  /** Inside a transaction. Answers the choice's id. */
  #choose(group: Group, importId: string, { studyInstanceUID, replacement }: Choice, source: string, who: Who): string {
    const received = this.#incoming.received(studyInstanceUID);
    if (received === null) throw refused('study-unknown', `there is no study ${studyInstanceUID} in the archive`);
    for (const open of this.#run.openFor.all(studyInstanceUID, importId) as unknown as ChoiceRow[]) {
      this.#run.end.run(open.number);
      this.#sight.forget(open.number);
    }
    const id = randomBytes(16).toString('hex');
    this.#run.add.run(id, studyInstanceUID, importId, replacement === null ? null : JSON.stringify(replacement), JSON.stringify(received), source, who.person, who.address, who.reason, group.time);
    group.record.message(chosenMessage(this.#run.byId.get(id) as unknown as ChoiceRow, importId === '', group.time));
    return id;
  }
}

interface Who {
  readonly person: string;
  readonly address: string;
  readonly reason: string;
}

function whoOf(body: Readonly<Record<string, unknown>>): Who {
  const person = checkText(body['person'], 'person', personMax).trim();
  if (person === '') throw refused('request-invalid', 'a choice has a person');
  return { person, address: checkText(body['address'] ?? '', 'address', addressMax), reason: checkText(body['reason'] ?? '', 'reason', reasonMax).trim() };
}
