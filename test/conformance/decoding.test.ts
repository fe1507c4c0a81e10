/** Compressed frames by DCMTK's encoders: decoded where the policy asks for it, held where no decoder can read what every walker found sound. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { secondaryCapture, smallCT } from '../../tools/recipes/objects.ts';
import { fileOf } from '../../tools/recipes/series.ts';
import { programPath, unlessInstalled } from '../peers.ts';
import { repository } from '../system.ts';

function inspect(path: string): { readonly verdict: string; readonly findings: readonly { readonly code: string; readonly text: string }[] } {
  const { stdout, stderr } = spawnSync(process.execPath, [join(repository, 'cli', 'main.ts'), 'inspect', '--decode', '--json', path], { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as ReturnType<typeof inspect>;
}

function compressed(t: TestContext, program: string, options: readonly string[], bytes: Buffer): { readonly path: string; readonly bytes: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-decoding-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [from, to] = [join(folder, 'plain.dcm'), join(folder, 'compressed.dcm')];
  writeFileSync(from, bytes);
  const done = spawnSync(programPath(program)!, [...options, from, to], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return { path: to, bytes: readFileSync(to) };
}

const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7 + (index >> 6) * 13) % 256);
const colour = fileOf(secondaryCapture('decoding colour', { rows: 64, columns: 64, samples: 3, photometric: 'RGB' }, pixels));
const grey = fileOf(smallCT('decoding'));

for (const [name, program, options, bytes] of [
  ['JPEG baseline', 'dcmcjpeg', ['+eb'], colour],
  ['JPEG progressive', 'dcmcjpeg', ['+ep'], colour],
  ['JPEG lossless, first order', 'dcmcjpeg', ['+e1'], grey],
  ['JPEG lossless, any predictor', 'dcmcjpeg', ['+el', '+sv', '6'], grey],
  ['JPEG-LS lossless', 'dcmcjpls', ['+el'], grey],
  ['JPEG-LS near-lossless', 'dcmcjpls', ['+en'], colour],
  ['RLE, which its walker decodes', 'dcmcrle', [], grey],
] as const) {
  test(`${name} is decoded and clean`, { skip: unlessInstalled(program) }, (t) => {
    const { path } = compressed(t, program, options, bytes);
    const { verdict, findings } = inspect(path);
    assert.equal(verdict, 'clean', JSON.stringify(findings));
  });
}

test('a frame whose coded samples were changed is sound to every walker, and held by its decoder', { skip: unlessInstalled('dcmcjpls') }, (t) => {
  const { path, bytes } = compressed(t, 'dcmcjpls', ['+el'], grey);
  // Well inside the coded samples; zeros are neither a marker nor stuffing.
  const middle = bytes.lastIndexOf(Buffer.of(0xff, 0xda)) + 400;
  bytes.fill(0, middle, middle + 200);
  writeFileSync(path, bytes);
  const { verdict, findings } = inspect(path);
  assert.notEqual(verdict, 'clean');
  assert.deepEqual(findings.map(({ code }) => code), ['frame-undecodable']);
});
