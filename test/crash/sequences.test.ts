/**
 * Any sequence of what can happen to a few objects keeps the invariants of DESIGN §10: the keeper itself, in this process, driven by
 * fast-check. The process is not killed here (crash.test.ts does that); a start over what a crash could leave is one of the events.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../system/failure.ts';
import { connectChannel, type Channel } from '../../system/channel.ts';
import { layoutOf, objectPath, type Layout } from '../../system/layout.ts';
import { segmentsOf } from '../../audit/files.ts';
import { startKeeper } from '../../processes/keeper/keeper.ts';
import { arrive, cleanConclusion, sampleBytes } from '../../processes/keeper/sample.ts';
import type { Running } from '../../system/process.ts';
import type { LedgerEntry, Work } from '../../pacs/quarantine/contract.ts';
import type { Job, ListAnswer } from '../../pacs/quarantine/requests.ts';
import { broken } from './invariants.ts';

/** Few enough that sequences meet: the same bytes twice, two objects of one UID, a decision on what just moved. */
const contents = ['a', 'b', 'c'];
const uids = ['2.25.1', '2.25.2'];

type Happening =
  | { readonly what: 'arrive'; readonly content: number; readonly uid: number }
  | { readonly what: 'conclude'; readonly verdict: 'clean' | 'malicious' | 'malformed' | 'other bytes' }
  | { readonly what: 'lose the inspector' }
  | { readonly what: 'decide'; readonly which: number; readonly decision: 'release' | 'destroy'; readonly person: string }
  | { readonly what: 'damage'; readonly which: number }
  | { readonly what: 'start again'; readonly torn: boolean };

const anything: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant('arrive' as const), content: fc.nat(contents.length - 1), uid: fc.nat(uids.length - 1) }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('conclude' as const), verdict: fc.constantFrom('clean' as const, 'clean' as const, 'malicious' as const, 'malformed' as const, 'other bytes' as const) }) },
  { weight: 1, arbitrary: fc.constant({ what: 'lose the inspector' as const }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('decide' as const), which: fc.nat(5), decision: fc.constantFrom('release' as const, 'destroy' as const), person: fc.constantFrom('anna', 'bert') }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('damage' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('start again' as const), torn: fc.boolean() }) },
);

class World {
  readonly layout: Layout;
  #keeper!: Running;
  #door!: Channel;
  #inspector!: Channel;
  #web!: Channel;
  readonly #failures: unknown[] = [];

  constructor(layout: Layout) {
    this.layout = layout;
  }

  async open(): Promise<void> {
    this.#keeper = await startKeeper(this.layout, (error) => this.#failures.push(error));
    this.#door = await connectChannel(this.layout.sockets.association);
    this.#inspector = await connectChannel(this.layout.sockets.inspector);
    this.#web = await connectChannel(this.layout.sockets.web);
  }
  async close(): Promise<void> {
    for (const channel of [this.#door, this.#inspector, this.#web]) channel.close();
    await this.#keeper.stop();
    assert.deepEqual(this.#failures, []);
  }

  async happen(happening: Happening): Promise<void> {
    switch (happening.what) {
      case 'arrive': {
        const bytes = sampleBytes(`${contents[happening.content]!} ${uids[happening.uid]!}`);
        await this.#door.request('admit', await arrive(this.layout, bytes, { sopInstanceUID: uids[happening.uid]! }));
        return;
      }
      case 'conclude': {
        const work = await this.#claim();
        if (work === null) return;
        const clean = cleanConclusion(work);
        const { verdict } = happening;
        await this.#inspector.request('conclude', verdict === 'other bytes' ? { ...clean, sha256: '0'.repeat(64) } : { ...clean, verdict });
        return;
      }
      case 'lose the inspector': {
        await this.#claim();
        this.#inspector.close();
        this.#inspector = await connectChannel(this.layout.sockets.inspector);
        return;
      }
      case 'decide': {
        const entry = await this.#one('held', happening.which);
        if (entry === null) return;
        // What may not be decided is refused; anything else that goes wrong is a bug.
        await this.#web.request('decide', { objectId: entry.objectId, decision: happening.decision, person: happening.person, roles: ['reviewer', 'security'], reason: 'test' }).catch(refusedOnly);
        return;
      }
      case 'damage': {
        const entry = await this.#one('archived', happening.which);
        if (entry === null) return;
        truncateSync(objectPath(this.layout.archive, entry.sha256), entry.bytes - 1);
        await this.#web.request('damage', { digest: entry.sha256, found: '' });
        return;
      }
      case 'start again':
        await this.close();
        if (happening.torn) appendFileSync(segmentsOf(this.layout.audit).at(-1)!.entries, '00000fff <AuditMessage>');
        await this.open();
    }
  }

  /** A claim would wait for work that is not there, so it is only made where there is some. */
  async #claim(): Promise<Work | null> {
    const { counts } = await this.#list('waiting');
    if (counts.waiting === 0) return null;
    const [job] = await this.#inspector.request<Job[]>('claim', { max: 1 });
    return job!.work;
  }
  async #one(state: 'held' | 'archived', which: number): Promise<LedgerEntry | null> {
    const { entries } = await this.#list(state);
    return entries.length === 0 ? null : entries[which % entries.length]!;
  }
  #list(state: 'waiting' | 'held' | 'archived'): Promise<ListAnswer> {
    return this.#web.request<ListAnswer>('list', { states: [state], text: '', limit: 50, after: null });
  }
}

function refusedOnly(error: unknown): void {
  if (!(error instanceof Failure) || error.severity !== 'refused') throw error;
}

test('any sequence of events keeps the invariants', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 5, maxLength: 40 }), async (happenings) => {
      const data = mkdtempSync(join(tmpdir(), 'lazaret-sequence-'));
      try {
        const world = new World(layoutOf(data));
        await world.open();
        for (const each of happenings) await world.happen(each);
        await world.close();
        assert.deepEqual(await broken(world.layout, []), []);
      } finally {
        rmSync(data, { recursive: true, force: true });
      }
    }),
    { numRuns: Number(process.env['LAZARET_SEQUENCES'] ?? 12), interruptAfterTimeLimit: 120_000, endOnFailure: true },
  );
});
