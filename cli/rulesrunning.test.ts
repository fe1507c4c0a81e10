/** Rules are updated and gone back from while objects arrive: none is lost, each verdict names the rules that looked, and new rules count from then on. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeDataSet } from '@lazaret/dicom/dataset/write.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { loadYara } from '@lazaret/pacs/inspection/engines/yaraaddon.ts';
import { payloadOf, rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { encodePack } from '@lazaret/pacs/inspection/rulepack/pack.ts';
import { sha256Of } from '@lazaret/pacs/inspection/rulepack/payload.ts';
import { settled } from '@lazaret/test/ledger.ts';
import { startSystem, type System } from '@lazaret/test/system.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-running-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const marker = 'lazaret inert marker of a rule to come';

/** Objects in a folder of their own, `count` of them, with `comment` in a private value. */
function objects(name: string, first: number, count: number, comment: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  const syntax = '1.2.840.10008.1.2.1';
  const sopClassUID = '1.2.840.10008.5.1.4.1.1.66';
  const text = (tag: number, vr: string, value: string): { tag: number; vr: string; value: string[] } => ({ tag, vr, value: [value] });
  for (let index = first; index < first + count; index += 1) {
    const sopInstanceUID = `1.2.3.${index}`;
    const dataSet = encodeDataSet([text(0x00080016, 'UI', sopClassUID), text(0x00080018, 'UI', sopInstanceUID), text(0x00090010, 'LO', 'LAZARET TEST'), text(0x00091001, 'LO', comment), text(0x0020000d, 'UI', '1.2.4'), text(0x0020000e, 'UI', '1.2.5')], syntax);
    writeFileSync(join(place, `${index}.dcm`), Buffer.concat([encodeFileMeta({ mediaStorageSOPClassUID: sopClassUID, mediaStorageSOPInstanceUID: sopInstanceUID, transferSyntaxUID: syntax }), dataSet]));
  }
  return place;
}

function pack(): string {
  const builtIn = payloadOf(rulesFolder);
  const text = `rule marker {\n  meta:\n    code = "malware-signature"\n    text = "a marker"\n  strings:\n    $a = "${marker}"\n  condition:\n    $a\n}\n`;
  const files = [...builtIn.files, { name: 'zz-marker.yar', text }];
  const path = join(folder, 'next.rulepack');
  writeFileSync(path, encodePack({
    ...builtIn, files,
    manifest: { ...builtIn.manifest, version: 100, text: 'test 100', files: files.map((file) => ({ name: file.name, bytes: Buffer.byteLength(file.text), sha256: sha256Of(file.text) })) },
    tests: [...builtIn.tests, { rule: 'marker', finds: [{ name: 'a marker', parts: [`text:${marker}`] }], passes: [{ name: 'none', parts: ['text:lazaret inert marker'] }] }],
  }, [privateKey]));
  return path;
}

test('rules change while objects arrive', { skip: loadYara().addon === null }, async (t) => {
  const system = await startSystem(t);
  mkdirSync(system.layout.ruleKeys, { recursive: true });
  writeFileSync(join(system.layout.ruleKeys, 'site.pem'), publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const send = (place: string): ReturnType<System['lazaret']> => system.lazaret('send', `${system.dimse.host}:${system.dimse.port}`, place);
  const epoch = async (): Promise<string> => (JSON.parse((await system.lazaret('doctor', '--json')).stdout) as { lines: { topic: string; text: string }[] }).lines.find(({ topic }) => topic === 'epoch')!.text;
  const before = await epoch();

  const sending = send(objects('during', 0, 400, 'nothing'));
  const updated = await system.lazaret('rules', 'update', pack());
  assert.equal(updated.code, 0, `${updated.stdout}${updated.stderr}${system.output()}`);
  assert.match(updated.stdout, /examiners use these rules now/);
  assert.equal((await sending).code, 0);
  const { archived, held } = await settled(system);
  assert.deepEqual([archived, held], [400, 0], 'no object was lost or held');
  assert.match(await epoch(), /rules 100 /);

  await send(objects('found', 1000, 1, marker));
  assert.equal((await settled(system)).held, 1, 'the new rule counts');
  const back = await system.lazaret('rules', 'rollback');
  assert.equal(back.code, 0, back.stderr);
  assert.equal(await epoch(), before);
  await send(objects('passed', 2000, 1, `${marker} again`));
  assert.equal((await settled(system)).held, 1, 'and counts no more');
  const log = (await system.lazaret('audit', 'show')).stdout;
  assert.match(log, /rolled back to the rule pack that came with the program/);
  assert.doesNotMatch(system.output(), /ended while|crashed|starting it again/);
});
