/**
 * Real crashes: kill -9 of keeper, inspector and association at random points under load, then the invariants of DESIGN §10.
 *
 * LAZARET_CRASH_KILLS=N makes a longer run; LAZARET_CRASH_SEED=N repeats the choice of who is killed when (the machine decides the rest).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connectChannel } from '../../system/channel.ts';
import { layoutOf } from '../../system/layout.ts';
import type { StatusAnswer } from '../../pacs/quarantine/requests.ts';
import { broken } from './invariants.ts';
import { Load } from './load.ts';
import { Machines, type Name } from './machines.ts';

const kills = Number(process.env['LAZARET_CRASH_KILLS'] ?? 50);
const seed = Number(process.env['LAZARET_CRASH_SEED'] ?? Date.now() % 1_000_000);
const senders = 4;
/** Long enough that something was acknowledged between two kills, short enough that starts are hit too. */
const pauseMsMin = 20;
const pauseMsMax = 1_500;
/** An examiner may take up to its own time limit for one object; longer than this nothing moves at all. */
const stuckMs = 45_000;

test(`after ${kills} kills under load every acknowledged object is in one state, clean or held, and on the record`, { timeout: 60_000 + kills * 6_000 }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lazaret-crash-'));
  const layout = layoutOf(data);
  const machines = await Machines.start(layout);
  let keep = true;
  t.after(async () => {
    await machines.stop();
    if (!keep) rmSync(data, { recursive: true, force: true });
  });
  const random = randomOf(seed);
  const load = new Load(machines.port, senders);
  while (machines.kills < kills) {
    await wait(pauseMsMin + random() * (pauseMsMax - pauseMsMin));
    for (const name of victims(random())) machines.kill(name);
    // Every tenth time all come up in between, so that the load gets through and there is something to lose.
    if (machines.kills % 10 === 0) {
      await machines.allReady();
      await wait(pauseMsMax);
    }
  }
  await machines.allReady();
  await load.stop();
  await concluded(layout.sockets.terminal);
  await machines.stop();
  const acknowledged = load.sent.filter((sent) => sent.acknowledged).length;
  t.diagnostic(`seed ${seed}: ${machines.kills} kills, ${load.sent.length} objects, ${acknowledged} acknowledged, ${load.sent.reduce((sum, { attempts }) => sum + attempts, 0)} attempts, other statuses ${JSON.stringify([...load.refusals].map(([status, count]) => [status.toString(16), count]))}`);
  const wrong = await broken(layout, load.sent);
  assert.deepEqual(wrong, [], `seed ${seed}, data kept in ${data}\n${machines.lastWords()}`);
  assert.deepEqual(machines.surprises, [], machines.lastWords());
  assert.ok(acknowledged >= kills, `only ${acknowledged} objects were acknowledged: the test lost its load`);
  keep = false;
});

/** The keeper most often: it has the most to lose. Now and then all at once, as when the machine's memory runs out. */
function victims(chance: number): readonly Name[] {
  if (chance < 0.5) return ['keeper'];
  if (chance < 0.7) return ['association'];
  if (chance < 0.9) return ['inspector'];
  return ['keeper', 'inspector', 'association'];
}

/** Waits until nothing waits; fails when nothing moves any more. */
async function concluded(socket: string): Promise<void> {
  const channel = await connectChannel(socket);
  try {
    for (let left = Infinity, moved = Date.now(); ; await wait(100)) {
      const { counts } = await channel.request<StatusAnswer>('status', null);
      const now = counts.waiting + counts.inspecting;
      if (now === 0) return;
      if (now < left) [left, moved] = [now, Date.now()];
      assert.ok(Date.now() - moved < stuckMs, `objects wait and nothing moves: ${JSON.stringify(counts)}`);
    }
  } finally {
    channel.close();
  }
}

/** A small generator of numbers in [0, 1) (mulberry32): the same seed, the same choices. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
