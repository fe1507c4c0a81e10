/** The keeper reads what it keeps by itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerEntry } from '../../pacs/quarantine/contract.ts';
import type { Job, StatusAnswer } from '../../pacs/quarantine/requests.ts';
import { startKeeper } from '../../processes/keeper/keeper.ts';
import { arrive, cleanConclusion, sampleBytes } from '../../processes/keeper/sample.ts';
import { connectChannel } from '../../system/channel.ts';
import { layoutOf, objectPath } from '../../system/layout.ts';

test('a file that rotted is found without anybody asking for it, and a pass is on the record', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-sweep-'));
  const layout = layoutOf(data);
  const fatal = (error: unknown): void => assert.fail(String(error));
  let keeper = await startKeeper(layout, fatal);
  t.after(async () => {
    await keeper.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const door = await connectChannel(layout.sockets.association);
  const inspector = await connectChannel(layout.sockets.inspector);
  const works = [];
  for (const name of ['one', 'two', 'three']) {
    await door.request('admit', await arrive(layout, sampleBytes(name)));
    const [job] = await inspector.request<Job[]>('claim', { max: 1 });
    assert.ok(job !== undefined && job.kind === 'inspect');
    await inspector.request('conclude', cleanConclusion(job.work));
    works.push(job.work);
  }
  door.close();
  inspector.close();
  await keeper.stop();
  writeFileSync(objectPath(layout.archive, works[1]!.sha256), 'rotten');

  keeper = await startKeeper(layout, fatal, { firstMs: 1, folderMs: 0 });
  const terminal = await connectChannel(layout.sockets.terminal);
  t.after(() => terminal.close());
  const swept = async () => (await terminal.request<StatusAnswer>('status', null)).safekept?.find(({ what }) => what === 'sweep');
  while ((await swept()) === undefined) await wait(50);
  const last = await swept();
  assert.deepEqual([last?.objects, last?.findings], [3, 1]);
  const states = await Promise.all(works.map(({ objectId }) => terminal.request<LedgerEntry>('show', { objectId })));
  assert.deepEqual(states.map(({ state }) => state), ['archived', 'held', 'archived']);
  assert.deepEqual(states[1]!.findings.map(({ code }) => code), ['digest-mismatch']);
});
