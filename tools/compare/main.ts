/**
 * Before and after: what becomes of eight inputs in Orthanc with its default settings, and in Lazaret. `node tools/compare/main.ts` measures both in one
 * run and writes docs/comparison.md and the table between the markers of README.md. Everything sent is inert.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { auditTellsOfDamage, entriesOf, settled } from '../../test/ledger.ts';
import { startOrthanc, type Orthanc } from '../../test/orthanc.ts';
import { repository, startSystem, type System } from '../../test/system.ts';
import { findInstance, partsOf, retrieve, stow, uidIn } from '../../test/conformance/web.ts';
import { encode, part10, transferSyntaxes, withElements, type Element } from '../recipes/encode.ts';
import * as inert from '../recipes/inert.ts';
import { smallCT, sopClasses } from '../recipes/objects.ts';
import { uidOf } from '../recipes/recipe.ts';

interface Outcome {
  /** What the sender is told. */
  readonly answer: string;
  /** What can be had of it later. */
  readonly later: string;
}
interface Trial {
  readonly input: string;
  orthanc(peer: Orthanc): Promise<Outcome>;
  lazaret(system: System): Promise<Outcome>;
}

function file(name: string, also: { readonly preamble?: Uint8Array; readonly trailing?: Uint8Array; readonly elements?: readonly Element[] } = {}): Buffer {
  return part10({
    transferSyntaxUID: transferSyntaxes.explicit, sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(`${name} 0`),
    dataSet: encode(also.elements ?? smallCT(name)),
    ...(also.preamble === undefined ? {} : { preamble: also.preamble }), ...(also.trailing === undefined ? {} : { trailing: also.trailing }),
  });
}
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** POST to Orthanc; what it says, and the file that it gives back. */
async function post(peer: Orthanc, bytes: Buffer): Promise<{ answer: string; id: string | null }> {
  const response = await fetch(`${peer.http}/instances`, { method: 'POST', body: bytes as Uint8Array<ArrayBuffer> });
  const body = (await response.json().catch(() => ({}))) as { Status?: string; ID?: string };
  return { answer: `${response.status}${response.ok ? ` ${body.Status ?? ''}` : ''}`.trim(), id: response.ok ? (body.ID ?? null) : null };
}
async function fileOfOrthanc(peer: Orthanc, id: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${peer.http}/instances/${id}/file`)).arrayBuffer());
}
async function throughOrthanc(peer: Orthanc, bytes: Buffer): Promise<Outcome> {
  const { answer, id } = await post(peer, bytes);
  if (id === null) return { answer, later: '–' };
  return { answer, later: digest(await fileOfOrthanc(peer, id)) === digest(bytes) ? 'served, byte for byte' : 'served, changed' };
}

const verdictWords: Readonly<Record<string, string>> = { malicious: 'held: malicious', malformed: 'held: malformed', unscannable: 'held: unscannable' };

/** STOW-RS to Lazaret; what it says, and what became of the object. */
async function throughLazaret(system: System, bytes: Buffer): Promise<Outcome> {
  const answer = await stow(system, [bytes]);
  await settled(system);
  const entry = (await entriesOf(system)).find((one) => one.sha256 === digest(bytes));
  if (entry === undefined) return { answer: String(answer.status), later: 'not there' };
  const codes = [...new Set(entry.findings.map((finding) => finding.code))].slice(0, 3).join(', ');
  const served = (await findInstance(system, entry.sopInstanceUID)).length > 0;
  const what = entry.state === 'held' ? `${verdictWords[entry.verdict ?? ''] ?? 'held: conflict'}${codes === '' ? '' : ` (${codes})`}` : entry.disarmed.length > 0 ? `clean, disarmed: ${entry.disarmed.join(', ')}` : 'clean';
  return { answer: String(answer.status), later: `${what}; ${served && entry.state === 'held' ? 'and yet served' : entry.state === 'held' ? 'not served' : 'served'}` };
}

function simple(input: string, bytes: () => Buffer): Trial {
  return { input, orthanc: (peer) => throughOrthanc(peer, bytes()), lazaret: (system) => throughLazaret(system, bytes()) };
}

/** Changes one byte of the only file under a folder that holds `marker`. */
async function flip(folder: string, marker: Buffer): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const handle = await open(path, 'r+');
    try {
      const bytes = await handle.readFile();
      const at = bytes.indexOf(marker);
      if (at < 0) continue;
      await handle.write(Buffer.from([bytes[at]! ^ 0xff]), 0, 1, at);
      return true;
    } finally {
      await handle.close();
    }
  }
  return false;
}

const pixels = (value: number): Element => ['7FE0,0010', 'OW', Buffer.alloc(8192, value)];
/** Pixels that are found again in a folder of files. */
const marked = Buffer.concat([Buffer.from('PIXELS-OF-THE-COMPARISON'), Buffer.alloc(8192 - 24, 3)]);

const trials: readonly Trial[] = [
  simple('`MZ…` preamble (inert)', () => file('compare mz', { preamble: inert.dosHeader(0x400) })),
  simple('`\\x7fELF` preamble (inert)', () => file('compare elf', { preamble: inert.elf() })),
  simple('Rows = 60000 with 512 bytes of pixels', () => file('compare rows', { elements: withElements(smallCT('compare rows'), ['0028,0010', 'US', 60_000], ['7FE0,0010', 'OW', Buffer.alloc(512)]) })),
  simple('60 KB of foreign bytes after the Data Set', () => file('compare trailing', { trailing: Buffer.alloc(60_000, 'foreign bytes ') })),
  simple('Pixel Data cut by 200 bytes', () => file('compare cut').subarray(0, -200)),
  {
    input: 'The same SOP Instance UID with other pixels',
    orthanc: async (peer) => {
      const first = file('compare conflict', { elements: withElements(smallCT('compare conflict'), pixels(1)) });
      const second = file('compare conflict', { elements: withElements(smallCT('compare conflict'), pixels(2)) });
      await post(peer, first);
      const { answer, id } = await post(peer, second);
      const kept = id === null ? null : digest(await fileOfOrthanc(peer, id));
      return { answer, later: kept === digest(first) ? 'the first is kept; the second is gone, and nobody is told' : kept === digest(second) ? 'the first is overwritten' : '–' };
    },
    lazaret: async (system) => {
      const first = file('compare conflict', { elements: withElements(smallCT('compare conflict'), pixels(1)) });
      const second = file('compare conflict', { elements: withElements(smallCT('compare conflict'), pixels(2)) });
      await throughLazaret(system, first);
      const answer = await stow(system, [second]);
      await settled(system);
      const entries = (await entriesOf(system)).filter((one) => one.sopInstanceUID === uidOf('compare conflict 0'));
      const held = entries.find((one) => one.sha256 === digest(second));
      const kept = entries.find((one) => one.sha256 === digest(first));
      return { answer: String(answer.status), later: held?.state === 'held' && kept?.state === 'archived' ? `the first is served; the second is held as a conflict with it` : `first ${kept?.state}, second ${held?.state}` };
    },
  },
  {
    input: 'One byte flipped on disk, then a restart',
    orthanc: async (peer) => {
      const bytes = file('compare flip', { elements: withElements(smallCT('compare flip'), ['7FE0,0010', 'OW', marked]) });
      const { id } = await post(peer, bytes);
      if (!(await flip(peer.storage, marked.subarray(0, 24)))) return { answer: '–', later: 'its file was not found' };
      await peer.restart();
      const response = await fetch(`${peer.http}/instances/${id}/file`);
      const now = Buffer.from(await response.arrayBuffer());
      return { answer: `GET ${response.status}`, later: response.ok && digest(now) !== digest(bytes) ? 'the changed bytes are served' : 'refused' };
    },
    lazaret: async (system) => {
      const bytes = file('compare flip', { elements: withElements(smallCT('compare flip'), ['7FE0,0010', 'OW', marked]) });
      await stow(system, [bytes]);
      await settled(system);
      const found = (await findInstance(system, uidOf('compare flip 0')))[0]!;
      const reference = { studyInstanceUID: uidIn(found, '0020000D'), seriesInstanceUID: uidIn(found, '0020000E'), sopInstanceUID: uidOf('compare flip 0') };
      if (!(await flip(system.layout.archive, marked.subarray(0, 24)))) return { answer: '–', later: 'its file was not found' };
      await system.stop();
      const again = await startSystem(null, { data: system.data });
      try {
        const answer = await retrieve(again, reference);
        const changed = answer.status < 300 && partsOf(answer)[0]!.includes(marked.subarray(1, 24));
        const audit = await again.lazaret('audit', 'show', '--xml');
        return { answer: `GET ${answer.status}`, later: changed ? 'the changed bytes are served' : `refused${auditTellsOfDamage(audit.stdout) ? ', and in the audit log' : ''}` };
      } finally {
        await again.stop();
      }
    },
  },
  {
    input: 'DELETE of a study, by anyone on the machine',
    orthanc: async (peer) => {
      await post(peer, file('compare delete'));
      const studies = (await peer.json('/studies')) as string[];
      const response = await fetch(`${peer.http}/studies/${studies.at(-1)}`, { method: 'DELETE' });
      const left = (await peer.json('/studies')) as string[];
      return { answer: `DELETE ${response.status}`, later: left.length < studies.length ? 'gone' : 'still there' };
    },
    lazaret: async (system) => {
      await stow(system, [file('compare delete')]);
      await settled(system);
      const found = (await findInstance(system, uidOf('compare delete 0')))[0]!;
      const path = `/dicomweb/studies/${uidIn(found, '0020000D')}`;
      const without = await system.ask(path, { method: 'DELETE', token: null });
      const administrator = await system.ask(path, { method: 'DELETE', token: await system.token('administrator') });
      const left = await findInstance(system, uidOf('compare delete 0'));
      return { answer: `DELETE ${without.status}; as administrator ${administrator.status}`, later: left.length === 1 ? 'still there: no route deletes' : 'gone' };
    },
  },
];

const failed = (error: unknown): Outcome => ({ answer: 'not measured', later: (error as Error).message.split('\n')[0]! });

const system = await startSystem(null);
const peer = await startOrthanc(null);
const lines = [`| what is sent | Orthanc ${peer.version} answers | and later | Lazaret answers | and later |`, '|---|---|---|---|---|'];
try {
  // The trial that restarts Lazaret ends the system that the others use, so it comes last.
  const order = [...trials.keys()].toSorted((one, other) => Number(trials[one]!.input.includes('flipped')) - Number(trials[other]!.input.includes('flipped')));
  const rows = new Map<number, string>();
  for (const index of order) {
    const trial = trials[index]!;
    const theirs = await trial.orthanc(peer).catch(failed);
    const ours = await trial.lazaret(system).catch(failed);
    rows.set(index, `| ${trial.input} | ${theirs.answer} | ${theirs.later} | ${ours.answer} | ${ours.later} |`);
    process.stderr.write(`${rows.get(index)}\n`);
  }
  lines.push(...[...rows.keys()].toSorted((one, other) => one - other).map((index) => rows.get(index)!));
} finally {
  await peer.stop();
  await system.stop();
}

const table = lines.join('\n');
process.stdout.write(`${table}\n`);
writeFileSync(join(repository, 'docs', 'comparison.md'), `# Before and after

What becomes of eight inputs, measured on ${new Date().toISOString().slice(0, 10)} by \`node tools/compare/main.ts\` in one run: sent over REST to Orthanc ${peer.version} (Debian 12's package, default
settings), over STOW-RS to Lazaret. Everything is inert: the "programs" are headers without anything behind them. Orthanc does what it
promises to do; inspecting what it is sent is not among that. Newer releases of it were not measured.

${table}
`);
const readme = join(repository, 'README.md');
const [start, end] = ['<!-- compare:start -->', '<!-- compare:end -->'];
const text = readFileSync(readme, 'utf8');
const [from, to] = [text.indexOf(start), text.indexOf(end)];
if (from >= 0 && to > from) writeFileSync(readme, `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`);
else process.stderr.write('README.md has no compare markers; the table is in docs/comparison.md only\n');
