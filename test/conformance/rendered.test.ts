/** Rendered images and thumbnails on the whole system: made in the sandboxed decoder, of what is archived and unchanged. */
import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { recipes } from '../../tools/recipes/all.ts';
import { auditTellsOfDamage, entriesOf, settled } from '../ledger.ts';
import { startSystem } from '../system.ts';
import { findInstance, stow, uidIn } from './web.ts';

test('an archived image is rendered, whatever its transfer syntax; a report is not; a changed file never', async (t) => {
  const system = await startSystem(t);
  for (const name of ['ct-512', 'ct-rle', 'ct-deflated', 'colour-rle-frames', 'report-4k']) await stow(system, [recipes.find((recipe) => recipe.name === name)!.bytes()]);
  await settled(system);
  const entries = (await entriesOf(system)).filter((entry) => entry.state === 'archived');
  assert.equal(entries.length, 5);
  const outcomes: string[] = [];
  for (const { sopInstanceUID } of entries) {
    const [attributes] = await findInstance(system, sopInstanceUID);
    const path = `/dicomweb/studies/${uidIn(attributes!, '0020000D')}/series/${uidIn(attributes!, '0020000E')}/instances/${sopInstanceUID}`;
    const rendered = await system.ask(`${path}/rendered`, { headers: { accept: 'image/jpeg' } });
    const thumbnail = await system.ask(`${path}/thumbnail`, { headers: { accept: 'image/png' } });
    outcomes.push(`${rendered.status} ${thumbnail.status}`);
    if (rendered.status !== 200) continue;
    assert.deepEqual([...rendered.body.subarray(0, 3)], [0xff, 0xd8, 0xff]);
    assert.equal(thumbnail.status, 200, thumbnail.body.toString('utf8', 0, 300));
    // IHDR: width and height.
    assert.ok(thumbnail.body.readUInt32BE(16) <= 128 && thumbnail.body.readUInt32BE(20) <= 128);
  }
  assert.deepEqual(outcomes.toSorted(), ['200 200', '200 200', '200 200', '200 200', '406 406']);

  const [attributes] = await findInstance(system, entries[0]!.sopInstanceUID);
  const archive = join(system.data, 'archive');
  const folders = await readdir(archive, { recursive: true });
  for (const name of folders.filter((each) => /^..\/[0-9a-f]{64}$/.test(each))) {
    const file = await open(join(archive, name), 'r+');
    await file.write(Buffer.of(0x55), 0, 1, 700);
    await file.close();
  }
  const changed = await system.ask(`/dicomweb/studies/${uidIn(attributes!, '0020000D')}/rendered`, { headers: { accept: 'image/jpeg' } });
  assert.ok(changed.status >= 400, String(changed.status));
  assert.ok(!changed.headers['content-type']!.startsWith('image/'));
  assert.ok(auditTellsOfDamage((await system.lazaret('audit', 'show', '--xml')).stdout));
});
