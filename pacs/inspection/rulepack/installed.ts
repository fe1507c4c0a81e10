/**
 * The installed rule packs, kept by the keeper: it stores the bytes, remembers which one is in use and which one was before, and puts each change on the
 * record. It decodes none of them: the command that asks has verified and tried the pack in the sandbox, and every examiner verifies its signature again.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { makeFolder, replaceFile, statFile } from '@lazaret/system/durable.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Commits } from '../../quarantine/commits.ts';
import type { Migration } from '../../quarantine/database.ts';
import { checkDigest, checkFields, checkText } from '../../quarantine/guards.ts';
import { keeper } from '../../quarantine/record.ts';
import { packPath, pointerPath, type CurrentPack, type PackName } from './choice.ts';
import { packBytesMax } from './contract.ts';

export const migrations: readonly Migration[] = [
  {
    name: 'rulepacks-0001',
    sql: `CREATE TABLE rulePack (sha256 TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL, signer TEXT NOT NULL, installed_at INTEGER NOT NULL) STRICT;
CREATE TABLE rulePackUse (use INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, pinned INTEGER NOT NULL, since INTEGER NOT NULL, person TEXT NOT NULL, prior INTEGER) STRICT;`,
  },
];

/** Files of packs that nobody can go back to any more are removed beyond this many. */
const keptMax = 8;

type Use = { readonly use: number; readonly sha256: string; readonly pinned: number; readonly since: number; readonly person: string; readonly prior: number | null };
const programPack: PackName = { sha256: '', version: 0, text: '', signer: '' };

