/**
 * Who opened, took out or was sent what: an index of the audit log, so that the question "who has seen this object?" is answered at once and not
 * by reading years of it. The log is what counts; this table can be made from it again.
 *
 * It stays true so: a row is written in the transaction whose group writes the audit entry. The entry is written first, so a crash can only leave an
 * entry without its row, and `catchUp` reads the log at the start from the mark on (`access_entries`: every entry below it is in the table).
 */
import type { DatabaseSync } from 'node:sqlite';
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { parseMessage } from '@lazaret/audit/parse.ts';
import { readEntries } from '@lazaret/audit/reading.ts';
import type { Commits } from './commits.ts';
import type { Migration } from './database.ts';

export const migrations: readonly Migration[] = [{
  name: 'access-log-0001',
  sql: `
-- One row for a person, a resource and a day: a viewer asks for each frame of a series by itself.
CREATE TABLE access_log (
  -- 'opened', 'sent' or 'exported'
  kind TEXT NOT NULL,
  study TEXT NOT NULL,
  -- '' where all of the Study, or of the Series, was asked for.
  series TEXT NOT NULL,
  -- SOP Instance UID; of an export the object id.
  instance TEXT NOT NULL,
  person TEXT NOT NULL,
  address TEXT NOT NULL,
  -- AE Title or address that it was sent to.
  destination TEXT NOT NULL,
  what TEXT NOT NULL,
  day INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  -- The entry of the audit log that tells of the last one, or one shortly before it.
  audit_entry INTEGER NOT NULL,
  PRIMARY KEY (study, instance, series, day, person, address, kind, destination, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_log_exports ON access_log (instance) WHERE kind = 'exported';
INSERT INTO ledger_mark (name, value) VALUES ('access_entries', 0);
`,
}];

export interface Access {
  readonly kind: 'opened' | 'sent' | 'exported';
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly person: string;
  readonly address: string;
  readonly destination: string;
  readonly what: string;
}
export interface AccessRow extends Access {
  readonly first_at: number;
  readonly last_at: number;
  readonly count: number;
  readonly audit_entry: number;
}

const dayMs = 86_400_000;
/** Entries of the log caught up on in one transaction. */
const caughtUpMax = 2_000;

/** What a message tells of in this respect; most tell nothing. What failed is no access. */
export function accessesIn(message: AuditMessage): Access[] {
  const { value } = message.eventID;
  if (message.outcome !== 0) return [];
  const requestor = message.participants.find((participant) => participant.userIsRequestor) ?? message.participants[0];
  const person = requestor?.userID ?? '';
  const address = requestor?.networkAccessPoint ?? '';
  if (value === eventIDs.export.value) return message.objects.filter(({ idType }) => idType.value === objectIDTypes.object.value).map(({ id }) => ({ kind: 'exported', study: '', series: '', instance: id, person, address, destination: message.participants.find(({ roleIDCodes }) => roleIDCodes?.some((role) => role.value === roleIDs.destinationMedia.value))?.userID ?? '', what: 'bytes as received' }));
  if (value === eventIDs.instancesAccessed.value && message.action === 'R') return ofStudies(message, { kind: 'opened', person, address, destination: '' });
  if (value !== eventIDs.instancesTransferred.value && value !== eventIDs.beginTransferring.value) return [];
  // Admissions are transfers to us: they are in the ledger.
  if (message.eventTypes.some((type) => type.value === eventTypes.admission.value || type.value === eventTypes.duplicate.value)) return [];
  const destination = message.participants.find(({ roleIDCodes }) => roleIDCodes?.some((role) => role.value === roleIDs.destination.value));
  if (destination === undefined || destination.userID.startsWith('lazaret/')) return [];
  const to = [destination.userID, destination.networkAccessPoint ?? ''].filter((text) => text !== '').join(' at ');
  return ofStudies(message, { kind: 'sent', person, address, destination: to });
}

