/** What each socket may ask (pacs/quarantine/requests.ts). Bodies are checked by the handlers; what is not here ends the connection. */
import type { RequestTable } from '@lazaret/system/channel.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import type { Questions } from '@lazaret/pacs/worklist/questions.ts';
import type { Imports } from '@lazaret/pacs/imports/imports.ts';
import type { AccessStore } from '@lazaret/pacs/access/store.ts';
import type { Reconciliation } from '@lazaret/pacs/archive/reconciliation/station.ts';
import type { Safekeeping } from '@lazaret/pacs/archive/safekeeping/station.ts';
import { spaceAt, type Admissions } from '@lazaret/pacs/quarantine/admission.ts';
import type { Accesses } from '@lazaret/pacs/quarantine/accesses.ts';
import { Alarms } from '@lazaret/pacs/quarantine/alarms.ts';
import { askAgain } from '@lazaret/pacs/quarantine/asking.ts';
import type { Assets } from '@lazaret/pacs/quarantine/assets.ts';
import type { Conclusions } from '@lazaret/pacs/quarantine/conclusion.ts';
import { checkDecide, type Decisions } from '@lazaret/pacs/quarantine/decisions.ts';
import { Groups } from '@lazaret/pacs/quarantine/groups.ts';
import { checkDigest, checkFields, checkObjectId, checkReceived, checkRenderRequest, checkScanned, checkText } from '@lazaret/pacs/quarantine/guards.ts';
import { workOf } from '@lazaret/pacs/quarantine/ledger.ts';
import { checkList, type Listing } from '@lazaret/pacs/quarantine/listing.ts';
import { checkMessage } from '@lazaret/pacs/quarantine/messages.ts';
import type { Exports } from '@lazaret/pacs/quarantine/exports.ts';
import type { Looks } from '@lazaret/pacs/quarantine/looks.ts';
import type { Parts } from '@lazaret/pacs/quarantine/parts.ts';
import { archiveWork } from '@lazaret/pacs/quarantine/queue.ts';
import type { InspectorStatus, MapAnswer, RenderedAnswer, StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { checkRescan, type Rescan } from '@lazaret/pacs/quarantine/rescan.ts';
import type { RulePacks } from '@lazaret/pacs/inspection/rulepack/installed.ts';
import type { Signatures } from '@lazaret/pacs/quarantine/signatures.ts';
import { checkTrace, type Trace } from '@lazaret/pacs/quarantine/trace.ts';
import { quickMs, type Upkeep } from '@lazaret/pacs/quarantine/upkeep.ts';
import type { Withdrawals } from '@lazaret/pacs/quarantine/withdrawal.ts';

/** A STOW request may wait for a big study; longer than this nobody does. */
const concludedMsMax = 10 * 60_000;
/** requests.ts: one claim takes at most so many; more would sit with one inspector while another waits. */
const claimMax = 64;
const windowBytesMax = 4_096;
/** Longest epoch that a conclusion may have (guards.ts), and how long one question for the next one is kept. */
const epochMax = 2_000;
const epochMsMax = 60_000;

export interface Stations {
  readonly parts: Parts;
  readonly signatures: Signatures;
  readonly access: AccessStore;
  readonly admissions: Admissions;
  readonly conclusions: Conclusions;
  readonly decisions: Decisions;
  readonly listing: Listing;
  readonly upkeep: Upkeep;
  readonly rescan: Rescan;
  readonly accesses: Accesses;
  readonly trace: Trace;
  readonly assets: Assets;
  readonly rulePacks: RulePacks;
  readonly safekeeping: Safekeeping;
  readonly imports: Imports;
  readonly reconciliation: Reconciliation;
  readonly questions: Questions;
  readonly looks: Looks;
  readonly exports: Exports;
  readonly withdrawals: Withdrawals;
}

export function tablesOf(stations: Stations): Readonly<Record<'association' | 'web' | 'inspector' | 'importer' | 'worklist' | 'terminal', RequestTable>> {
  const { parts, signatures, access, admissions, conclusions, decisions, listing, upkeep, rescan, accesses, trace, assets, imports, reconciliation, safekeeping, rulePacks, questions, looks, exports, withdrawals } = stations;
  const { queue, commits, log, counts, layout, ledger } = parts;

  const groups = new Groups(parts, decisions);
  const alarms = new Alarms(parts.database);

  const admit: RequestTable = {
    admit: (body) => admissions.admit(checkReceived(body)),
    record: async (body) => {
      const message = checkMessage(body);
      await commits.submit((group) => {
        group.record.message(message);
        accesses.note(message, group.auditEntry);
      });
      return null;
    },
  };
  const media: RequestTable = {
    admit: admit['admit']!,
    companion: (body) => imports.companion(body),
    import: (body, call) => imports.handle(body, 'reader', call),
  };
  const people: RequestTable = {
    list: (body) => listing.list(checkList(body)),
    show: (body) => listing.entry(checkObjectId(checkFields(body)['objectId'])),
    decide: (body) => decisions.decide(checkDecide(body)),
    status: () => status(),
    rescan: (body) => rescan.handle(checkRescan(body)),
    trace: (body) => trace.trace(checkTrace(body)),
    withdraw: (body) => withdrawals.handle(body),
    groups: (body) => groups.groups(body),
    decideGroup: (body) => groups.decide(body),
    resend: (body) => askAgain(parts, body),
    reconcile: (body) => reconciliation.handle(body),
    worklist: (body) => questions.ask(body),
    echo: () => questions.echo(),
    look: (body) => looks.handle(body),
  };

  function status(): StatusAnswer {
    return {
      counts: counts.all(), alarms: alarms.now(), inspector: signatures.latest, rescan: rescan.status(), safekept: safekeeping.last(), audit: { entries: log.size, root: log.root().toString('hex') }, disk: spaceAt(layout.data),
    };
  }

  function map(body: unknown): Promise<MapAnswer> {
    const value = checkFields(body);
    const row = ledger.rowOf(checkObjectId(value['objectId']));
    if (row.state === 'destroyed') throw refused('object-destroyed', 'the object was destroyed; there is nothing to look at');
    const area = row.state === 'archived' ? 'archive' : 'quarantine';
    return queue.map(area === 'archive' ? archiveWork(row) : workOf(row), area, windowOf(value['window']), value['blank'] === true);
  }

  /** By object id for people, by digest for who serves the archive. */
  async function render(body: unknown): Promise<RenderedAnswer> {
    const value = checkFields(body);
    const request = checkRenderRequest(value['request']);
    const row = value['digest'] === undefined ? ledger.rowOf(checkObjectId(value['objectId'])) : ledger.archivedUnder(checkDigest(value['digest']))[0];
    if (row === undefined) throw refused('object-unknown', 'there is no such object in the archive');
    if (row.state === 'destroyed') throw refused('object-destroyed', 'the object was destroyed; there is nothing to look at');
    // What is held is shown to people who say why, on the record (looks.ts).
    if (row.state !== 'archived') throw refused('object-held', 'the object is not in the archive; a held one is looked at by breaking the glass');
    return queue.render(archiveWork(row), 'archive', request);
  }

  return {
    association: { ...admit, asset: (body) => assets.find(body) },
    web: {
      ...admit, ...people,
      export: (body) => exports.handle(body, 'web'),
      import: (body, call) => imports.handle(body, 'web', call),
      concluded: (body, call) => {
        const value = checkFields(body);
        const timeoutMs = Number(value['timeoutMs']);
        return conclusions.concluded(checkObjectId(value['objectId']), Math.min(Number.isFinite(timeoutMs) ? timeoutMs : 0, concludedMsMax), call.signal);
      },
      map,
      render,
      epoch: (body, call) => {
        const { known, timeoutMs } = checkFields(body);
        return signatures.next(checkText(known, 'known', epochMax), Math.min(Number.isFinite(timeoutMs) ? (timeoutMs as number) : 0, epochMsMax), call.signal);
      },
      recheck: (body) => {
        const { digest, waitMs } = checkFields(body);
        return upkeep.recheck(checkDigest(digest), Number.isFinite(waitMs) ? Math.min(waitMs as number, quickMs) : quickMs);
      },
      damage: async (body) => {
        await upkeep.damage(checkDigest(checkFields(body)['digest']));
        return null;
      },
      access: (body) => access.handle(body, 'web'),
    },
    inspector: {
      claim: (body, call) => {
        const max = checkFields(body)['max'];
        if (!Number.isSafeInteger(max) || (max as number) < 1) throw refused('request-invalid', 'max is not a count');
        return queue.claim(Math.min(max as number, claimMax), call.signal);
      },
      conclude: async (body, call) => {
        await conclusions.conclude(body, call.signal);
        return null;
      },
      rendered: (body, call) => {
        const value = checkFields(body);
        const jobId = String(value['jobId']);
        if (value['answer'] === null) queue.renderFailed(jobId, call.signal, unavailable('digest-mismatch', 'the file is not what was kept, or cannot be read'));
        else queue.rendered(jobId, call.signal, value['answer'] as RenderedAnswer);
        return null;
      },
      mapped: (body, call) => {
        const value = checkFields(body);
        queue.mapped(String(value['jobId']), call.signal, value['map'] as MapAnswer);
        return null;
      },
      patched: (body, call) => {
        const value = checkFields(body);
        queue.patched(String(value['jobId']), call.signal, value['answer']);
        return null;
      },
      scanned: (body, call) => {
        queue.scanned(checkScanned(body), call.signal);
        return null;
      },
      hello: (body, call) => {
        signatures.hello(call.signal, checkFields(body) as unknown as InspectorStatus);
        return null;
      },
    },
    importer: media,
    worklist: { next: (_body, call) => questions.next(call), found: (body, call) => questions.found(body, call) },
    terminal: { ...people, ...media, map, export: (body) => exports.handle(body, 'terminal'), access: (body) => access.handle(body, 'terminal'), assets: (body) => assets.handle(body), rules: (body) => rulePacks.handle(body), safekeeping: (body, call) => safekeeping.handle(body, call.signal) },
  };
}

function windowOf(untrusted: unknown): { offset: number; length: number } | null {
  if (untrusted === null || untrusted === undefined) return null;
  const { offset, length } = checkFields(untrusted);
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || (offset as number) < 0 || (length as number) < 1 || (length as number) > windowBytesMax) {
    throw refused('request-invalid', `a window has an offset and a length of at most ${windowBytesMax}`);
  }
  return { offset: offset as number, length: length as number };
}