export class RulePacks {
  readonly #layout: Layout;
  readonly #database: DatabaseSync;
  readonly #commits: Commits;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout, database: DatabaseSync, commits: Commits) {
    this.#layout = layout;
    this.#database = database;
    this.#commits = commits;
  }

  /** After an unclean end the file that names the pack in use may be older than the record. */
  async open(): Promise<void> {
    await makeFolder(this.#layout.rules);
    if (this.#lastUse() !== null) await this.#point();
  }

  /** The `rules` request of the terminal; one at a time. Resolves with what is in use once that is durable, null for the program's own pack alone. */
  handle(untrusted: unknown): Promise<CurrentPack | null> {
    const value = checkFields(untrusted);
    const person = checkText(value['person'], 'person', 200);
    const next = this.#busy.then(() => {
      switch (value['do']) {
        case 'status': return this.current();
        case 'install': return this.#install(value, person);
        case 'rollback': return this.#rollback(Number(value['builtIn']) || 0, person);
        default: throw refused('request-invalid', 'rules does status, install or rollback');
      }
    });
    this.#busy = next.catch(() => {});
    return next;
  }

  current(): CurrentPack | null {
    const use = this.#lastUse();
    if (use === null) return null;
    const prior = use.prior === null ? null : this.#use(use.prior);
    return { ...this.#pack(use.sha256), pinned: use.pinned === 1, since: use.since, person: use.person, previous: prior === null ? null : this.#pack(prior.sha256) };
  }

  async #install(value: Readonly<Record<string, unknown>>, person: string): Promise<CurrentPack | null> {
    const sha256 = checkDigest(value['sha256']);
    const text = checkText(value['text'], 'text', 32);
    const signer = checkText(value['signer'], 'signer', 64);
    const version = value['version'];
    const bytes = Buffer.from(checkText(value['base64'], 'base64', packBytesMax * 2), 'base64');
    if (!Number.isSafeInteger(version) || (version as number) < 1) throw refused('request-invalid', 'version is not a number');
    if (bytes.length === 0 || bytes.length > packBytesMax || createHash('sha256').update(bytes).digest('hex') !== sha256) throw refused('request-invalid', 'these are not the bytes that have this SHA-256');
    this.#refuseOlder(version as number, sha256);
    await replaceFile(packPath(this.#layout, sha256), bytes);
    const last = this.#lastUse();
    await this.#commits.submit((group) => {
      this.#database.prepare('INSERT OR REPLACE INTO rulePack (sha256, version, text, signer, installed_at) VALUES (?, ?, ?, ?, ?)').run(sha256, version as number, text, signer, group.time);
      // Where nothing was installed before, one can still go back to the program's own pack.
      const prior = last?.use ?? this.#insert('', 0, group.time, '', null);
      this.#insert(sha256, 0, group.time, person, prior);
      group.record.message(changed(group.time, person, `rule pack ${version as number} (${text}) installed, signed by ${signer}`, sha256));
    });
    await this.#point();
    await this.#removeOld();
    return this.current();
  }

  /** An old pack could be offered anew because of what it does not find. What was installed once may come back after a rollback, if it is newer than what is in use. */
  #refuseOlder(version: number, sha256: string): void {
    const highest = this.#database.prepare('SELECT version, sha256 FROM rulePack ORDER BY version DESC LIMIT 1').get() as { version: number; sha256: string } | undefined;
    const current = this.current();
    if (highest === undefined || version > highest.version) return;
    if (version === highest.version && sha256 === highest.sha256 && current?.sha256 !== sha256) return;
    throw refused('rulepack-older', version === current?.version && sha256 === current.sha256
      ? `Rule pack ${version} is in use already.`
      : `Rule pack ${version} is not newer than ${highest.version}, which has been installed here: an older one is never installed over it. To go back: ./lazaret rules rollback`);
  }

  async #rollback(builtIn: number, person: string): Promise<CurrentPack | null> {
    const last = this.#lastUse();
    const current = this.current();
    const superseded = current !== null && current.sha256 !== '' && !current.pinned && current.version <= builtIn;
    const prior = last?.prior === null || last === null ? null : this.#use(last.prior);
    // The program came with a newer pack than the one that was installed: what was in use before that is the installed one.
    const target = superseded ? last! : prior;
    if (target === null) throw refused('rulepack-none', 'There is no earlier rule pack to go back to: the one that came with Lazaret is in use.');
    if (target.sha256 !== '' && (await statFile(packPath(this.#layout, target.sha256))) === null) throw refused('rulepack-none', 'The earlier rule pack is no longer on the disk.');
    const pack = this.#pack(target.sha256);
    await this.#commits.submit((group) => {
      this.#insert(target.sha256, target.sha256 === '' ? 0 : 1, group.time, person, target.prior);
      group.record.message(changed(group.time, person, target.sha256 === '' ? 'rolled back to the rule pack that came with the program' : `rolled back to rule pack ${pack.version} (${pack.text})`, target.sha256));
    });
    await this.#point();
    return this.current();
  }

  #insert(sha256: string, pinned: number, since: number, person: string, prior: number | null): number {
    return Number(this.#database.prepare('INSERT INTO rulePackUse (sha256, pinned, since, person, prior) VALUES (?, ?, ?, ?, ?)').run(sha256, pinned, since, person, prior).lastInsertRowid);
  }

  /** Makes what the record says visible to the inspector: after this, examiners are renewed. */
  async #point(): Promise<void> {
    await replaceFile(pointerPath(this.#layout), `${JSON.stringify(this.current(), null, 1)}\n`);
  }

  async #removeOld(): Promise<void> {
    const reachable = new Set<string>();
    for (let use = this.#lastUse(); use !== null && reachable.size < keptMax; use = use.prior === null ? null : this.#use(use.prior)) reachable.add(use.sha256);
    const all = this.#database.prepare('SELECT sha256 FROM rulePack').all() as { sha256: string }[];
    for (const { sha256 } of all) if (!reachable.has(sha256)) rmSync(packPath(this.#layout, sha256), { force: true });
  }

  #lastUse(): Use | null {
    return (this.#database.prepare('SELECT * FROM rulePackUse ORDER BY use DESC LIMIT 1').get() as Use | undefined) ?? null;
  }
  #use(use: number): Use | null {
    return (this.#database.prepare('SELECT * FROM rulePackUse WHERE use = ?').get(use) as Use | undefined) ?? null;
  }
  #pack(sha256: string): PackName {
    if (sha256 === '') return programPack;
    return (this.#database.prepare('SELECT sha256, version, text, signer FROM rulePack WHERE sha256 = ?').get(sha256) as PackName | undefined) ?? { ...programPack, sha256 };
  }
}

/** PS3.15 §A.5.3.10 Security Alert, Software Configuration: what objects are judged by has changed. */
function changed(time: number, person: string, what: string, sha256: string): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.softwareConfiguration], action: 'E', time, outcome: 0, outcomeDescription: what,
    participants: [{ userID: person, userIsRequestor: true }, keeper],
    objects: [{ typeCode: 2, role: 13, idType: objectIDTypes.uri, id: sha256 === '' ? 'rules:built-in' : `rules:${sha256}`, details: [] }],
  };
}
