/** Opens what the keeper owns, recovers, and listens: one socket a peer, each with its table of permitted requests. */
import { dirname } from 'node:path';
import type { Server } from 'node:net';
import { AuditLog } from '@lazaret/audit/append.ts';
import { eventIDs, eventTypes } from '@lazaret/audit/codes.ts';
import { serveChannel, type RequestTable } from '@lazaret/system/channel.ts';
import { makeFolder, makeObjectFolders } from '@lazaret/system/durable.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Running, WorklistPeer } from '@lazaret/system/process.ts';
import { firstAdministratorCode } from '@lazaret/pacs/access/firstadmin.ts';
import { migrations as accessMigrations } from '@lazaret/pacs/access/schema.ts';
import { AccessStore } from '@lazaret/pacs/access/store.ts';
import { readArchived, renewVerdict, withdrawInstance, type ArchivedInstance } from '@lazaret/pacs/archive/admit.ts';
import { Sight } from '@lazaret/pacs/archive/reconciliation/sight.ts';
import { Reconciliation } from '@lazaret/pacs/archive/reconciliation/station.ts';
import { migrations as safekeepingMigrations, Safekeeping } from '@lazaret/pacs/archive/safekeeping/station.ts';
import { Sweep, type SweepOptions } from '@lazaret/pacs/archive/safekeeping/sweep.ts';
import { migrations as archiveMigrations } from '@lazaret/pacs/archive/schema.ts';
import { Accesses, migrations as accessLogMigrations } from '@lazaret/pacs/quarantine/accesses.ts';
import { Imports } from '@lazaret/pacs/imports/imports.ts';
import { migrations as importMigrations } from '@lazaret/pacs/imports/schema.ts';
import { Admissions } from '@lazaret/pacs/quarantine/admission.ts';
import { Assets, migrations as assetMigrations } from '@lazaret/pacs/quarantine/assets.ts';
import { Commits } from '@lazaret/pacs/quarantine/commits.ts';
import type { InstanceReport } from '@lazaret/pacs/quarantine/contract.ts';
import type { Digest } from '@lazaret/pacs/reception/contract.ts';
import { Conclusions } from '@lazaret/pacs/quarantine/conclusion.ts';
import { openDatabase } from '@lazaret/pacs/quarantine/database.ts';
import { Decisions } from '@lazaret/pacs/quarantine/decisions.ts';
import { Ledger } from '@lazaret/pacs/quarantine/ledger.ts';
import { Exports } from '@lazaret/pacs/quarantine/exports.ts';
import { Looks } from '@lazaret/pacs/quarantine/looks.ts';
import { Listing } from '@lazaret/pacs/quarantine/listing.ts';
import { Counts, type Handover, type Parts } from '@lazaret/pacs/quarantine/parts.ts';
import { Queue } from '@lazaret/pacs/quarantine/queue.ts';
import { abandonedAfterMs, recover, removeAbandoned } from '@lazaret/pacs/quarantine/recovery.ts';
import { keeper } from '@lazaret/pacs/quarantine/record.ts';
import { migrations as ledgerMigrations } from '@lazaret/pacs/quarantine/schema.ts';
import { migrations as rescanMigrations, Rescan } from '@lazaret/pacs/quarantine/rescan.ts';
import { migrations as rulePackMigrations, RulePacks } from '@lazaret/pacs/inspection/rulepack/installed.ts';
import { Settling } from '@lazaret/pacs/quarantine/settling.ts';
import { Signatures } from '@lazaret/pacs/quarantine/signatures.ts';
import { migrations as traceMigrations, Trace } from '@lazaret/pacs/quarantine/trace.ts';
import { Upkeep } from '@lazaret/pacs/quarantine/upkeep.ts';
import { Withdrawals } from '@lazaret/pacs/quarantine/withdrawal.ts';
import { Questions } from '@lazaret/pacs/worklist/questions.ts';
import { tablesOf } from './tables.ts';

