/** `./lazaret rules` on a data directory without a server, from the first key to the rollback, and what it refuses on the way. The keeper works as always. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loadYara } from '@lazaret/pacs/inspection/engines/yaraaddon.ts';
import { payloadOf, rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { choosePack } from '@lazaret/pacs/inspection/rulepack/choice.ts';
import type { Manifest, Payload } from '@lazaret/pacs/inspection/rulepack/contract.ts';
import { encodePack } from '@lazaret/pacs/inspection/rulepack/pack.ts';
import { sha256Of } from '@lazaret/pacs/inspection/rulepack/payload.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import { programRoot } from '@lazaret/system/sandbox.ts';
import { run } from '@lazaret/test/system.ts';

const skip = loadYara().addon === null;
const folder = mkdtempSync(join(tmpdir(), 'lazaret-rules-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, 'data');
const layout = layoutOf(data);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const builtIn = payloadOf(rulesFolder);
const name = builtIn.manifest.name;

async function rules(...words: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  const { code, stdout, stderr } = await run(process.execPath, [join(programRoot, 'cli', 'main.ts'), '--data', data, 'rules', ...words], { timeoutMs: 120_000 });
  return { code, said: `${stdout}${stderr}` };
}

/** A pack of one rule. */
function pack(version: number, change: { readonly condition?: string; readonly finds?: string; readonly manifest?: Partial<Manifest> } = {}, key = privateKey): string {
  const text = `rule marker {\n  meta:\n    code = "malware-signature"\n    text = "a marker"\n  strings:\n    $a = "lazaret inert marker"\n  condition:\n    ${change.condition ?? '$a'}\n}\n`;
  const payload: Payload = {
    manifest: { ...builtIn.manifest, version, text: `test ${version}`, changelog: [], ...change.manifest, files: [{ name: 'marker.yar', bytes: Buffer.byteLength(text), sha256: sha256Of(text) }] },
    files: [{ name: 'marker.yar', text }],
    tests: [{ rule: 'marker', finds: [{ name: 'a marker', parts: [change.finds ?? 'text:lazaret inert marker'] }], passes: [{ name: 'none', parts: ['text:nothing'] }] }], clean: [],
  };
  const path = join(folder, `${version}-${Math.random().toString(36).slice(2)}.rulepack`);
  writeFileSync(path, encodePack(payload, [key]));
  return path;
}

test('before anything is kept: the program\'s own rules are listed, and nothing is installed', { skip }, async () => {
  const listed = await rules('list');
  assert.equal(listed.code, 0);
  assert.match(listed.said, /came with Lazaret[\s\S]*none to go back to[\s\S]*none runs on[\s\S]*eicar_test_file/);
  mkdirSync(layout.ruleKeys, { recursive: true });
  writeFileSync(join(layout.ruleKeys, 'site.pem'), publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const { code, said } = await rules('update', pack(100));
  assert.equal(code, 1);
  assert.match(said, /Nothing is kept in/);
});

test('a pack is installed and gone back from without a server, and the record tells it', { skip }, async () => {
  mkdirSync(dirname(layout.database), { recursive: true });
  writeFileSync(layout.database, '');
  const installed = await rules('update', pack(100));
  assert.equal(installed.code, 0, installed.said);
  assert.match(installed.said, /Installed[\s\S]*No server runs/);
  assert.equal((await rules('update', pack(101))).code, 0);
  const listed = JSON.parse((await rules('list', '--json')).said) as { inUse: { version: number; signer: string }; previous: { version: number } };
  assert.deepEqual([listed.inUse.version, listed.inUse.signer, listed.previous.version], [101, 'site', 100]);
  assert.match((await rules('rollback')).said, /Gone back to rule pack test 100/);
  assert.equal(choosePack(layout, 1).current!.version, 100);
});

const refusals: Readonly<Record<string, readonly [() => string, RegExp]>> = {
  'signed by nobody who is trusted': [() => pack(200, {}, generateKeyPairSync('ed25519').privateKey), /No signer that is trusted/],
  'changed on the way': [() => {
    const path = pack(200);
    writeFileSync(path, readFileSync(path, 'latin1').replace('inert marker', 'other marker'), 'latin1');
    return path;
  }, /it was changed/],
  'longer than it was signed': [() => {
    const path = pack(200);
    appendFileSync(path, '\n');
    return path;
  }, /it was changed/],
  'older than what was installed': [() => pack(100, { finds: 'text:a lazaret inert marker' }), /not newer/],
  'older than the program': [() => pack(1), /not newer/],
  'too late': [() => pack(200, { manifest: { expires: '2020-01-01' } }), /until 2020-01-01/],
  'for a newer program': [() => pack(200, { manifest: { rulesVersionMin: 1_000_000 } }), /needs a newer Lazaret/],
  'of another name': [() => pack(200, { manifest: { name: `${name}-other` } }), /another name/],
  'not compiling': [() => pack(200, { condition: 'nothing' }), /does not compile/],
  'failing its own tests': [() => pack(200, { finds: 'text:another marker' }), /does not find/],
  'without end': [() => pack(200, { condition: '$a or ( filesize > 1000000 and for any i in (1..100000000000) : ( i * 3 == 1 ) )' }), /do not get through/],
  'no pack at all': [() => join(programRoot, 'package.json'), /no rule pack/],
};
for (const [how, [make, why]] of Object.entries(refusals)) {
  test(`refused: ${how}`, { skip }, async () => {
    const { code, said } = await rules('update', make());
    assert.equal(code, 1, said);
    assert.match(said, why);
    assert.equal(choosePack(layout, 1).current!.version, 100, 'what was in use stays in use');
  });
}

test('refused: rules that find something in clean files; test counts them', { skip }, async () => {
  const clean = join(folder, 'clean');
  mkdirSync(clean);
  writeFileSync(join(clean, 'report.txt'), 'lazaret inert marker\n'.repeat(3));
  copyFileSync(join(programRoot, 'package.json'), join(clean, 'package.json'));
  const { code, said } = await rules('update', pack(201), '--clean', clean);
  assert.equal(code, 1);
  assert.match(said, /2 clean files[\s\S]*something is found in 1[\s\S]*report\.txt/);
  assert.equal((await rules('test', clean)).code, 3);
  assert.match((await rules('test')).said, /1 rules, 2 samples: .*all as they should be/);
});

test('wrong words', async () => {
  for (const words of [[], ['lists'], ['update'], ['list', '--pack', 'x'], ['rollback', 'now']]) assert.equal((await rules(...words)).code, 2, words.join(' '));
});
