/** `./lazaret send HOST:PORT PATH…`: sends DICOM files by C-STORE, one association for as many SOP Classes as fit. */
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mediaStorageDirectoryStorage } from '@lazaret/dicom/dictionary/sopclasses.ts';
import { describeStatus, statusType } from '@lazaret/dicom/dimse/statuses.ts';
import { presentationContextsMax } from '@lazaret/dicom/upperlayer/limits.ts';
import { isAETitle } from '@lazaret/hospital/assets/registry.ts';
import { Failure } from '@lazaret/system/failure.ts';
import type { Run, Terminal } from './command.ts';
import { readFileMeta, type FileMetaInformation } from './filemeta.ts';
import { Requestor } from './requestor.ts';

const usage = 'Usage: ./lazaret send HOST:PORT PATH… [--called AET] [--calling AET] [--json]\n';
/** How often the progress line changes. */
const progressMs = 200;

interface Candidate {
  readonly path: string;
  readonly meta: FileMetaInformation;
}
interface Tally {
  sent: number;
  failed: number;
  skipped: number;
  bytes: number;
}

/** Exit 0: all that is DICOM was stored; 1: something was not; 2: wrong use. */
export const run: Run = async (args, terminal) => {
  const asked = parse(args);
  if (typeof asked === 'string') {
    terminal.stderr.write(`${asked}\n${usage}`);
    return 2;
  }
  const report = new Report(terminal, asked.json);
  const candidates: Candidate[] = [];
  for (const path of asked.paths) collect(path, true, candidates, report);
  report.total = candidates.length;
  if (candidates.length === 0) {
    report.end();
    if (!asked.json) terminal.stderr.write('There is nothing to send.\n');
    return 1;
  }
  for (const group of groups(candidates)) await sendGroup(asked, group, report);
  report.end();
  return report.tally.failed > 0 || report.tally.sent === 0 ? 1 : 0;
};

interface Asked {
  readonly host: string;
  readonly port: number;
  readonly paths: readonly string[];
  readonly called: string;
  readonly calling: string;
  readonly json: boolean;
}

function parse(args: readonly string[]): Asked | string {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { called: { type: 'string', default: 'LAZARET' }, calling: { type: 'string', default: 'LAZARET-SEND' }, json: { type: 'boolean', default: false } } });
  } catch (error) {
    return (error as Error).message;
  }
  const [address, ...paths] = parsed.positionals;
  const { called, calling, json } = parsed.values;
  if (address === undefined || paths.length === 0) return 'Say where to send and what.';
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (match === null || Number(match[3]) < 1 || Number(match[3]) > 65535) return `'${address}' is not HOST:PORT`;
  for (const title of [called, calling]) if (!isAETitle(title)) return `'${title}' is not an AE Title: 1 to 16 characters without backslash`;
  return { host: match[1] ?? match[2]!, port: Number(match[3]), paths, called, calling, json };
}

/** Files under `path` that are DICOM, in order of name. What a person named and cannot be sent is a failure; what merely lies in a folder is skipped. */
function collect(path: string, named: boolean, candidates: Candidate[], report: Report): void {
  try {
    if (statSync(path).isDirectory()) {
      const entries = readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) if (entry.isFile() || entry.isDirectory()) collect(join(path, entry.name), false, candidates, report);
      return;
    }
    const descriptor = openSync(path, 'r');
    try {
      const meta = readFileMeta(descriptor);
      if (typeof meta === 'string') report.leave(path, meta, named);
      else if (meta.sopClassUID === mediaStorageDirectoryStorage) report.leave(path, 'a DICOMDIR lists objects; it is none', false);
      else candidates.push({ path, meta });
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    report.leave(path, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, true);
  }
}

const pairOf = ({ meta }: Candidate): string => `${meta.sopClassUID} ${meta.transferSyntaxUID}`;

/** Candidates in groups that need no more than 128 presentation contexts each: one context a pair of SOP Class and transfer syntax. */
function* groups(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  let group: Candidate[] = [];
  let pairs = new Set<string>();
  for (const candidate of candidates) {
    if (!pairs.has(pairOf(candidate)) && pairs.size === presentationContextsMax) {
      yield group;
      group = [];
      pairs = new Set();
    }
    pairs.add(pairOf(candidate));
    group.push(candidate);
  }
  yield group;
}

