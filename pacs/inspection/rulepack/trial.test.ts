/** The pack that comes with the program keeps its own promises, and a pack that breaks any is told so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { yaraEngine } from '../engines/yara.ts';
import { loadYara } from '../engines/yaraaddon.ts';
import { packOf, rulesFolder } from './builtin.ts';
import { sourceOf, type Payload } from './contract.ts';
import { rulesOf } from './loading.ts';
import { rulesIn, tryPack, type Trial } from './trial.ts';

const skip = loadYara().addon === null;
const cpuMs = (): number => process.cpuUsage().user / 1000;
const builtIn = packOf(rulesFolder);

function tried(change: Partial<Payload>): Trial {
  const pack = { ...builtIn, ...change };
  return tryPack(pack, yaraEngine(rulesOf(pack), 2_000), cpuMs);
}
const marked = (body: string, meta = 'code = "malware-signature" text = "a marker"'): Payload['files'] => [{ name: 'marker.yar', text: `rule marker {\n  meta:\n    ${meta.replace('" text', '"\n    text')}\n  ${body}\n}` }];
const tests = (finds: string, passes: string): Payload['tests'] => [{ rule: 'marker', finds: [{ name: 'a marker', parts: [finds] }], passes: [{ name: 'none', parts: [passes] }] }];
const sound = { files: marked('strings: $a = "lazaret inert marker" condition: $a'), tests: tests('text:lazaret inert marker', 'text:lazaret inert') };

test('each rule of the built-in pack finds its samples, passes its near misses and leaves clean things alone', { skip }, () => {
  const trial = tried({});
  assert.deepEqual(trial.problems, []);
  assert.ok(trial.rules.length >= 30 && trial.samples >= 200);
});

test('the rules of a source, as people see them', () => {
  const rules = rulesIn(sourceOf(builtIn));
  assert.deepEqual(rules.find(({ name }) => name === 'eicar_test_file'), { name: 'eicar_test_file', code: 'malware-signature', text: 'the EICAR anti-malware test file' });
  assert.deepEqual(rules.filter(({ code, text }) => code === '' || text === ''), []);
});

test('a sound pack of one rule passes', { skip }, () => {
  assert.deepEqual(tried(sound).problems, []);
});

const broken: Readonly<Record<string, readonly [Partial<Payload>, RegExp]>> = {
  'a rule does not find its sample': [{ ...sound, tests: tests('text:another', 'text:none') }, /marker does not find 'a marker'/],
  'a rule finds its near miss': [{ ...sound, tests: tests('text:lazaret inert marker', 'text:a lazaret inert marker') }, /marker finds 'none'/],
  'a rule has no test': [{ ...sound, tests: [] }, /marker has no test/],
  'a test has no rule': [{ ...sound, tests: [...sound.tests, { ...sound.tests[0]!, rule: 'another' }] }, /no such rule/],
  'a rule finds a clean sample': [{ ...sound, clean: [{ name: 'a report', parts: ['text:lazaret inert marker'] }] }, /finds the clean sample/],
  'a code leads nowhere': [{ ...sound, files: marked('strings: $a = "lazaret inert marker" condition: $a', 'code = "nothing-known" text = "a marker"') }, /no code/],
  'a rule does not compile': [{ ...sound, files: marked('condition: nothing') }, /does not compile/],
  'a rule finds what every image has': [{ ...sound, files: marked('strings: $a = { 00 00 00 00 } condition: $a'), tests: tests('zeros:8', 'text:none') }, /finds (something in zeros|'none')/],
  'a rule takes for ever': [{ ...sound, files: marked('strings: $a = "lazaret inert marker" condition: $a or ( filesize > 1000000 and for any i in (1..100000000000) : ( i * 3 == 1 ) )') }, /do not get through zeros: engine-timed-out/],
};
for (const [how, [change, problem]] of Object.entries(broken)) {
  test(`not taken: ${how}`, { skip }, () => assert.match(tried(change).problems.join('\n'), problem));
}
