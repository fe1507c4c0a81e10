/** The keeper's part in backup, verification and repair: what changes the ledger, and what is put on the record. Decodes nothing. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import { keyPath } from '@lazaret/audit/files.ts';
import type { AuditMessage, Outcome } from '@lazaret/audit/message.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { Group } from '../../quarantine/commits.ts';
import { finding, withdrawnPath } from '../../quarantine/conclusion.ts';
import type { Finding } from '../../quarantine/contract.ts';
import { checkFields, checkObjectId, checkText } from '../../quarantine/guards.ts';
import { personOf as personOfRow } from '../../quarantine/late.ts';
import { workOf, type LedgerRow } from '../../quarantine/ledger.ts';
import type { Parts } from '../../quarantine/parts.ts';
import { personOf } from '../../quarantine/people.ts';
import { keeper, objectRecord } from '../../quarantine/record.ts';
import { transition } from '../../quarantine/states.ts';
import type { Upkeep } from '../../quarantine/upkeep.ts';
import type { Area, DamageOutcome, RepairOutcome, Safekept, Snapshot } from './contract.ts';
import { digestOf } from './digesting.ts';
import { expectedOf, pathOf } from './expected.ts';
import { sealedText } from './manifest.ts';
import { archivedBy, wantedBy } from './repairs.ts';

export const migrations = [{
  name: 'safekeeping-0001',
  sql: `
-- What happened last of each kind: backup, verification, sweep, drill.
CREATE TABLE safekept (
  what TEXT PRIMARY KEY NOT NULL,
  at INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  findings INTEGER NOT NULL,
  manifest TEXT NOT NULL,
  ms INTEGER NOT NULL
) STRICT;
`,
}] as const;

const snapshotName = 'snapshot.sqlite';
/** Named in one message of the record. */
const prunedMax = 1_000;
/** Pages copied in one go of the thread pool: a MiB, so that a sync of the log seldom waits for it. */
const snapshotPages = 256;
/** The doors refuse new objects before the disk is full; a copy of the database must not bring that about. */
const spareBytes = 1024 * 1024 * 1024;
const textMax = 1_000;

export class Safekeeping {
  readonly #parts: Parts;
  readonly #upkeep: Pick<Upkeep, 'damage'>;
  readonly #last: StatementSync;
  readonly #keep: StatementSync;
  readonly #inspectAgain: StatementSync;
  /** The backup that is being made: it ends with the connection of who makes it. */
  #backup: AbortSignal | null = null;

