/** `./lazaret doctor`: what is running, how strongly it is confined, engines and signature age, certificates, disk, clock. Exit 1 if something needs care. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { Failure } from '@lazaret/system/failure.ts';
import { layoutOf, type Layout } from '@lazaret/system/layout.ts';
import { memoryOfTree } from '@lazaret/system/memory.ts';
import { choosePack } from '@lazaret/pacs/inspection/rulepack/choice.ts';
import type { StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { WorklistAnswer } from '@lazaret/pacs/worklist/contract.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';

/** `care` makes the command exit 1; `note` is worth knowing. */
type Grade = 'well' | 'note' | 'care';
interface Line {
  readonly topic: string;
  readonly grade: Grade;
  readonly text: string;
}

/** A keeper that is up answers at once, and one that is down is a line like any other. */
const answerMs = 500;
/** Under this the disk needs care; the doors refuse new objects before it is full. */
const freeBytesCare = 5 * 2 ** 30;
/** Time to get a new certificate from whoever issues them. */
const certificateDaysCare = 30;
/** Carries fixes in tls, dns and brotli that older ones lack. */
const nodeWanted = [26, 12, 1] as const;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const layout = layoutOf(terminal.data);
  const lines = [...runningLines(layout), ...(await keeperLines(layout)), ...(await worklistLines(layout)), ...certificateLines(layout), diskLine(layout), clockLine(), nodeLine()];
  if (values.json) terminal.stdout.write(`${JSON.stringify({ data: layout.data, lines })}\n`);
  else terminal.stdout.write(lines.map(render).join(''));
  return lines.some((line) => line.grade === 'care') ? 1 : 0;
}

function render(line: Line): string {
  const mark = { well: styleText('green', '✓'), note: styleText('cyan', 'i'), care: styleText(['bold', 'red'], '!') }[line.grade];
  return `${mark} ${line.topic.padEnd(12)} ${line.text}\n`;
}

interface SupervisorState {
  readonly pid: number;
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly since: number; readonly restarts: number; readonly confinement: { readonly strength: string; readonly text: string } }>>;
}

function runningLines(layout: Layout): Line[] {
  let state: SupervisorState;
  try {
    state = JSON.parse(readFileSync(join(layout.run, 'supervisor.json'), 'utf8')) as SupervisorState;
    process.kill(state.pid, 0);
  } catch {
    return [{ topic: 'running', grade: 'care', text: `Lazaret does not run on ${layout.data}. Start it with: npm start -- --data ${layout.data}` }];
  }
  return [...['keeper', 'inspector', 'association', 'web', 'importer'].map((name): Line => {
    const one = state.processes[name];
    if (one === undefined) return { topic: name, grade: 'care', text: 'is not running; the supervisor\'s output says why' };
    const restarted = one.restarts > 0 ? `, restarted ${one.restarts} times` : '';
    return { topic: name, grade: one.confinement.strength === 'none' || one.restarts > 2 ? 'care' : one.confinement.strength === 'namespaces' ? 'well' : 'note', text: `process ${one.pid}${restarted}; sandbox: ${one.confinement.text}` };
  }), memoryLine(state.pid)];
}

/** What all processes take, counted as the benchmark counts it. */
function memoryLine(supervisor: number): Line {
  const { processes, proportionalBytes, residentBytes } = memoryOfTree(supervisor);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const resident = `${megabytes(residentBytes)} as a sum of resident sizes, where what they share counts anew in each`;
  if (proportionalBytes === null) return { topic: 'memory', grade: 'note', text: `${processes} processes: ${resident}; only who runs them, or root, may see what they share` };
  return { topic: 'memory', grade: 'well', text: `${megabytes(proportionalBytes)} in ${processes} processes, what they share counted once (sum of proportional set sizes); ${resident}` };
}

