/**
 * A file beside the images of a medium: the engine sees all its bytes. It is no object, so no rule for objects applies: that a viewer is a program, and that a
 * page holds a script, is what they are. Only what is recognised as malicious counts, and what kept the engine from looking.
 */
import type { Finding } from '../../quarantine/contract.ts';
import { spanKinds } from '@lazaret/dicom/filemap/contract.ts';
import { encodeSpans, findingsMax, type Assignment, type Report } from '../assignment.ts';
import type { YaraEngine } from '../engines/yara.ts';
import type { FileSource } from './filesource.ts';
import { passOver } from './pass.ts';

export function examineCompanion(assignment: Assignment, source: FileSource, engine: YaraEngine): { readonly report: Report; readonly spans: Uint8Array } {
  const pass = passOver(source, engine, { dataSet: null, place: () => ({ tag: '', region: 'document' }) });
  const findings: Finding[] = pass.findings.filter(({ code }) => code === 'malware-signature' || code.startsWith('engine-')).slice(0, findingsMax);
  const report: Report = { id: assignment.id, sha256: pass.sha256, bytes: source.length, findings, instance: null, disarmed: null, dataSetSha256: '', map: null, pixels: null };
  const spans = encodeSpans({
    count: source.length === 0 ? 0 : 1, offsets: Float64Array.of(0), lengths: Float64Array.of(source.length), kinds: Uint8Array.of(spanKinds.indexOf('unexplained')), tags: Uint32Array.of(0), depths: Uint8Array.of(0),
  });
  return { report, spans };
}
