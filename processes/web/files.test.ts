import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listFiles } from './files.ts';
import { viewerPolicy, viewerRoutes } from './pages.ts';
import { startSampleServer, type SampleServer } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-files-'));
let server: SampleServer;

before(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>viewer</title>');
  writeFileSync(join(folder, 'a.0123456789abcdef.js'), 'x'.repeat(2000));
  writeFileSync(join(folder, 'a.0123456789abcdef.js.gz'), 'compressed');
  writeFileSync(join(folder, 'b.wasm'), 'wasm');
  writeFileSync(join(folder, 'secret.key'), 'secret');
  writeFileSync(join(folder, 'assets', 'c.css'), 'css');
  symlinkSync('/etc/hostname', join(folder, 'link.txt'));
  server = await startSampleServer(viewerRoutes(listFiles(folder)));
  await server.addUser('vera', ['viewer']);
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('files of known types by exact name, and nothing else', async () => {
  assert.equal((await server.ask('GET', '/assets/c.css')).text, 'css');
  assert.equal((await server.ask('GET', '/b.wasm')).headers['content-type'], 'application/wasm');
  for (const path of ['/secret.key', '/link.txt', '/assets', '/assets/', '/a.0123456789abcdef.js.gz', '/../files.ts', '/..%2f..%2fetc%2fpasswd', '/assets/..%2fsecret.key', '/assets/%2e%2e/secret.key', '/%00', '/assets/c.css%00', '/constructor', '/__proto__']) {
    assert.equal((await server.ask('GET', path)).status, 404, path);
  }
});

test('compressed where the user agent takes it, cached for ever where the name carries a digest', async () => {
  const compressed = await server.ask('GET', '/a.0123456789abcdef.js', { 'accept-encoding': 'gzip, br' });
  assert.deepEqual([compressed.text, compressed.headers['content-encoding']], ['compressed', 'gzip']);
  assert.match(String(compressed.headers['cache-control']), /immutable/);
  const plain = await server.ask('GET', '/a.0123456789abcdef.js');
  assert.equal(plain.text.length, 2000);
  assert.equal((await server.ask('GET', '/b.wasm', { 'if-none-match': String((await server.ask('GET', '/b.wasm')).headers.etag) })).status, 304);
});

test('a page that a person opens asks for sign-in first, and is the viewer for every path of its own', async () => {
  const away = await server.ask('GET', '/viewer?StudyInstanceUIDs=1.2', { accept: 'text/html' });
  assert.deepEqual([away.status, away.headers.location], [303, '/sign-in?to=%2Fviewer%3FStudyInstanceUIDs%3D1.2']);
  const cookie = await server.signIn('viewer', 'vera');
  for (const path of ['/', '/viewer?StudyInstanceUIDs=1.2', '/index.html']) {
    const page = await server.ask('GET', path, { cookie, accept: 'text/html' });
    assert.equal(page.text, '<title>viewer</title>', path);
    assert.equal(page.headers['content-security-policy'], viewerPolicy(server.origin, listFiles(folder)));
  }
});

test('the policy lets the viewer connect to its own paths only', () => {
  const policy = viewerPolicy('https://pacs:8443', listFiles(folder));
  assert.match(policy, /connect-src https:\/\/pacs:8443\/dicomweb\/ /);
  assert.match(policy, /https:\/\/pacs:8443\/b\.wasm/);
  assert.doesNotMatch(policy, /connect-src[^;]*'self'|console|unsafe-eval'[^;]*'unsafe-inline'/);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe-inline/);
});