async function sendGroup(asked: Asked, group: readonly Candidate[], report: Report): Promise<void> {
  const pairs = [...new Set(group.map(pairOf))];
  const presentationContexts = pairs.map((pair, index) => {
    const [abstractSyntax, transferSyntax] = pair.split(' ') as [string, string];
    return { id: index * 2 + 1, abstractSyntax, transferSyntaxes: [transferSyntax] };
  });
  const requestor = new Requestor({ host: asked.host, port: asked.port, calledAETitle: asked.called, callingAETitle: asked.calling, presentationContexts });
  let ended: string | null = null;
  let accepted: ReadonlySet<number> = new Set();
  try {
    accepted = new Set((await requestor.open()).map((context) => context.id));
  } catch (error) {
    ended = textOf(error);
  }
  for (const candidate of group) {
    const contextID = pairs.indexOf(pairOf(candidate)) * 2 + 1;
    if (ended !== null) report.fail(candidate, null, ended);
    else if (!accepted.has(contextID)) report.fail(candidate, null, `SOP Class ${candidate.meta.sopClassUID} with transfer syntax ${candidate.meta.transferSyntaxUID} is not accepted`);
    else ended = await sendOne(requestor, contextID, candidate, report);
  }
  await requestor.release();
}

/** Null, or why the association is at its end. */
async function sendOne(requestor: Requestor, contextID: number, candidate: Candidate, report: Report): Promise<string | null> {
  const { meta, path } = candidate;
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    const { status, comment } = await requestor.store({ contextID, sopClassUID: meta.sopClassUID, sopInstanceUID: meta.sopInstanceUID, descriptor, offset: meta.dataSetOffset, length: meta.dataSetLength });
    const type = statusType(status);
    if (type === 'success' || type === 'warning') report.sent(candidate, status, comment);
    else report.fail(candidate, status, comment === '' ? describeStatus(status) : `${describeStatus(status)}: ${comment}`);
    return null;
  } catch (error) {
    report.fail(candidate, null, textOf(error));
    return textOf(error);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function textOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  return `cannot be read: ${code}`;
}

class Report {
  readonly tally: Tally = { sent: 0, failed: 0, skipped: 0, bytes: 0 };
  total = 0;
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #start = Date.now();
  #drawnAt = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  sent({ path, meta }: Candidate, status: number, comment: string): void {
    this.tally.sent++;
    this.tally.bytes += meta.dataSetLength;
    if (this.#json) this.#line({ file: path, sopInstanceUID: meta.sopInstanceUID, outcome: 'sent', status, text: comment });
    this.#draw();
  }
  fail({ path, meta }: Candidate, status: number | null, text: string): void {
    this.tally.failed++;
    this.#tell({ file: path, sopInstanceUID: meta.sopInstanceUID, outcome: 'failed', status, text });
  }
  /** A file that is not sent at all. */
  leave(path: string, text: string, failed: boolean): void {
    this.tally[failed ? 'failed' : 'skipped']++;
    if (failed || this.#json) this.#tell({ file: path, sopInstanceUID: '', outcome: failed ? 'failed' : 'skipped', status: null, text });
  }
  end(): void {
    const { sent, failed, skipped, bytes } = this.tally;
    const ms = Date.now() - this.#start;
    this.#clear();
    if (this.#json) this.#line({ sent, failed, skipped, bytes, ms });
    else this.#terminal.stdout.write(`${sent} sent (${megabytes(bytes)}), ${failed} failed${skipped > 0 ? `, ${skipped} other files left alone` : ''}, in ${(ms / 1000).toFixed(1)} s\n`);
  }

  #tell(line: { readonly file: string; readonly text: string; readonly [more: string]: unknown }): void {
    if (this.#json) return this.#line(line);
    this.#clear();
    // File names and comments come from outside: no control character reaches the terminal.
    this.#terminal.stderr.write(`${`${line.file}: ${line.text}`.replace(/\p{Cc}/gu, '?')}\n`);
  }
  #line(value: unknown): void {
    this.#terminal.stdout.write(`${JSON.stringify(value)}\n`);
  }
  #draw(): void {
    const now = Date.now();
    if (this.#json || this.#terminal.stderr.isTTY !== true || now - this.#drawnAt < progressMs) return;
    this.#drawnAt = now;
    const rate = Math.round((this.tally.sent * 1000) / Math.max(1, now - this.#start));
    this.#terminal.stderr.write(`\r\u001b[K${this.tally.sent + this.tally.failed} of ${this.total}, ${megabytes(this.tally.bytes)}, ${rate} a second`);
  }
  #clear(): void {
    if (this.#drawnAt > 0) this.#terminal.stderr.write('\r\u001b[K');
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
