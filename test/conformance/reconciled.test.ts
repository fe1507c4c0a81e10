/**
 * Every public file that conforms, served under a local identity: pydicom and DCMTK read it, and only what was to be replaced is different. The file itself
 * stays as it is.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { changedTags, type Identity } from '@lazaret/dicom/dataset/identity.ts';
import { PatchedSource } from '@lazaret/dicom/dataset/patched.ts';
import { replaceIdentity } from '@lazaret/dicom/dataset/replace.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { problemKinds } from '@lazaret/dicom/filemap/problems.ts';
import { inflateRaw } from '@lazaret/pacs/inspection/examiner/inflate.ts';
import { corpusFolder, peer, pydicomFiles } from '../peers.ts';
import { foundIn } from '../../cli/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-reconciled-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const local: Identity = { patientName: 'MÜLLER^ŁUCJA', patientID: 'L-4711', issuerOfPatientID: 'HOUSE', patientBirthDate: '19691231', patientSex: 'O', accessionNumber: 'A-1', studyDescription: '' };
const plain: Identity = { ...local, patientName: 'MUELLER^LUCJA' };
const provenance = { dateTime: '20261124130000.000000+0000', system: 'Lazaret', source: 'DISC' };
const packing = { inflateRaw, deflateRaw: (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes) };
/** A whole-slide image takes pydicom longer than it proves anything. */
const bytesMax = 64 * 1024 * 1024;

/** Compares pairs of files by pydicom; prints a line of JSON for each that differs in more than it should. */
const comparison = `
import json, sys, warnings
import pydicom
warnings.simplefilter('ignore')
def read(path):
    return pydicom.dcmread(path, force=True)
for line in open(sys.argv[1]):
    job = json.loads(line)
    changed = set(job['changed'])
    name = job['name']
    try:
        one, other = read(job['stored']), read(job['served'])
        values = lambda ds: {'%08X' % int(e.tag): (e.VR, repr(e.value) if e.VR != 'SQ' else e.value.__repr__()) for e in ds}
        before, after = values(one), values(other)
        wrong = [tag for tag in set(before) | set(after) if tag not in changed and not tag.endswith('0000') and before.get(tag) != after.get(tag)]
        if (one.get('PixelData') or b'') != (other.get('PixelData') or b''): wrong.append('pixels')
        if str(other.PatientName) != name or other.PatientID != 'L-4711' or other.AccessionNumber not in ('A-1',) or other.IssuerOfPatientID != 'HOUSE': wrong.append('identity')
        item = other[0x04000561].value[-1]
        if item[0x04000565].value != 'COERCE': wrong.append('reason')
        kept = item[0x04000550].value[0]
        for tag in ('00100010', '00100020'):
            key = int(tag, 16)
            if key in one and repr(one[key].value) != repr(kept[key].value): wrong.append('original ' + tag + repr(one[key].value) + repr(kept[key].value))
        if wrong: print(json.dumps([job['stored'], wrong]))
    except Exception as error:
        print(json.dumps([job['stored'], repr(error)]))
`;

for (const [source, from] of [['pydicom', pydicomFiles()], ['corpus', corpusFolder()]] as const) {
  test(`public files of ${source} under a local identity: read by pydicom and DCMTK, nothing else differs`, { skip: from === null ? 'there is no such folder here' : false }, async (t) => {
    if (peer(t, 'dcmdump') === null || peer(t, 'python3') === null) return;
    const jobs: { stored: string; served: string; name: string; changed: string[] }[] = [];
    const refused: string[] = [];
    const inOwnSet: string[] = [];
    let deflated = 0;
    for (const { path } of foundIn(from!)) {
      if (statSync(path).size > bytesMax) continue;
      const bytes = readFileSync(path);
      const before = createHash('sha256').update(bytes).digest('hex');
      const mapped = mapObject(new BytesSource(bytes), { inflateRaw });
      const sound = mapped.meta !== null && mapped.problems.every(({ code }) => problemKinds.get(code)!.grade === 'note') && mapped.meta.mediaStorageSOPClassUID !== '1.2.840.10008.1.3.10';
      if (!sound) continue;
      let name = local.patientName;
      let replaced = replaceIdentity(mapped, local, provenance, packing);
      if ('problem' in replaced && /cannot be written in this object/.test(replaced.problem)) {
        name = plain.patientName;
        replaced = replaceIdentity(mapped, plain, provenance, packing);
        inOwnSet.push(path);
      }
      if ('problem' in replaced) {
        assert.match(replaced.problem, /deflated as a whole.*only up to/, path);
        refused.push(path);
        continue;
      }
      if (mapped.dataSetSource !== mapped.source) deflated += 1;
      const patched = new PatchedSource(mapped.source, replaced.patches);
      const served = join(folder, `${jobs.length}.dcm`);
      writeFileSync(served, patched.read(0, patched.length));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), before);
      jobs.push({ stored: path, served, name, changed: [...changedTags] });
      // What comes after the Data Set and its pixels is where it was, from its end.
      const last = replaced.patches.at(-1)!;
      assert.ok(Buffer.from(patched.read(patched.length - (bytes.length - last.offset - last.length), bytes.length - last.offset - last.length)).equals(bytes.subarray(last.offset + last.length)), path);
      const [own, theirs] = [path, served].map((file) => spawnSync('dcmdump', ['-q', file], { maxBuffer: 256 * 1024 * 1024 }));
      assert.equal(theirs!.status, own!.status, `dcmdump of ${path}: ${String(theirs!.stderr)}`);
      assert.equal(String(theirs!.stderr).replaceAll(served, ''), String(own!.stderr).replaceAll(path, ''), path);
    }
    const list = join(folder, 'jobs');
    writeFileSync(list, jobs.map((job) => `${JSON.stringify(job)}\n`).join(''));
    const said = execFileSync('/usr/bin/python3', ['-c', comparison, list], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    assert.equal(said, '');
    assert.ok(jobs.length > 40, `${jobs.length} files`);
    t.diagnostic(`${jobs.length} files, ${deflated} of them deflated; ${inOwnSet.length} only with a name in their own character set, ${refused.length} refused: ${[...inOwnSet, ...refused].join(' ')}`);
  });
}
