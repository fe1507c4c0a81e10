/** What can be published, and what cannot: rules that find something in clean files, or that would hold up the examiners. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeDataSet } from '@lazaret/dicom/dataset/write.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { readPack } from '@lazaret/pacs/inspection/rulepack/pack.ts';
import { loadYara } from '@lazaret/pacs/inspection/engines/yaraaddon.ts';
import { publish, privateKeysOf } from './publish.ts';
import { syntheticRules } from './synthetic.ts';

const skip = loadYara().addon === null;
const folder = mkdtempSync(join(tmpdir(), 'lazaret-published-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signers = [{ name: 'site', keys: [publicKey] }];

const clean = join(folder, 'clean');
mkdirSync(clean);
for (const [index, comment] of ['no finding', 'lazaret inert words of a protocol'].entries()) {
  const syntax = '1.2.840.10008.1.2.1';
  const sopClassUID = '1.2.840.10008.5.1.4.1.1.66';
  const uid = (tag: number, value: string): { tag: number; vr: string; value: string[] } => ({ tag, vr: 'UI', value: [value] });
  const dataSet = encodeDataSet([uid(0x00080016, sopClassUID), uid(0x00080018, `1.2.3.${index}`), uid(0x0020000d, '1.2.4'), uid(0x0020000e, '1.2.5'), { tag: 0x00204000, vr: 'LT', value: [comment] }], syntax);
  writeFileSync(join(clean, `${index}.dcm`), Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: sopClassUID, mediaStorageSOPInstanceUID: `1.2.3.${index}`, transferSyntaxUID: syntax }), dataSet]));
}

function rules(name: string, body: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  cpSync(join(rulesFolder, 'pack.json'), join(place, 'pack.json'));
  writeFileSync(join(place, 'marker.yar'), `rule marker {\n  meta:\n    code = "malware-signature"\n    text = "a marker"\n  ${body}\n}\n`);
  writeFileSync(join(place, 'marker.tests.json'), JSON.stringify([{ rule: 'marker', finds: [{ name: 'a marker', parts: ['text:lazaret inert marker'] }], passes: [{ name: 'none', parts: ['text:nothing'] }] }]));
  return place;
}

test('sound rules are tried, signed and read back', { skip }, async () => {
  const { file, tried } = await publish(rules('sound', 'strings: $a = "lazaret inert marker" condition: $a'), [privateKey], [clean], 2);
  const pack = readPack(file, signers);
  assert.deepEqual(pack.manifest.clean!.files, 2);
  assert.deepEqual([tried.matches, tried.problems, tried.samples], [[], [], 2]);
});

const refusals: Readonly<Record<string, readonly [body: string, why: RegExp]>> = {
  'rules that find something in a clean file': ['strings: $a = "lazaret inert" condition: $a', /1\.dcm: a marker/],
  'rules that do not find their sample': ['strings: $a = "another marker" condition: $a', /does not find/],
  'rules that take for ever': ['strings: $a = "lazaret inert marker" condition: $a or ( filesize > 1000000 and for any i in (1..100000000000) : ( i * 3 == 1 ) )', /do not get through/],
};
for (const [how, [body, why]] of Object.entries(refusals)) {
  test(`not published: ${how}`, { skip }, () => assert.rejects(publish(rules(how.replaceAll(' ', '-'), body), [privateKey], [clean], 2), (error: Error & { code?: string }) => error.code === 'rulepack-unpublished' && why.test(error.message)));
}

test('not published: rules that were looked for in too few files', () => assert.rejects(publish(rulesFolder, [privateKey], [clean]), { code: 'rulepack-unpublished' }));

test('a key is made for a signer, private for whoever signs, public for whoever takes', () => {
  const ended = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), 'key', 'supplier', '--ml-dsa'], { cwd: folder, encoding: 'utf8' });
  assert.equal(ended.status, 0, ended.stderr);
  assert.deepEqual(privateKeysOf(readFileSync(join(folder, 'supplier.private.pem'), 'latin1')).map((key) => key.asymmetricKeyType), ['ed25519', 'ml-dsa-65']);
});

test('rules for measurements compile and find nothing', { skip }, () => {
  const compiled = loadYara().addon!.compile(syntheticRules(500), { enableIncludes: false });
  assert.equal(syntheticRules(500), syntheticRules(500));
  assert.deepEqual(compiled.scan(readFileSync(join(clean, '0.dcm'))), []);
});
