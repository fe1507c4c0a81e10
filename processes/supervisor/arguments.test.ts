import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsOf } from './arguments.ts';

test('no word and no file: loopback, the standard ports, the data home', () => {
  const settings = settingsOf([], { HOME: '/home/someone' });
  assert.equal(settings.host, '127.0.0.1');
  assert.deepEqual([settings.dimsePort, settings.dimseTlsPort, settings.httpsPort], [11112, 2762, 8443]);
  assert.equal(settings.layout.data, '/home/someone/.local/share/lazaret');
  assert.equal(settings.sandbox, 'available');
});

test('LAZARET_DATA, then --data, say where the data is', () => {
  assert.equal(settingsOf([], { LAZARET_DATA: '/a' }).layout.data, '/a');
  assert.equal(settingsOf(['--data', '/b'], { LAZARET_DATA: '/a' }).layout.data, '/b');
});

test('wrong words are refused with what was wrong', () => {
  assert.throws(() => settingsOf(['--dimse-port', '70000'], {}), /--dimse-port must be a port from 0 to 65535, not '70000'/);
  assert.throws(() => settingsOf(['--prot', '1'], {}), /--prot/);
});

test('a configuration file is checked key by key, and words win over it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lazaret.json');
  const read = (text: string, ...words: string[]) => {
    writeFileSync(path, text);
    return settingsOf(['--config', path, ...words], {});
  };
  assert.equal(read('{"httpsPort": 9443}').httpsPort, 9443);
  assert.equal(read('{"httpsPort": 9443}', '--https-port', '0').httpsPort, 0);
  assert.throws(() => read('{"sandbox": "off"}'), /'sandbox' must be "required" or "available"/);
  assert.throws(() => read('{"htpsPort": 1}'), /no setting 'htpsPort'/);
  assert.throws(() => read('{'), /cannot be read/);
  assert.throws(() => read('[]'), /one JSON object/);
  assert.deepEqual(read('{"clamd": {"socket": "/run/clamd", "signatureDays": 3}}').clamd, { socket: '/run/clamd', signatureDays: 3 });
  assert.throws(() => read('{"clamd": {"socket": "/run/clamd", "signatureDays": 0}}'), /signatureDays/);
  assert.deepEqual([read('{"clamd": "none"}').clamd, read('{"clamd": "none"}').withoutClamd], [null, true], 'a choice, not an omission');
  assert.equal(read('{}').withoutClamd, undefined);
  assert.throws(() => read('{"aeTitle": "SEVENTEEN_LETTERS"}'), /AE Title/);
  const worklist = { host: 'ris', port: 104, calledAETitle: 'RIS', callingAETitle: 'LAZARET', tls: { name: 'ris.hospital' } };
  assert.deepEqual(read(JSON.stringify({ worklist })).worklist, worklist);
  assert.equal(read('{}').worklist, null);
  for (const wrong of [{ ...worklist, port: 0 }, { ...worklist, calledAETitle: '' }, { ...worklist, tls: 'yes' }, { ...worklist, more: 1 }]) {
    assert.throws(() => read(JSON.stringify({ worklist: wrong })), /'worklist' must be/);
  }
});