/** Starts the keeper on a data directory. `fatal` must end the process: it is called when only recovery knows what is durable. */
export async function startKeeper(layout: Layout, fatal: (error: unknown) => void, sweepOptions: SweepOptions = {}, worklist: WorklistPeer | null = null): Promise<Running> {
  await makeFolders(layout);
  const log = await AuditLog.open(layout.audit);
  const database = await openDatabase(layout.database, [ledgerMigrations, archiveMigrations, accessMigrations, assetMigrations, rescanMigrations, accessLogMigrations, traceMigrations, importMigrations, safekeepingMigrations, rulePackMigrations]);
  const ledger = new Ledger(database);
  const commits = new Commits(database, log, fatal);
  const counts = new Counts(ledger);
  const settling = new Settling(ledger, commits);
  const withdrawn = database.prepare('SELECT archived FROM withdrawnInstances WHERE digest = ?');
  // What waits for a choice is not what was withdrawn and released, though it has the same row.
  const forget = database.prepare(`DELETE FROM withdrawnInstances WHERE digest = ? AND reason <> 'unreconciled'`);
  const unreconciled = database.prepare(`SELECT archived FROM withdrawnInstances WHERE digest = ? AND reason = 'unreconciled'`);
  const rename = database.prepare('UPDATE withdrawnInstances SET reason = ?, withdrawnAt = ? WHERE digest = ?');
  // Both come later: until then nothing is archived.
  let imports: Imports | null = null;
  let reconciliation: Reconciliation | null = null;
  const sight = new Sight(database, (objectId) => imports!.waitsFor(objectId));
  const waiting = (digest: Digest): InstanceReport | null => {
    const row = unreconciled.get(digest) as { archived: string } | undefined;
    return row === undefined ? null : (JSON.parse(row.archived) as ArchivedInstance).instance;
  };
  const handover: Handover = {
    index: (instance) => {
      const admitted = sight.admit(instance);
      if (admitted.outcome === 'waiting') {
        if (admitted.chosen) reconciliation?.followUp(instance.instance.studyInstanceUID);
        return null;
      }
      if (admitted.superseded === null) return null;
      const { archived } = withdrawn.get(admitted.superseded) as { archived: string };
      return { digest: admitted.superseded, instance: (JSON.parse(archived) as ArchivedInstance).instance };
    },
    withdraw: (digest, reason, time) => {
      const instance = withdrawInstance(database, digest, reason, time);
      if (instance !== null) return instance;
      const unseen = waiting(digest);
      if (unseen !== null) rename.run(reason, time, digest);
      return unseen;
    },
    hide: (digest, time) => {
      const seen = withdrawInstance(database, digest, 'withdrawn', time);
      if (seen !== null) return { sight: 'seen', instance: seen };
      const unseen = waiting(digest);
      if (unseen === null) return null;
      rename.run('withdrawn', time, digest);
      return { sight: 'unseen', instance: unseen };
    },
    show: (digest, sightBefore, epoch) => {
      if (sightBefore === 'unseen') rename.run('unreconciled', Date.now(), digest);
      // Somebody may have said whose it is meanwhile.
      const shown = sightBefore === 'seen' ? sight.restore(digest, epoch) : null;
      const unseen = shown === null || shown.outcome === 'waiting' ? waiting(digest) : null;
      if (unseen !== null) reconciliation?.followUp(unseen.studyInstanceUID);
    },
    find: (digest) => readArchived(database, digest)?.instance ?? waiting(digest),
    forgetWithdrawal: (digest) => void forget.run(digest),
    renew: (digest, epoch) => void renewVerdict(database, digest, epoch),
  };
  // The queue reads what waits only after recovery has looked at it.
  const parts = { layout, database, ledger, log, commits, counts, settling, handover } as Omit<Parts, 'queue'> as Parts;
  const recovery = await recover(parts);
  const whole: Parts = { ...parts, queue: new Queue(counts, (after, limit) => ledger.waitingAfter(after, limit)) };
  imports = new Imports(whole);
  const signatures = new Signatures();
  const conclusions = new Conclusions(whole);
  const upkeep = new Upkeep(whole, signatures);
  const rescan = new Rescan(whole, upkeep, signatures);
  const withdrawals = new Withdrawals(whole, signatures);
  conclusions.cover = withdrawals.cover;
  const accesses = new Accesses(database);
  const rulePacks = new RulePacks(layout, database, commits);
  await rulePacks.open();
  const access = new AccessStore({ database, record: (message) => commits.submit((group) => group.record.message(message)), now: () => Date.now() });
  await imports.recover();
  const safekeeping = new Safekeeping(whole, upkeep);
  reconciliation = new Reconciliation(whole, sight, imports, (digest) => upkeep.damage(digest));
  reconciliation.start();
  const questions = new Questions(worklist, (message) => commits.submit((group) => group.record.message({ ...message, time: group.time })));
  const looks = new Looks(whole, accesses);
  const tables = tablesOf({
    parts: whole, signatures, access, conclusions, admissions: new Admissions(whole), decisions: new Decisions(whole, conclusions), listing: new Listing(whole, conclusions), upkeep, rescan, accesses, trace: new Trace(whole, accesses),
    assets: new Assets(database, commits), rulePacks, imports, reconciliation, safekeeping, withdrawals, questions, looks, exports: new Exports(whole, conclusions, accesses),
  });
  await accesses.catchUp(layout.audit, log.size, commits);
  await commits.submit((group) => group.record.message(activity(group.time, 'start')));
  const firstAdministrator = firstAdministratorCode(access);
  const servers = await Promise.all(Object.entries(tables).map(([peer, table]) => serveChannel(layout.sockets[peer as keyof Layout['sockets']], table as RequestTable)));
  const reading = new Sweep(whole, safekeeping, sweepOptions);
  const sweep = setInterval(() => {
    removeAbandoned(whole, Date.now() - abandonedAfterMs);
    void commits.submit(() => accesses.mark(log.size), 'soon');
  }, abandonedAfterMs).unref();
  return {
    ready: { ...(firstAdministrator === undefined ? {} : { firstAdministratorCode: firstAdministrator }), recovery, auditEntries: log.size },
    async stop() {
      clearInterval(sweep);
      whole.queue.close();
      imports?.close();
      await reconciliation?.close();
      questions.close();
      looks.close();
      for (const server of servers) stopListening(server);
      await reading.close();
      await rescan.close();
      await withdrawals.close();
      await commits.submit((group) => group.record.message(activity(group.time, 'stop')));
      await commits.idle();
      await commits.submit(() => accesses.mark(log.size), 'soon');
      await settling.close();
      await commits.idle();
      await log.close();
      commits.close();
      database.close();
    },
  };
}

async function makeFolders(layout: Layout): Promise<void> {
  for (const folder of [layout.arriving, layout.audit, layout.run, dirname(layout.database), ...Object.values(layout.sockets).map(dirname)]) await makeFolder(folder);
  await makeObjectFolders(layout.quarantine);
  await makeObjectFolders(layout.archive);
}

/** New connections are refused; those that exist end with the process, after their last answers. */
function stopListening(server: Server): void {
  server.close();
}

/** PS3.15 §A.5.3.1 Application Activity. */
function activity(time: number, what: 'start' | 'stop'): Parameters<Parameters<Parameters<Commits['submit']>[0]>[0]['record']['message']>[0] {
  return {
    eventID: eventIDs.applicationActivity, eventTypes: [what === 'start' ? eventTypes.applicationStart : eventTypes.applicationStop], action: 'E', time, outcome: 0,
    participants: [{ ...keeper, userIsRequestor: true }], objects: [],
  };
}