  constructor(parts: Parts, upkeep: Pick<Upkeep, 'damage'>) {
    this.#parts = parts;
    this.#upkeep = upkeep;
    this.#last = parts.database.prepare('SELECT what, at, objects, bytes, findings, manifest, ms FROM safekept');
    this.#keep = parts.database.prepare('INSERT OR REPLACE INTO safekept (what, at, objects, bytes, findings, manifest, ms) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#inspectAgain = parts.database.prepare(`UPDATE ledger SET state = 'waiting', verdict = NULL, disarmed = '', findings = '[]', epoch = '', concluded_at = NULL, archived_sha256 = NULL, archived_bytes = NULL,
      damaged = 0, audit_entry = ? WHERE object_id = ?`);
    // Of a run that ended in the middle.
    for (const name of readdirSync(dirname(parts.layout.database))) if (name.startsWith(snapshotName)) rmSync(join(dirname(parts.layout.database), name), { force: true });
  }

  last(): Safekept[] {
    return this.#last.all() as unknown as Safekept[];
  }

  /** The request `safekeeping` (contract.ts). */
  async handle(untrusted: unknown, signal: AbortSignal): Promise<unknown> {
    const value = checkFields(untrusted);
    switch (value['do']) {
      case 'snapshot': return this.#snapshot(signal);
      case 'seal': return this.#seal(value, signal);
      case 'damaged': {
        const { area, name } = value;
        if ((area !== 'archive' && area !== 'quarantine') || typeof name !== 'string' || !/^[0-9a-f]{32}(?:[0-9a-f]{32}|\.withdrawn)?$/.test(name)) throw refused('request-invalid', 'this names no file of an object');
        return { outcome: await this.damaged(area, name) };
      }
      case 'note': {
        const { what } = value;
        if (what !== 'verification' && what !== 'drill') throw refused('request-invalid', 'what is verification or drill');
        const counted = countsOf(value);
        const { person, folder } = whoOf(value);
        await this.note({ what, ...counted }, person, folder);
        return null;
      }
      case 'pruning': {
        await this.#pruning(value);
        return null;
      }
      case 'drilled': return { manifest: this.last().find(({ what, findings }) => what === 'drill' && findings === 0)?.manifest ?? '' };
      case 'repair': return { outcome: await this.#repair(value) };
      default: throw refused('request-invalid', 'safekeeping knows snapshot, seal, damaged, note, pruning, drilled and repair');
    }
  }

  /**
   * Ledger, index and record at one moment. Between two turns of the event loop the database and the log tell of the same: so the log is counted, its
   * root signed and a reading transaction begun in one turn; the copy of what that transaction sees follows in the thread pool.
   */
  async #snapshot(signal: AbortSignal): Promise<Snapshot> {
    const { layout, log } = this.#parts;
    if (this.#backup !== null && this.#backup !== signal && !this.#backup.aborted) throw unavailable('backup-running', 'Another backup of this system is being made. Wait for it, or end it.');
    const path = join(dirname(layout.database), snapshotName);
    if (this.#backup !== signal) signal.addEventListener('abort', () => this.#drop(signal, path), { once: true });
    this.#backup = signal;
    for (const old of [path, `${path}-journal`]) rmSync(old, { force: true });
    const disk = statfsSync(layout.data);
    const needed = statSync(layout.database).size + spareBytes;
    if (disk.bavail * disk.bsize < needed) throw unavailable('disk-full', `A backup needs room for a copy of the database: ${(needed / 1e9).toFixed(1)} GB, and only ${((disk.bavail * disk.bsize) / 1e9).toFixed(1)} GB are free.`);
    const reader = new DatabaseSync(layout.database, { readOnly: true });
    try {
      log.checkpoint();
      const [entries, root] = [log.size, log.root().toString('hex')];
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM migration').get();
      await backup(reader, path, { rate: snapshotPages });
      chmodSync(path, 0o600);
      if (signal.aborted) throw unavailable('channel-closed', 'who asked for the snapshot is gone');
      return { name: snapshotName, bytes: statSync(path).size, entries, root, publicKey: createPublicKey(this.#key()).export({ type: 'spki', format: 'der' }).toString('base64') };
    } finally {
      reader.close();
    }
  }

  #drop(signal: AbortSignal, path: string): void {
    if (this.#backup !== signal) return;
    this.#backup = null;
    rmSync(path, { force: true });
  }

  #key(): ReturnType<typeof createPrivateKey> {
    return createPrivateKey(readFileSync(keyPath(this.#parts.layout.audit)));
  }

  async #seal(value: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<{ readonly signature: string }> {
    if (this.#backup !== signal) throw refused('backup-unknown', 'no backup was begun through this connection');
    const counted = countsOf(value);
    const { person, folder } = whoOf(value);
    if (!/^[0-9a-f]{64}$/.test(counted.manifest)) throw refused('request-invalid', 'manifest is not a SHA-256');
    await this.note({ what: 'backup', ...counted }, person, folder);
    this.#drop(signal, join(dirname(this.#parts.layout.database), snapshotName));
    return { signature: sign(null, sealedText(counted.manifest), this.#key()).toString('base64') };
  }

  /** Puts on the record, and into `last`, that something was done. */
  async note(done: Omit<Safekept, 'at'>, person: string, folder: string): Promise<void> {
    await this.#parts.commits.submit((group) => {
      this.#keep.run(done.what, group.time, done.objects, done.bytes, done.findings, done.manifest, done.ms);
      group.record.message(noteMessage(group.time, done, person, folder));
    });
  }

  /** A file is said to be damaged. Looked at again here, since it may take an image out of sight. */
  async damaged(area: Area, name: string): Promise<DamageOutcome> {
    const { ledger, layout, commits } = this.#parts;
    if (area === 'archive') {
      const rows = ledger.archivedUnder(name);
      if (rows.length === 0) return 'whole';
      try {
        await this.#upkeep.damage(rows[0]!.archived_sha256!);
        return 'marked';
      } catch (error) {
        if ((error as { code?: string }).code === 'digest-matches') return 'whole';
        throw error;
      }
    }
    const before = ledger.row(name.slice(0, 32));
    const file = before === null ? undefined : expectedOf(before).find((each) => each.area === area && each.name === name);
    if (before === null || file === undefined) return 'whole';
    // Inspection finds it by itself, and says what it is.
    if (before.state === 'waiting') return 'known';
    const found = await digestOf(pathOf(layout, file), file.bytes).catch(() => null);
    if (found?.sha256 === file.sha256) return 'whole';
    return commits.submit((group): DamageOutcome => {
      const row = ledger.rowOf(before.object_id);
      if (!expectedOf(row).some((each) => each.name === name && each.sha256 === file.sha256)) return 'whole';
      if (row.state === 'held') {
        ledger.change(row.object_id, {
          state: 'held', verdict: row.verdict ?? 'unscannable', disarmed: row.disarmed === '' ? [] : row.disarmed.split(','), findings: [...JSON.parse(row.findings) as Finding[], vaultFinding(found === null)], epoch: row.epoch,
          concludedAt: row.concluded_at ?? group.time, archived: row.archived_sha256 === null ? null : { sha256: row.archived_sha256, bytes: row.archived_bytes! }, damaged: true, sopClassUID: row.sop_class_uid,
          sopInstanceUID: row.sop_instance_uid, person: personOfRow(row), auditEntry: group.auditEntry,
        });
      }
      group.record.message({
        eventID: eventIDs.securityAlert, eventTypes: [eventTypes.damage], action: 'U', time: group.time, outcome: 8, outcomeDescription: vaultFinding(found === null).text,
        participants: [{ ...keeper, userIsRequestor: true }], objects: [objectRecord(row.object_id, [['quarantined file', name], ['sha256', file.sha256], ['found', found?.sha256 ?? 'nothing']])],
      });
      return 'marked';
    });
  }

  /**
   * Brings back the bytes of a damaged object from a file that the terminal has put into the arriving area. What was archived by its verdict is seen again, since
   * these are the very bytes of that verdict; anything else is inspected anew.
   */
  async #repair(value: Readonly<Record<string, unknown>>): Promise<RepairOutcome> {
    const { layout, ledger, commits, database } = this.#parts;
    const objectId = checkObjectId(value['objectId']);
    const file = checkText(value['file'], 'file', 64);
    const manifest = checkText(value['manifest'], 'manifest', textMax);
    const person = checkText(value['person'], 'person', textMax);
    if (!/^repair-[0-9a-f]{32}$/.test(file)) throw refused('request-invalid', 'file is not one that was brought for a repair');
    const from = join(layout.arriving, file);
    const row = ledger.rowOf(objectId);
    const wanted = wantedBy(database, objectId);
    if (wanted === null) throw refused('object-whole', `the object is ${row.state} and not known to be damaged: there is nothing to repair`);
    const brought = await digestOf(from, wanted.bytes);
    if (brought?.sha256 !== wanted.sha256 || brought.bytes !== wanted.bytes) throw refused('digest-mismatch', 'the bytes that were brought are not those that the ledger knows; nothing was changed');
    const to = wanted.to === 'archive' ? objectPath(layout.archive, wanted.sha256) : objectPath(layout.quarantine, objectId);
    const there = existsSync(to) ? await digestOf(to, wanted.bytes).catch(() => null) : null;
    // What a later arrival has healed, or a second object that is the same file, stays as it is.
    const bring = there?.sha256 !== wanted.sha256;
    return commits.submit((group): RepairOutcome => {
      const now = ledger.rowOf(objectId);
      if (now.state !== 'held' || now.damaged !== 1) throw refused('object-whole', 'the object changed meanwhile; look again');
      if (wanted.to === 'archive') this.#backInSight(group, now, person, manifest);
      else this.#backInQueue(group, now, person, manifest);
      if (bring) {
        group.rename(from, to);
        this.#parts.settling.moved(group, now.number, [from, to]);
      } else {
        group.after(() => rmSync(from, { force: true }));
      }
      return wanted.to === 'archive' ? 'archived' : 'waiting';
    });
  }

  /** On the record before the first of them is gone. */
  async #pruning(value: Readonly<Record<string, unknown>>): Promise<void> {
    const { person, folder } = whoOf(value);
    const { removed } = value;
    if (!Array.isArray(removed) || removed.length > prunedMax || !removed.every((name) => typeof name === 'string' && /^[0-9TZ-]{1,40}\.manifest$/.test(name))) throw refused('request-invalid', 'removed is not a list of manifests');
    await this.#parts.commits.submit((group) => group.record.message({
      eventID: eventIDs.applicationActivity, eventTypes: [eventTypes.pruning], action: 'D', time: group.time, outcome: 0, outcomeDescription: `Backups are removed by their policy: ${removed.length === 0 ? 'only what was left over' : (removed as string[]).join(', ')}`,
      participants: [{ userID: person, userIsRequestor: true }, keeper], objects: [{ typeCode: 2, role: 20, idType: objectIDTypes.uri, id: folder }],
    }));
  }

  #backInSight(group: Group, row: LedgerRow, person: string, manifest: string): void {
    const { ledger, handover, counts, layout, database } = this.#parts;
    const archived = archivedBy(database, row.object_id);
    if (archived === null) throw refused('object-whole', 'the object changed meanwhile; look again');
    const other = handover.index(archived);
    // The group is rolled back with it: nothing that is seen now goes out of sight by a repair.
    if (other !== null) throw refused('instance-conflict', `Another object with the same SOP Instance UID is archived by now (${other.digest}): it is seen and this one stays held. Decide between the two.`);
    handover.forgetWithdrawal(archived.digest);
    const state = transition(transition('held', 'repair'), 'archive') as 'archived';
    const { instance } = archived;
    ledger.change(row.object_id, {
      state, verdict: 'clean', disarmed: row.disarmed !== '' ? row.disarmed.split(',') : archived.disarmed ? ['unknown'] : [], findings: [], epoch: archived.epoch,
      // As old as its verdict: a rescan that is under way has not seen it.
      concludedAt: archived.archivedAt, archived: { sha256: archived.digest, bytes: archived.bytes }, damaged: false, sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
      person: personOf(instance), auditEntry: group.auditEntry,
    });
    ledger.dropReport(row.object_id);
    const damagedFile = archived.digest === row.sha256 ? objectPath(layout.quarantine, row.object_id) : withdrawnPath(layout.quarantine, row.object_id);
    this.#recordRepair(group, row, archived.digest, damagedFile, person, manifest, 'seen again: its bytes are those that were found clean');
    group.after(() => {
      rmSync(damagedFile, { force: true });
      counts.move('held', state);
    });
  }

  #backInQueue(group: Group, row: LedgerRow, person: string, manifest: string): void {
    const { ledger, handover, counts, queue, layout, database } = this.#parts;
    const archived = archivedBy(database, row.object_id);
    if (archived !== null) handover.forgetWithdrawal(archived.digest);
    const state = transition('held', 'heal') as 'waiting';
    ledger.dropReport(row.object_id);
    this.#inspectAgain.run(group.auditEntry, row.object_id);
    const again = ledger.rowOf(row.object_id);
    this.#recordRepair(group, row, row.sha256, objectPath(layout.quarantine, row.object_id), person, manifest, 'inspected anew');
    group.after(() => {
      rmSync(withdrawnPath(layout.quarantine, row.object_id), { force: true });
      counts.move('held', state);
      queue.add(row.number, workOf(again));
    });
  }

  #recordRepair(group: Group, row: LedgerRow, sha256: string, damagedFile: string, person: string, manifest: string, what: string): void {
    const size = lstatSync(damagedFile, { throwIfNoEntry: false })?.size;
    group.record.message({
      eventID: eventIDs.import, eventTypes: [eventTypes.repair], action: 'U', time: group.time, outcome: 0, outcomeDescription: `A damaged file was replaced by the bytes of a backup; the object is ${what}.`,
      participants: [{ userID: person, userIsRequestor: true }, keeper],
      objects: [objectRecord(row.object_id, [['sha256', sha256], ['from', manifest], ['SOP Instance UID', row.sop_instance_uid], ['damaged file', size === undefined ? 'was missing' : `had ${size} bytes`]])],
    });
  }
}

function vaultFinding(missing: boolean): Finding {
  return missing
    ? finding('file-missing', 'The file of this object is gone from the disk. It can be repaired from a backup, or must be sent again.')
    : finding('digest-mismatch', 'The file of this object no longer has the bytes that were received: it was changed or damaged on the disk. It can be repaired from a backup, or must be sent again.');
}

function countsOf(value: Readonly<Record<string, unknown>>): Pick<Safekept, 'objects' | 'bytes' | 'findings' | 'manifest' | 'ms'> {
  const count = (name: string): number => {
    const found = value[name];
    if (!Number.isSafeInteger(found) || (found as number) < 0) throw refused('request-invalid', `${name} is not a count`);
    return found as number;
  };
  return { objects: count('objects'), bytes: count('bytes'), findings: count('findings'), manifest: checkText(value['manifest'], 'manifest', 64), ms: count('ms') };
}

function whoOf(value: Readonly<Record<string, unknown>>): { readonly person: string; readonly folder: string } {
  return { person: checkText(value['person'], 'person', textMax), folder: checkText(value['folder'], 'folder', textMax) };
}

const words: Readonly<Record<Safekept['what'], string>> = {
  backup: 'A backup was made', verification: 'Every digest was verified', sweep: 'The background sweep has read all that is kept', drill: 'A restore was rehearsed',
};

/** A backup is an Export (PS3.15 §A.5.3.5): what it holds leaves this system. The others are activities of the application. */
function noteMessage(time: number, done: Omit<Safekept, 'at'>, person: string, folder: string): AuditMessage {
  const outcome: Outcome = done.findings === 0 ? 0 : 8;
  return {
    eventID: done.what === 'backup' ? eventIDs.export : eventIDs.applicationActivity, eventTypes: [eventTypes[done.what]], action: done.what === 'backup' ? 'R' : 'E', time, outcome,
    outcomeDescription: `${words[done.what]}: ${done.objects} files of objects, ${done.bytes} bytes, ${done.findings === 0 ? 'all as they were kept' : `${done.findings} not as they were kept`}.`,
    participants: [person === '' ? { ...keeper, userIsRequestor: true } : { userID: person, userIsRequestor: true }, ...(person === '' ? [] : [{ ...keeper, roleIDCodes: [roleIDs.source] }])],
    objects: folder === '' ? [] : [{ typeCode: 2, role: 3, idType: objectIDTypes.batch, id: done.manifest === '' ? folder : done.manifest, name: folder, details: [['manifest sha256', done.manifest], ['ms', String(done.ms)]] }],
  };
}
