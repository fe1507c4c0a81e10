/** A file beside the images of a medium, by all engines: whether malicious software is recognised in it, nothing else. */
import type { CompanionConclusion } from '../quarantine/companion.ts';
import type { Finding, Work } from '../quarantine/contract.ts';
import type { Digest } from '../reception/contract.ts';
import type { ClamdTarget } from './engines/clamd.ts';
import type { Engine } from './engines/engine.ts';
import type { Pool } from './pool.ts';
import { verdictOf, worstFirst } from './verdict.ts';

export async function scanCompanion(pool: Pool, clamd: Engine<ClamdTarget> | null, work: Work, path: string): Promise<CompanionConclusion> {
  const [outcome, found] = await Promise.all([
    pool.examine({ path, work, dataSetDigest: false, map: null, companion: true }),
    clamd === null ? Promise.resolve<readonly Finding[]>([]) : clamd.scan({ path, bytes: work.bytes }),
  ]);
  // As for objects: an engine that looked at all bytes takes the place of one that this platform lacks.
  const replaced = clamd !== null && !found.some((finding) => finding.code.startsWith('engine-'));
  const findings = [...outcome.findings.filter((finding) => !(replaced && finding.code === 'engine-missing')), ...found];
  if (found.length > 0 && verdictOf(found) !== 'clean') outcome.retire();
  return { objectId: work.objectId, sha256: (outcome.report?.sha256 ?? work.sha256) as Digest, verdict: verdictOf(findings), findings: worstFirst(findings) };
}