async function keeperLines(layout: Layout): Promise<Line[]> {
  let status: StatusAnswer;
  try {
    status = await withKeeper(layout.data, (channel) => channel.request<StatusAnswer>('status', null), answerMs);
  } catch (error) {
    return [{ topic: 'keeper', grade: 'care', text: `does not answer: ${(error as Error).message}` }];
  }
  const lines: Line[] = [];
  if (status.inspector === null) {
    lines.push({ topic: 'inspection', grade: 'care', text: 'no inspector has reported: nothing leaves the quarantine until one does' });
  } else {
    const { sandbox, engines, epoch, examiners } = status.inspector;
    lines.push({ topic: 'inspection', grade: sandbox.strength === 'namespaces' ? 'well' : 'care', text: `${examiners} examiners; sandbox: ${sandbox.text}` });
    for (const engine of engines) lines.push({ topic: engine.name, grade: engine.state === 'ready' ? 'well' : 'care', text: `${engine.state}: ${engine.version}, ${engine.signatures}${engine.text ? ` (${engine.text})` : ''}` });
    if (status.inspector.clamd === 'none') lines.push({ topic: 'clamd', grade: 'well', text: 'there is none, and that is the configuration\'s choice ("clamd": "none"): YARA-X is the only engine' });
    else if (!engines.some((engine) => engine.name === 'clamd')) lines.push({ topic: 'clamd', grade: 'note', text: 'not configured, so YARA-X is the only engine. If that is meant so, say it in the configuration: "clamd": "none"' });
    lines.push(...rulesLines(layout, status.inspector.rules));
    lines.push({ topic: 'epoch', grade: 'well', text: epoch });
  }
  const { counts } = status;
  lines.push({ topic: 'held', grade: counts.held > 0 ? 'note' : 'well', text: `${counts.held} held, ${counts.waiting + counts.inspecting} waiting for inspection, ${counts.archived} archived` });
  lines.push({ topic: 'audit log', grade: 'well', text: `${status.audit.entries} entries, root ${status.audit.root.slice(0, 16)}…; \`./lazaret audit verify\` checks each byte` });
  lines.push(...safekeepingLines(status));
  return lines;
}

/** Asked anew, by C-ECHO: a worklist that answered yesterday is no help today. Nothing where none is configured. */
async function worklistLines(layout: Layout): Promise<Line[]> {
  try {
    const answer = await withKeeper(layout.data, (channel) => channel.request<WorklistAnswer>('echo', null), answerMs);
    return answer.outcome === 'unconfigured' ? [] : [{ topic: 'worklist', grade: answer.outcome === 'found' ? 'well' : 'care', text: answer.text }];
  } catch (error) {
    // A keeper that does not answer has its line already.
    return error instanceof Failure && error.code.startsWith('channel-') ? [] : [{ topic: 'worklist', grade: 'care', text: (error as Error).message }];
  }
}

/** A backup is made each night; a drill each season. */
const backupHoursCare = 36;
const drillDaysNote = 120;

const words = (hours: number): string => (hours < 48 ? `${Math.floor(hours)} hours ago` : `${Math.floor(hours / 24)} days ago`);

