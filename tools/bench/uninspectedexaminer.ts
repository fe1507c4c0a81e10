/**
 * An examiner that inspects nothing: it reads an object as far as any archive must (elements, digest, what the index and the readers need) and calls it
 * clean. What Lazaret costs with it is what it would cost without inspection. Runs only in the copy of the program that uninspected.ts makes for a
 * benchmark; the product has no switch that leads here.
 */
import { hash } from 'node:crypto';
import { MapRoom } from '@lazaret/dicom/filemap/columns.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { encodeSpans, reportFrames, type Assignment, type ExaminerHello, type Report } from '@lazaret/pacs/inspection/assignment.ts';
import { checkImage } from '@lazaret/pacs/inspection/examiner/contentimage.ts';
import { checkIdentity } from '@lazaret/pacs/inspection/examiner/contentvalues.ts';
import { FileSource } from '@lazaret/pacs/inspection/examiner/filesource.ts';
import { inflateRaw } from '@lazaret/pacs/inspection/examiner/inflate.ts';
import { instanceReport } from '@lazaret/pacs/inspection/examiner/instance.ts';
import { Reading } from '@lazaret/pacs/inspection/examiner/reading.ts';
import { encodeFrame, FrameReader } from '@lazaret/system/frames.ts';

const room = new MapRoom();

function read(assignment: Assignment): { readonly report: Report; readonly spans: Uint8Array } {
  const source = new FileSource(assignment.path);
  try {
    const mapped = mapObject(source, { inflateRaw }, undefined, room);
    const reading = new Reading(mapped, assignment.work);
    const identity = checkIdentity(reading);
    if (identity === null || source.bytes === null) throw new Error('the benchmark sends small objects with an identity only');
    const content = { identity, shape: checkImage(reading), frames: null };
    const report: Report = {
      id: assignment.id, sha256: hash('sha256', source.bytes, 'hex'), bytes: source.length, findings: [], instance: instanceReport(mapped, identity, content, mapped.dataSetOffset, []), disarmed: null, dataSetSha256: '', pixels: null, map: null,
    };
    return { report, spans: encodeSpans(mapped.spans) };
  } finally {
    source.close();
  }
}

const reader = new FrameReader();
process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    const { report, spans } = read(frame.header as Assignment);
    for (const piece of reportFrames(report, spans)) process.stdout.write(piece);
  }
});
process.stdin.on('end', () => process.exit(0));
const hello: ExaminerHello = { ready: true, engines: [{ name: 'nothing', version: '0', signatures: '', state: 'ready', text: 'a benchmark without inspection' }] };
process.stdout.write(encodeFrame(hello));