function ofStudies(message: AuditMessage, access: Pick<Access, 'kind' | 'person' | 'address' | 'destination'>): Access[] {
  return message.objects.filter(({ idType }) => idType.value === objectIDTypes.studyInstanceUID.value).flatMap((object): Access[] => {
    const details = new Map(object.details ?? []);
    const series = /\/series\/([0-9.]{1,64})(?:\/|$)/.exec(details.get('URL') ?? '')?.[1] ?? '';
    const common = { ...access, study: object.id, what: details.get('Resource') ?? '' };
    const named = (object.sopClasses ?? []).flatMap(({ instances }) => instances);
    const all = (object.sopClasses ?? []).every(({ count, instances }) => instances.length >= count);
    // Where not each is named, the whole Study or Series was asked for.
    return named.length > 0 && all ? named.map((instance) => ({ ...common, series: '', instance })) : [{ ...common, series, instance: '' }];
  });
}

export class Accesses {
  readonly #add;
  readonly #mark;
  readonly #setMark;
  readonly #ofInstance;
  readonly #exports;

  constructor(database: DatabaseSync) {
    // Told of again (after a crash, from the log), nothing is counted twice.
    this.#add = database.prepare(`INSERT INTO access_log (kind, study, series, instance, person, address, destination, what, day, first_at, last_at, count, audit_entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?10, 1, ?11)
      ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at, audit_entry = excluded.audit_entry WHERE excluded.last_at > last_at`);
    this.#mark = database.prepare(`SELECT value FROM ledger_mark WHERE name = 'access_entries'`);
    this.#setMark = database.prepare(`UPDATE ledger_mark SET value = max(value, ?) WHERE name = 'access_entries'`);
    this.#ofInstance = database.prepare(`SELECT * FROM access_log WHERE study = ?1 AND instance IN ('', ?2) AND last_at >= ?3 ORDER BY last_at DESC LIMIT ?4`);
    this.#exports = database.prepare(`SELECT * FROM access_log WHERE kind = 'exported' AND instance = ? ORDER BY last_at DESC LIMIT ?`);
  }

  /** Inside the transaction whose group holds the message. `auditEntry`: that of the message or one before it. */
  note(message: AuditMessage, auditEntry: number): void {
    for (const each of accessesIn(message)) {
      this.#add.run(each.kind, each.study, each.series, each.instance, each.person, each.address, each.destination, each.what, Math.floor(message.time / dayMs), message.time, auditEntry);
    }
  }

  /** Brings the table up to date with a log that has `entries` entries. Before anything new is recorded. */
  async catchUp(folder: string, entries: number, commits: Commits): Promise<void> {
    const from = (this.#mark.get() as { value: number }).value;
    if (from >= entries) return;
    let block: { number: number; message: AuditMessage }[] = [];
    const flush = async (upTo: number): Promise<void> => {
      const taken = block;
      block = [];
      await commits.submit(() => {
        for (const { number, message } of taken) this.note(message, number);
        this.#setMark.run(upTo);
      });
    };
    for await (const { number, xml } of readEntries(folder, from)) {
      if (number >= entries) break;
      const message = parseMessage(xml);
      if (message !== null) block.push({ number, message });
      if (block.length >= caughtUpMax) await flush(number + 1);
    }
    await flush(entries);
  }

  /** Every entry below this number is in the table: said now and then, so that a start has little to read. Inside a transaction. */
  mark(entries: number): void {
    this.#setMark.run(entries);
  }

  /** Accesses to one instance, or to all of its Study or Series, since a time; newest first. */
  ofInstance(study: string, series: string, instance: string, since: number, limit: number): AccessRow[] {
    if (study === '') return [];
    const rows = this.#ofInstance.all(study, instance, since, limit) as unknown as AccessRow[];
    return rows.filter((row) => row.instance !== '' || row.series === '' || series === '' || row.series === series);
  }
  exportsOf(objectId: string, limit: number): AccessRow[] {
    return this.#exports.all(objectId, limit) as unknown as AccessRow[];
  }
}
