/**
 * The trial of a rule pack, started by `./lazaret rules` and `tools/rulepack` in the sandbox of an examiner: its own tests, and whether its rules find
 * anything in clean files.
 *
 * SECURITY: both the pack, which is compiled here, and the files may be hostile. Like an examiner it has no network, nothing to write and no data directory;
 * it sees the pack, the keys and the files that it was started for, and answers on stdout with JSON lines that the parent checks.
 */
import { yaraEngine, yaraName } from '@lazaret/pacs/inspection/engines/yara.ts';
import { examine } from '@lazaret/pacs/inspection/examiner/examine.ts';
import { packOf, rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { readNamed, rulesOf, type NamedPack } from '@lazaret/pacs/inspection/rulepack/loading.ts';
import { tryPack } from '@lazaret/pacs/inspection/rulepack/trial.ts';
import type { Work } from '@lazaret/pacs/quarantine/contract.ts';

export interface TrialRequest {
  /** Null: the pack that came with the program. */
  readonly named: NamedPack | null;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const request = JSON.parse(Buffer.concat(chunks).toString('utf8')) as TrialRequest;
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const pack = request.named === null ? packOf(rulesFolder) : readNamed(request.named);
const engine = yaraEngine(rulesOf(pack));
say({ trial: tryPack(pack, engine, cpuMs) });
if (engine.version().state === 'ready') for (const { path, bytes } of request.files) say({ file: path, found: findingsIn(path, bytes) });
say({ done: true });

function findingsIn(path: string, bytes: number): string[] {
  const work: Work = { objectId: '' as Work['objectId'], bytes, sha256: '' as Work['sha256'], sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };
  const { report } = examine({ id: 1, path, work, dataSetDigest: false, map: null }, engine);
  return report.findings.filter((finding) => finding.engine === yaraName).map(({ text, tag, offset }) => `${text} at byte ${offset}${tag === '' ? '' : ` ${tag}`}`);
}
