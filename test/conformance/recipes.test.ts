/**
 * Each recipe through each door that it can pass: held, or served with the bytes of its Data Set as they were sent, as its row says.
 * One system for each door: the same instance by two doors would be one instance that came twice.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { LedgerEntry } from '../../pacs/quarantine/contract.ts';
import { recipes } from '../../tools/recipes/all.ts';
import type { Expected, Recipe } from '../../tools/recipes/recipe.ts';
import { entriesOf, settled } from '../ledger.ts';
import { storeOne } from '../scu.ts';
import { startSystem, type System } from '../system.ts';
import { findInstance, partsOf, retrieve, splitPart10, stow, uidIn } from './web.ts';

const settleTimeoutMs = 900_000;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Sent {
  readonly recipe: Recipe;
  readonly expected: Expected;
  /** What the sender was told. */
  readonly told: string;
  readonly accepted: boolean;
  /** The Data Set, without what follows it; null where there is none to compare. */
  readonly dataSet: Uint8Array | null;
  readonly matches: (entry: LedgerEntry) => boolean;
}

/** What became of it is what its row says; each line of the answer is a difference. */
async function judge(system: System, sent: readonly Sent[]): Promise<string[]> {
  // An examiner is replaced after each of the hundreds that are held.
  await settled(system, settleTimeoutMs);
  const entries = await entriesOf(system);
  const wrong: string[] = [];
  for (const one of sent) {
    const say = (text: string): void => void wrong.push(`${one.recipe.threat.padEnd(6)} ${one.recipe.name}: ${text}`);
    const entry = entries.find(one.matches);
    const expected = one.expected.verdicts.join(' or ');
    if (entry === undefined) {
      // A door may refuse what is no object at all, if it says so.
      if (one.accepted) say(`accepted (${one.told}) and in no state: lost`);
      else if (one.expected.verdicts.includes('clean')) say(`refused at the door: ${one.told}`);
      continue;
    }
    if (entry.verdict === null || !one.expected.verdicts.includes(entry.verdict)) {
      say(`${entry.state} as ${entry.verdict}, expected ${expected}. ${entry.findings.map((finding) => `${finding.code}: ${finding.text}`).join('; ')}`);
      continue;
    }
    if (entry.verdict !== 'clean') {
      if (entry.state !== 'held') say(`${entry.verdict} and yet ${entry.state}`);
      if (one.recipe.threat !== 'C1' && entry.sopInstanceUID !== '' && (await findInstance(system, encodeURIComponent(entry.sopInstanceUID)).catch(() => [])).length > 0) say('held and yet found by QIDO-RS');
      continue;
    }
    if (entry.state !== 'archived') say(`clean and ${entry.state}`);
    if (entry.disarmed.join() !== one.expected.disarmed.join()) say(`disarmed [${entry.disarmed.join()}], expected [${one.expected.disarmed.join()}]`);
    const found = await findInstance(system, entry.sopInstanceUID);
    if (found.length !== 1) {
      say(`QIDO-RS finds ${found.length} instances`);
      continue;
    }
    const answer = await retrieve(system, { studyInstanceUID: uidIn(found[0]!, '0020000D'), seriesInstanceUID: uidIn(found[0]!, '0020000E'), sopInstanceUID: entry.sopInstanceUID });
    if (answer.status !== 200) {
      say(`WADO-RS answers ${answer.status}: ${answer.body.toString('utf8', 0, 200)}`);
      continue;
    }
    const served = splitPart10(partsOf(answer)[0]!);
    if (one.dataSet !== null && sha256(served.dataSet) !== sha256(one.dataSet)) say(`WADO-RS serves another Data Set (${served.dataSet.length} bytes, sent were ${one.dataSet.length})`);
    if (served.preamble.some((byte) => byte !== 0)) say('WADO-RS serves a preamble that is not zero');
  }
  return wrong;
}

/** The Data Set of a recipe without what was put behind it. */
function dataSetOf(recipe: Recipe, file: Uint8Array): Uint8Array | null {
  const transfer = recipe.transfer?.();
  if (transfer === undefined) return null;
  const { dataSet } = splitPart10(Buffer.from(file));
  const behind = recipe.trailing?.() ?? 0;
  return dataSet.subarray(0, dataSet.length - behind);
}

test('DIMSE: every recipe ends as its row says', async (t) => {
  const system = await startSystem(t);
  const sent: Sent[] = [];
  for (const recipe of recipes.filter((one) => one.doors.includes('association'))) {
    const transfer = recipe.transfer!();
    const answer = await storeOne(system.dimse, transfer).then(
      ({ status, comment }) => ({ accepted: status === 0, told: `status ${status.toString(16)} ${comment}` }),
      (error: unknown) => ({ accepted: false, told: (error as Error).message }),
    );
    sent.push({ recipe, expected: transfer.expected, ...answer, dataSet: dataSetOf(recipe, recipe.bytes()), matches: (entry) => entry.sopInstanceUID === transfer.sopInstanceUID });
  }
  const wrong = await judge(system, sent);
  assert.equal(wrong.length, 0, `${wrong.length} of ${sent.length}:\n${wrong.join('\n')}`);
});

test('STOW-RS: every recipe ends as its row says', async (t) => {
  const system = await startSystem(t);
  const sent: Sent[] = [];
  for (const recipe of recipes.filter((one) => one.doors.includes('stow'))) {
    const bytes = recipe.bytes();
    const digest = sha256(bytes);
    const answer = await stow(system, [bytes]);
    sent.push({
      recipe, expected: recipe.overStow ?? recipe.expected, accepted: answer.status === 200 || answer.status === 202,
      told: `${answer.status} ${answer.body.toString('utf8', 0, 400)}`,
      dataSet: dataSetOf(recipe, bytes), matches: (entry) => entry.sha256 === digest,
    });
  }
  const wrong = await judge(system, sent);
  assert.equal(wrong.length, 0, `${wrong.length} of ${sent.length}:\n${wrong.join('\n')}`);
});