function safekeepingLines({ safekept = [], counts }: StatusAnswer): Line[] {
  const ageOf = (what: string): { readonly hours: number; readonly findings: number } | null => {
    const last = safekept.find((each) => each.what === what);
    return last === undefined ? null : { hours: (Date.now() - last.at) / 3_600_000, findings: last.findings };
  };
  const lines: Line[] = [];
  const backup = ageOf('backup');
  if (backup === null) lines.push({ topic: 'backup', grade: 'note', text: counts.archived === 0 ? 'none yet; `./lazaret backup DIR` makes one' : 'NONE was ever made: what is on this disk is nowhere else; `./lazaret backup DIR` makes one' });
  else lines.push({ topic: 'backup', grade: backup.hours > backupHoursCare || backup.findings > 0 ? 'care' : 'well', text: `the last one was made ${words(backup.hours)}${backup.findings > 0 ? `, and ${backup.findings} files were damaged then` : ''}` });
  const drill = ageOf('drill');
  if (backup !== null) {
    lines.push(drill === null || drill.hours / 24 > drillDaysNote ? { topic: 'drill', grade: 'note', text: `a restore was ${drill === null ? 'never rehearsed' : `last rehearsed ${words(drill.hours)}`}: \`./lazaret drill DIR\` does it` }
      : { topic: 'drill', grade: drill.findings > 0 ? 'care' : 'well', text: `a restore was rehearsed ${words(drill.hours)}${drill.findings > 0 ? ', and it failed' : ''}` });
  }
  const read = [ageOf('verification'), ageOf('sweep')].filter((each) => each !== null).toSorted((one, other) => one.hours - other.hours)[0];
  if (read !== undefined) lines.push({ topic: 'digests', grade: read.findings > 0 ? 'care' : 'well', text: `everything kept was last read to its end ${words(read.hours)}${read.findings > 0 ? `, and ${read.findings} things were not as they were kept: \`./lazaret verify\`` : ''}` });
  return lines;
}

/** Whose rules are in use, since when, and what keeps a newer pack from being used. */
function rulesLines(layout: Layout, rules: NonNullable<StatusAnswer['inspector']>['rules']): Line[] {
  if (rules === undefined) return [];
  const { current } = choosePack(layout, 0);
  if (rules.problem !== '') return [{ topic: 'rules', grade: 'care', text: `still ${rules.text} (${rules.version}): ${rules.problem}. Go back with: ./lazaret rules rollback` }];
  const pinned = current !== null && current.pinned && current.version === rules.version;
  return [{ topic: 'rules', grade: pinned ? 'note' : 'well', text: `rule pack ${rules.text} (${rules.version}), ${rules.signer === 'Lazaret' ? 'came with Lazaret' : `signed by ${rules.signer}`}${pinned ? `; gone back to by ${current.person}: a newer one was in use before` : ''}` }];
}

function certificateLines(layout: Layout): Line[] {
  let names: string[];
  try {
    names = readdirSync(layout.tls).filter((name) => /\.(pem|crt)$/.test(name) && !/key/.test(name));
  } catch {
    names = [];
  }
  if (names.length === 0) return [{ topic: 'certificate', grade: 'care', text: 'none yet: the first start makes one' }];
  return names.map((name): Line => {
    try {
      const certificate = new X509Certificate(readFileSync(join(layout.tls, name)));
      const days = Math.floor((certificate.validToDate.getTime() - Date.now()) / 86_400_000);
      const own = certificate.issuer === certificate.subject ? ', self-signed' : '';
      return { topic: 'certificate', grade: days < certificateDaysCare ? 'care' : 'well', text: `${name}: ${days < 0 ? 'expired' : `valid for ${days} more days`}${own}` };
    } catch {
      return { topic: 'certificate', grade: 'care', text: `${name} cannot be read as a certificate` };
    }
  });
}

function diskLine(layout: Layout): Line {
  try {
    const disk = statfsSync(layout.data);
    const free = disk.bavail * disk.bsize;
    const mode = statSync(layout.data).mode & 0o077;
    if (mode !== 0) return { topic: 'disk', grade: 'care', text: `${layout.data} can be read by other users of this machine: chmod 700 it` };
    return { topic: 'disk', grade: free < freeBytesCare ? 'care' : 'well', text: `${(free / 2 ** 30).toFixed(1)} GiB free of ${((disk.blocks * disk.bsize) / 2 ** 30).toFixed(1)} GiB for ${layout.data}` };
  } catch {
    return { topic: 'disk', grade: 'care', text: `${layout.data} does not exist` };
  }
}

/** Audit messages carry this machine's time, so it has to be kept by somebody (PS3.15 Annex F asks for a Consistent Time). */
function clockLine(): Line {
  for (const path of ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid', '/var/lib/ntp/ntp.drift', '/run/ntpd.pid']) {
    try {
      statSync(path);
      return { topic: 'clock', grade: 'well', text: `kept by a time service (${path})` };
    } catch {
      continue;
    }
  }
  return { topic: 'clock', grade: 'note', text: 'no time service was found on this machine (systemd-timesyncd, chrony, ntp): audit times are only as good as its clock' };
}

function nodeLine(): Line {
  const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor, wantPatch] = nodeWanted;
  const older = major !== wantMajor ? major < wantMajor : minor !== wantMinor ? minor < wantMinor : patch < wantPatch;
  return older
    ? { topic: 'Node', grade: 'note', text: `${process.version}: security fixes of ${nodeWanted.join('.')} (tls, dns, brotli) are missing; production should run at least that` }
    : { topic: 'Node', grade: 'well', text: process.version };
}
