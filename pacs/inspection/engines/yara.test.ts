import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rulesFolder } from '../rulepack/builtin.ts';
import { yaraEngine, type Place } from './yara.ts';
import { loadYara } from './yaraaddon.ts';

const engine = yaraEngine();
const other = (): Place => ({ tag: '(0009,1001)', region: 'other' });
const scan = (bytes: Uint8Array, place: () => Place = other): string[] => engine.scan({ bytes, offset: 0, place }).map((finding) => finding.code);
/** `bytes` in the middle of zeros: what depends on the position is no rule's business. */
const inside = (...parts: (string | number[])[]): Buffer => Buffer.concat([Buffer.alloc(1000), ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))), Buffer.alloc(1000)]);
const eicar = ['X5O!P%@AP[4', 'PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'];

/** Inert headers: the fields that a rule looks at, and nothing that could run. */
const peHeader = [0x50, 0x45, 0, 0, 0x64, 0x86, 3, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0, 0x22, 0, 0x0b, 0x02];
const shortcut = [0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
const zipEntry = [0x50, 0x4b, 3, 4, 0x14, 0, 0, 0, 8, 0];

const samples: Readonly<Record<string, readonly [string, Buffer]>> = {
  eicar_test_file: ['malware-signature', inside(`${eicar[0]}\\${eicar[1]}${eicar[2]}`)],
  windows_executable: ['executable-content', inside(peHeader)],
  unix_script: ['script-content', inside('#!', '/bin/sh\n')],
  windows_shortcut: ['shortcut-content', inside(shortcut)],
  zip_container: ['container-content', inside(zipEntry)],
  pdf_document: ['document-content', inside('%PDF', '-1.7\n')],
};

const present = loadYara().addon !== null;

test('a finding has the code of its rule, names it and points at the place', { skip: !present }, () => {
  for (const [rule, [code, bytes]] of Object.entries(samples)) {
    const [finding] = engine.scan({ bytes, offset: 5000, place: other });
    assert.equal(finding?.code, code, rule);
    assert.match(finding!.text, new RegExp(rule));
    assert.ok(finding!.offset >= 6000 && finding!.offset < 7000, `${rule} points at the match`);
    assert.equal(finding!.tag, '(0009,1001)');
  }
});

test('rule files are not themselves what they look for', { skip: !present }, () => {
  for (const name of readdirSync(rulesFolder)) {
    assert.deepEqual(scan(readFileSync(join(rulesFolder, name))).filter((code) => code === 'malware-signature' || code === 'executable-content'), [], name);
  }
});

test('random pixels match nothing', { skip: !present }, () => {
  const bytes = Buffer.alloc(4 * 1024 * 1024);
  for (let round = 0; round < 8; round += 1) assert.deepEqual(scan(randomFillSync(bytes)), []);
});

test('a rule that takes too long is an engine that timed out, and no object is clean', { skip: !present }, () => {
  const slow = yaraEngine({ source: 'rule slow { condition: for any i in (1..100000000000) : ( i * 3 == 1 ) }', signatures: 'rules 1', text: '', problem: null }, 500);
  assert.deepEqual(slow.scan({ bytes: Buffer.alloc(100_000, 'ab'), offset: 0, place: other }).map(({ code }) => code), ['engine-timed-out']);
});

test('what is excused by its place does not hide what is behind it', { skip: !present }, () => {
  const decoys = Buffer.from('powershell.exe '.repeat(12_000));
  const bytes = Buffer.concat([decoys, Buffer.from('powershell.exe')]);
  const found = engine.scan({ bytes, offset: 0, place: (offset) => ({ tag: '', region: offset < decoys.length ? 'text' : 'other' }) });
  assert.ok(found.some(({ code }) => code === 'engine-limit' || code === 'script-content'), 'never nothing');
});

test('text may speak of scripts, a document may be one; both are still looked into for programs', { skip: !present }, () => {
  const text = (): Place => ({ tag: '(0040,A160)', region: 'text' });
  const document = (): Place => ({ tag: '(0042,0011)', region: 'document' });
  assert.deepEqual(scan(samples['unix_script']![1], text), []);
  assert.deepEqual(scan(samples['pdf_document']![1], document), []);
  assert.deepEqual(scan(samples['windows_executable']![1], text), ['executable-content']);
  assert.deepEqual(scan(samples['eicar_test_file']![1], document), ['malware-signature']);
});

test('a rule pack that does not compile is an engine that fails, and no object is clean', () => {
  for (const source of ['include "/etc/hostname"', 'rule broken { condition: nothing }']) {
    const broken = yaraEngine({ source, signatures: 'rules 1', text: '', problem: null });
    assert.notEqual(broken.version().state, 'ready');
    assert.match(broken.scan({ bytes: Buffer.alloc(10), offset: 0, place: other })[0]!.code, /^engine-(failed|missing)$/);
  }
});
