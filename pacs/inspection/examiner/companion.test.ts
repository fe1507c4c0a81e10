import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eicar, elf, pe } from '@lazaret/tools/recipes/inert.ts';
import { packReport, type Assignment } from '../assignment.ts';
import { yaraEngine } from '../engines/yara.ts';
import { checkReport } from '../report.ts';
import { examine } from './examine.ts';

const engine = yaraEngine();
const folder = mkdtempSync(join(tmpdir(), 'lazaret-companion-'));
test.after(() => rmSync(folder, { recursive: true }));

function codes(bytes: Buffer): string[] {
  const path = join(folder, 'companion');
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const assignment = { id: 1, path, work: { objectId: 'a'.repeat(32), bytes: bytes.length, sha256, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' }, dataSetDigest: false, map: null, companion: true } as unknown as Assignment;
  const { report, spans } = examine(assignment, engine);
  const { header, payload } = packReport(report, spans);
  const checked = checkReport(JSON.parse(JSON.stringify(header)), Buffer.concat(payload), 1, assignment.work);
  if ('problem' in checked) assert.fail(checked.problem);
  assert.equal(checked.report.sha256, sha256);
  assert.equal(checked.report.instance, null);
  return checked.report.findings.map(({ code }) => code);
}

test('a viewer is a program and a page holds scripts: that is no finding in a companion', () => {
  for (const bytes of [pe(), elf(), Buffer.from('<html><script>WScript.Shell</script></html>'), Buffer.from('[autorun]\r\nopen=VIEWER.EXE\r\n'), Buffer.alloc(20 * 1024 * 1024, 7)]) assert.deepEqual(codes(bytes), []);
});

test('what an engine recognises as malicious is found anywhere in a companion', () => {
  assert.deepEqual(codes(Buffer.concat([pe(), eicar()])), ['malware-signature']);
  assert.deepEqual(codes(Buffer.concat([Buffer.alloc(20 * 1024 * 1024, 7), eicar()])), ['malware-signature']);
});
