/** The export file: what is in it, for whom it opens (zip.js, and libarchive where it is there), and what is refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BlobReader, TextWriter, Uint8ArrayWriter, ZipReader, type FileEntry } from '@zip.js/zip.js';
import type { LedgerEntry } from './contract.ts';
import { checkBlanking, writeExport, type ExportItem } from './exportfile.ts';
import { fillNumber, otherUID } from './overwriting.ts';
import { checkPassphrase, newPassphrase } from './exportpassphrase.ts';

const passphrase = 'QUIET-HARBOUR-77-LANTERN';
const bytes = Buffer.alloc(300_000, 'abcdefghij');
bytes.write('GEHEIM^ERIKA', 131_066, 'latin1');
const objectId = 'ab'.repeat(16);

function itemIn(t: TestContext, content = bytes): ExportItem {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-export-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, objectId);
  writeFileSync(path, content);
  const entry = {
    objectId, state: 'held', verdict: 'malformed', epoch: 'test 1', bytes: bytes.length, disarmed: [], sopClassUID: '1.2', sopInstanceUID: '2.25.1', studyInstanceUID: '2.25.2', studyDescription: 'CT', modality: 'CT', patientName: 'GEHEIM^ERIKA', patientID: 'PID-7',
    sha256: createHash('sha256').update(bytes).digest('hex'), source: { peer: 'CLINIC' }, receivedAt: 0, concludedAt: 0, conflicts: [], findings: [{ code: 'length-odd', offset: 131_060, length: 20, tag: '(0010,0010)', engine: 'structure', text: 'says GEHEIM' }],
  } as unknown as LedgerEntry;
  // Across the edge of two pieces of the stream.
  const map = { bytes: bytes.length, spans: [], findings: [], window: null, parts: [], partCount: 0, blank: { outcome: 'blanked', text: '', ranges: [131_066, 12, fillNumber.spaces], patches: [], elements: 1 } } as const;
  return { entry, map, path };
}

async function written(item: ExportItem, deIdentified: boolean): Promise<string> {
  const path = `${item.path}.zip`;
  await writeExport([item], { passphrase, deIdentified, person: 'ann', reason: 'asked by the supplier', destination: 'the laboratory', at: 0, explain: (code) => ({ title: code, meaning: 'meaning', advice: 'advice' }) }, createWriteStream(path));
  return path;
}

async function opened(path: string, password: string): Promise<{ names: string[]; text(name: string): Promise<string>; bytes(name: string): Promise<Buffer> }> {
  const entries = (await new ZipReader(new BlobReader(await openAsBlob(path)), { password, useWebWorkers: false }).getEntries()) as FileEntry[];
  const entry = (name: string): FileEntry => entries.find(({ filename }) => filename === name)!;
  assert.ok(entries.every(({ encrypted }) => encrypted));
  return { names: entries.map(({ filename }) => filename), text: (name) => entry(name).getData(new TextWriter()), bytes: async (name) => Buffer.from(await entry(name).getData(new Uint8ArrayWriter())) };
}

test('whole: the bytes as received, findings, manifest with digests; nothing without the passphrase', async (t) => {
  const path = await written(itemIn(t), false);
  const zip = await opened(path, passphrase);
  assert.deepEqual(zip.names, ['README.txt', `${objectId}/object.quarantined`, `${objectId}/findings.json`, `${objectId}/findings.txt`, 'manifest.json']);
  assert.deepEqual(await zip.bytes(`${objectId}/object.quarantined`), bytes);
  const manifest = JSON.parse(await zip.text('manifest.json')) as { objects: { sha256AsReceived: string; sha256InThisFile: string; patientID: string }[] };
  assert.deepEqual([manifest.objects[0]?.sha256AsReceived, manifest.objects[0]?.patientID], [manifest.objects[0]?.sha256InThisFile, 'PID-7']);
  assert.match(await zip.text(`${objectId}/findings.txt`), /says GEHEIM/);
  await assert.rejects((await opened(path, 'another passphrase 12')).bytes(`${objectId}/object.quarantined`));
});

test('de-identified: overwritten across pieces, both digests, no name anywhere in the file; what was found there is named', async (t) => {
  const zip = await opened(await written(itemIn(t), true), passphrase);
  const leaving = await zip.bytes(`${objectId}/object.quarantined`);
  assert.deepEqual(leaving, Buffer.concat([bytes.subarray(0, 131_066), Buffer.alloc(12, ' '), bytes.subarray(131_078)]));
  const manifest = await zip.text('manifest.json');
  assert.ok(manifest.includes(createHash('sha256').update(leaving).digest('hex')) && manifest.includes(createHash('sha256').update(bytes).digest('hex')) && manifest.includes('"length-odd"'));
  for (const name of zip.names) assert.doesNotMatch(await zip.text(name), /GEHEIM|PID-7|CLINIC/, name);
});

test('a UID across two pieces becomes another of its length, the same wherever it stands; what says so is added, and told', async (t) => {
  const uid = '1.3.12.2.1107.5.1.4.77';
  const content = Buffer.from(bytes);
  for (const at of [1_000, 131_066, 262_140]) content.write(uid, at, 'latin1');
  const item = itemIn(t, content);
  const blank = {
    outcome: 'blanked', text: '', elements: 4, ranges: [1_000, 131_066, 262_140].flatMap((offset) => (offset === 262_140 ? [200_000, 90, fillNumber.dateTime] : []).concat(offset, uid.length, fillNumber.uid)),
    patches: [{ offset: 131_000, length: 4, bytes: '' }, { offset: 262_144 - 100, length: 0, bytes: Buffer.from('INSERTED').toString('base64') }],
  } as const;
  const entry = { ...item.entry, sha256: createHash('sha256').update(content).digest('hex'), findings: [] } as unknown as LedgerEntry;
  const zip = await opened(await written({ ...item, entry, map: { ...item.map!, blank } }, true), passphrase);
  const leaving = await zip.bytes(`${objectId}/object.quarantined`);
  assert.equal(leaving.length, content.length + 4);
  const uids = [1_000, 131_062, 262_144].map((at) => leaving.toString('latin1', at, at + uid.length));
  assert.match(uids[0]!, /^2\.25\.[1-9]\d{16}$/);
  assert.deepEqual(uids.slice(1), [uids[0], uids[0]]);
  assert.equal(leaving.toString('latin1', 199_996, 200_086), '20000101000000.000000'.padEnd(90));
  assert.equal(leaving.toString('latin1', 262_040, 262_048), 'INSERTED');
  const manifest = await zip.text('manifest.json');
  assert.match(manifest, /"lengthChanged": \[[^\]]*"offset": 131000,\s*"removed": 4,\s*"added": 0/);
  assert.doesNotMatch(manifest, /sopInstanceUID/);
});

test('what was deflated is unpacked on its way, and overwritten after that; what was found in the stream is named', async (t) => {
  const item = itemIn(t);
  const whole = Buffer.alloc(200_000, 'unpacked! ');
  whole.write('GEHEIM^ERIKA', 150_000, 'latin1');
  const blank = {
    outcome: 'blanked', text: '', elements: 1, unpacked: [{ offset: 10, length: 2, bytes: Buffer.from('meta').toString('base64') }, { offset: 1_000, length: 299_000, bytes: whole.toString('base64') }],
    ranges: [1_002 + 150_000, 12, fillNumber.spaces], patches: [{ offset: 1_002, length: 0, bytes: Buffer.from('DONE').toString('base64') }],
  } as const;
  const zip = await opened(await written({ ...item, map: { ...item.map!, blank } }, true), passphrase);
  whole.fill(' ', 150_000, 150_012);
  assert.deepEqual(await zip.bytes(`${objectId}/object.quarantined`), Buffer.concat([bytes.subarray(0, 10), Buffer.from('meta'), bytes.subarray(12, 1_000), Buffer.from('DONE'), whole]));
  const manifest = JSON.parse(await zip.text('manifest.json')) as { objects: { sha256AsReceived: string; deIdentification: { unpacked: { lengthChanged: object[] }; findingsInOverwrittenBytes: { code: string }[] } }[] };
  assert.deepEqual(manifest.objects[0]!.deIdentification.unpacked.lengthChanged, [{ offset: 10, removed: 2, added: 4 }, { offset: 1_000, removed: 299_000, added: 200_000 }]);
  assert.deepEqual(manifest.objects[0]!.deIdentification.findingsInOverwrittenBytes.map(({ code }) => code), ['length-odd']);
  assert.equal(manifest.objects[0]!.sha256AsReceived, createHash('sha256').update(bytes).digest('hex'));
});

test('other UIDs are UIDs of the same length, whatever that is', () => {
  const key = Buffer.alloc(32, 1);
  for (let length = 1; length <= 64; length += 1) {
    const made = Array.from({ length: 40 }, (_, index) => Buffer.from(otherUID(Buffer.from(`${index}`.padStart(length, '1').slice(-length)), key)).toString());
    for (const uid of made) assert.ok(uid.length === length && /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/.test(uid), uid);
  }
});

test('libarchive, which is not ours, reads it with the passphrase', async (t) => {
  const path = await written(itemIn(t), false);
  const program = `
import ctypes, sys
try: l = ctypes.CDLL('libarchive.so.13')
except OSError: print('absent'); sys.exit()
l.archive_read_new.restype = ctypes.c_void_p; l.archive_entry_pathname.restype = ctypes.c_char_p; l.archive_read_data.restype = ctypes.c_ssize_t
a = ctypes.c_void_p(l.archive_read_new()); l.archive_read_support_format_zip(a); l.archive_read_add_passphrase(a, sys.argv[2].encode())
assert l.archive_read_open_filename(a, sys.argv[1].encode(), ctypes.c_size_t(65536)) == 0
e = ctypes.c_void_p(); total = {}
while l.archive_read_next_header(a, ctypes.byref(e)) == 0:
    name = l.archive_entry_pathname(e).decode(); total[name] = 0; buffer = ctypes.create_string_buffer(65536)
    while True:
        n = l.archive_read_data(a, buffer, ctypes.c_size_t(65536))
        if n < 0: print('refused'); sys.exit()
        if n == 0: break
        total[name] += n
print(total['${objectId}/object.quarantined'])
`;
  const by = (word: string): string => spawnSync('/usr/bin/python3', ['-c', program, path, word], { encoding: 'utf8' }).stdout.trim();
  const right = by(passphrase);
  if (right === 'absent' || right === '') return t.skip('libarchive or Python is not installed');
  assert.deepEqual([right, by('wrong passphrase 123')], [String(bytes.length), 'refused']);
});

test('a file that changed in the vault is no evidence: the export ends', async (t) => {
  const changed = Buffer.from(bytes);
  changed[5] = 0;
  await assert.rejects(written(itemIn(t, changed), false), { code: 'digest-mismatch' });
});

test('what cannot be overwritten does not leave de-identified; weak passphrases are refused, ours are none', (t) => {
  const item = itemIn(t);
  for (const map of [null, { ...item.map!, blank: { outcome: 'impossible', text: 'It is deflated.', ranges: [], patches: [], elements: 0 } as const }]) assert.throws(() => checkBlanking([{ ...item, map }]), { code: 'blanking-impossible' });
  for (const weak of ['', 'short', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'sechzehn zeichen ä', 'x'.repeat(200)]) assert.throws(() => checkPassphrase(weak), { code: 'passphrase-weak' }, weak);
  assert.equal(checkPassphrase(passphrase), passphrase);
  assert.match(newPassphrase(), /^([A-HJKMNP-Z2-9]{5}-){4}[A-HJKMNP-Z2-9]{5}$/);
  assert.equal(checkPassphrase(newPassphrase()).length, 29);
});
