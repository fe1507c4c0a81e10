import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { decodeList, decodeManifest, digestOfText, encodeList, encodeManifest, isKeptPath, manifestFormat, manifestName, sealedText, type Manifest } from './manifest.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const sha256 = 'a'.repeat(64);
const part = { sha256, bytes: 10 };
const kept = (path: string): Manifest['files'][number] => ({ path, ...part, parts: [part] });
const good: Manifest = {
  format: manifestFormat, number: 1, previous: null, madeAt: Date.UTC(2026, 0, 2, 3, 4, 5), publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), audit: { entries: 5, root: sha256 },
  objects: { count: 1, bytes: 10 }, lists: [{ ...part, rows: 1 }], files: ['database/lazaret.sqlite', 'audit/key.pem', 'audit/key.pub.pem', 'audit/checkpoints.log'].map(kept), lacking: [],
};
const name = '000001-20260102T030405Z.manifest';

/** Signed by whoever has a key: what is in it must be refused all the same. */
function signed(manifest: unknown): Buffer {
  const line = encodeManifest(manifest as Manifest);
  return Buffer.from(`${line}\n${sign(null, sealedText(digestOfText(line)), privateKey).toString('base64')}\n`);
}

test('a manifest is what was signed', () => {
  assert.equal(manifestName(1, good.madeAt), name);
  const read = decodeManifest(name, signed(good));
  assert.deepEqual(read.manifest, good);
  const changed = signed(good).toString('latin1').replace('"entries":5', '"entries":6');
  assert.throws(() => decodeManifest(name, Buffer.from(changed, 'latin1')), { code: 'backup-damaged' });
  assert.throws(() => decodeManifest('000002-20260102T030405Z.manifest', signed(good)), /renamed/);
  for (const bytes of ['', '\n', '{}\n', 'null\n\n', '[]\nAAAA\n']) assert.throws(() => decodeManifest(name, Buffer.from(bytes)), { code: 'backup-damaged' });
});

test('what a signed manifest names is refused where no backup would name it', () => {
  const wrong: Record<string, unknown>[] = [
    { files: [...good.files, kept('../../etc/passwd')] }, { files: [...good.files, kept('audit/../../x')] }, { files: [...good.files, kept('/etc/cron.d/x')] }, { files: [...good.files, kept('run/terminal/keeper.sock')] },
    { files: [...good.files, kept('audit/key.pem')] }, { files: good.files.slice(1) }, { files: good.files.map((file) => ({ ...file, bytes: 11 })) },
    { files: good.files.map((file) => ({ ...file, bytes: 2 ** 40, parts: [{ sha256, bytes: 2 ** 40 }] })) }, { lists: [{ sha256, bytes: -1, rows: 1 }] }, { lists: [{ sha256: `../${sha256.slice(3)}`, bytes: 1, rows: 1 }] },
    { lacking: [{ area: 'archive', name: 'x', ...part, text: '' }] }, { lacking: [{ area: 'tls', name: sha256, ...part, text: '' }] }, { number: 1.5 }, { madeAt: 9e15 }, { audit: null }, { format: 'lazaret backup manifest 2' }, { publicKey: 'AAAA' },
  ];
  for (const change of wrong) assert.throws(() => decodeManifest(name, signed({ ...good, ...change })), { code: 'backup-damaged' }, JSON.stringify(change).slice(0, 200));
});

test('paths of a backup are those of a data directory', () => {
  for (const path of ['tls/certificate.pem', 'dicom-tls/key.pem', 'audit/entries-000000000000.log', 'audit/leaves-000000000120.bin', 'database/lazaret.sqlite']) assert.ok(isKeptPath(path), path);
  for (const path of ['tls/../x', 'tls/.x', 'tls/a/b', 'tls/', 'tls/a..b', 'archive/aa/x', 'audit/entries-1.log', 'database/lazaret.sqlite-wal', 'x', '', 'tls/a\nb', 'tls/a\0']) assert.ok(!isKeptPath(path), JSON.stringify(path));
});

test('lists come back as they were, and a line that names no object is refused', () => {
  const files = [{ area: 'archive' as const, name: sha256, sha256, bytes: 5 }, { area: 'quarantine' as const, name: `${'b'.repeat(32)}.withdrawn`, sha256, bytes: 0 }];
  assert.deepEqual(decodeList(encodeList(files), 2), files);
  for (const line of [`a ${sha256} 5`, `a ../${sha256} 5\n`, `q ../../x ${sha256} 5\n`, `a ${sha256} -1\n`, `a ${sha256} 5\n\n`, `b ${sha256} 5\n`, '']) assert.throws(() => decodeList(Buffer.from(line), 1), { code: 'backup-damaged' }, JSON.stringify(line));
});
