/**
 * The examiner: the one place where hostile bytes are decoded.
 *
 * SECURITY: assume that it can be taken over by what it reads. It then has no network, no file but objects to read, nothing to write, no
 * process to see; it can lie about the object it was given, and about no other, because it is ended after anything but a clean object.
 */
import { writeSync } from 'node:fs';
import { FrameReader, encodeFrame } from '@lazaret/system/frames.ts';
import { reportFrames, type Assignment, type ExaminerHello } from '@lazaret/pacs/inspection/assignment.ts';
import { yaraEngine } from '@lazaret/pacs/inspection/engines/yara.ts';
import { rulesNamed } from '@lazaret/pacs/inspection/rulepack/loading.ts';
import { examine } from '@lazaret/pacs/inspection/examiner/examine.ts';

const engine = yaraEngine(rulesNamed(process.env['LAZARET_RULES']));
const reader = new FrameReader();
const waiting: Assignment[] = [];
let working = false;

/**
 * Stands still until all of it was taken: nothing is kept here for a reader that is slower. The descriptor blocks, since nothing else in this process
 * touches it (`process.stdout` would change that).
 */
function say(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}

/** One object at a time; between two of them the next assignments are read from the pipe. */
function work(): void {
  const assignment = waiting.shift();
  if (assignment === undefined) {
    working = false;
    return;
  }
  working = true;
  const { report, spans } = examine(assignment, engine, say);
  for (const piece of reportFrames(report, spans)) say(piece);
  setImmediate(work);
}

process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) waiting.push(frame.header as Assignment);
  if (!working) work();
});
process.stdin.on('end', () => process.exit(0));
const hello: ExaminerHello = { ready: true, engines: [engine.version()] };
say(encodeFrame(hello));
