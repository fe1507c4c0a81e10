/** `./lazaret import PATH`: reads a medium (folder, mounted disc, image, drive, ZIP) in a sandbox and brings its images in; what lies beside them stays behind. */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { processes } from '../processes.ts';
import { Failure, refused } from '@lazaret/system/failure.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { confine, prepareSandboxes } from '@lazaret/system/sandbox.ts';
import type { ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import { ImportRun, scratchIn } from '@lazaret/pacs/reception/media/run.ts';
import type { Terminal } from './command.ts';
import { ImportProgress } from './importprogress.ts';
import { takeAll } from './importtake.ts';
import { listOf, receiptOf } from './importreceipt.ts';
import { withKeeper } from './keeper.ts';
import { localPatient } from './patient.ts';

const usage = [
  'Usage: ./lazaret import PATH [--patient ID | --as-is] [--json]',
  '                                               a folder, a mounted disc or stick, an image file, a drive, a ZIP file, a DICOM file;',
  '                                               --patient: all of it is of the local patient with this ID, and served under their identity;',
  '                                               --as-is (as without either): under the identity that it came with',
  '       ./lazaret import --receipt ID [--json]  what came in with an import, what was left behind, what is held',
  '       ./lazaret import --list [--json]        the last imports',
  'An import that was interrupted goes on when it is started again. Exit 0: all came in; 3: something is held or infected; 1: nothing came in or not all could be read.',
  '',
].join('\n');

const pollMs = 250;
const connectMs = 2_000;
const listed = 20;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean' }, patient: { type: 'string' }, 'as-is': { type: 'boolean' }, receipt: { type: 'string' }, list: { type: 'boolean' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { values, positionals: [path, ...more] } = parsed;
  const wanted = [path !== undefined, values.receipt !== undefined, values.list === true].filter(Boolean).length;
  const whose = values.patient !== undefined || values['as-is'] === true;
  if (wanted !== 1 || more.length > 0 || (whose && path === undefined) || (values.patient !== undefined && (values['as-is'] === true || values.patient.trim() === '')) || (values.receipt !== undefined && !/^[0-9a-f]{4,32}$/i.test(values.receipt))) {
    terminal.stderr.write(usage);
    return 2;
  }
  const json = values.json === true;
  return withKeeper(terminal.data, async (channel) => {
    if (values.list === true) {
      const imports = await channel.request<ImportStatus[]>('import', { do: 'list', limit: listed });
      terminal.stdout.write(json ? imports.map((each) => `${JSON.stringify(each)}\n`).join('') : listOf(imports));
      return 0;
    }
    if (values.receipt !== undefined) return tell(await channel.request<Receipt>('import', { do: 'receipt', id: await wholeId(channel, values.receipt) }), json, terminal);
    return readMedium(channel, path!, values.patient?.trim() ?? null, json, terminal);
  }, connectMs);
}

async function readMedium(channel: Channel, path: string, patientID: string | null, json: boolean, terminal: Terminal): Promise<number> {
  // Who does not exist is said before a disc is read for minutes.
  const patient = patientID === null ? null : await localPatient(channel, patientID);
  const medium = openMedium(path);
  const settings = settingsFor(terminal.data);
  prepareSandboxes();
  const { arriving } = settings.layout;
  const scratch = scratchIn(arriving);
  const confined: Settings = { ...settings, layout: { ...settings.layout, arriving: scratch } };
  const progress = new ImportProgress(terminal, json);
  const run = new ImportRun({
    start: confine(processes.media, confined, 'folder' in medium ? { reads: [medium.folder] } : {}), medium, label: basename(path), person: userInfo().username, address: hostname(), upload: '',
    arriving, scratch, ask: (name, body) => channel.request(name, patient !== null && name === 'import' && (body as { do?: unknown }).do === 'begin' ? { ...(body as object), waits: true } : body), log: (line) => terminal.stderr.write(line), progress: (now) => progress.reading(now),
  });
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    run.interrupt();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const watch = setInterval(() => {
    if (progress.id === '' || !progress.shown) return;
    channel.request<ImportStatus>('import', { do: 'status', id: progress.id }).then((status) => progress.verdicts(status), () => {});
  }, pollMs * 2);
  try {
    let status = await run.run();
    while (status.state === 'inspecting' && !interrupted) {
      progress.verdicts(status);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      status = await channel.request<ImportStatus>('import', { do: 'status', id: status.id });
    }
    progress.clear();
    const problem = patient === null || status.state !== 'settled' ? null : await takeAll(channel, status.id, patient, progress);
    progress.clear();
    const code = tell(await channel.request<Receipt>('import', { do: 'receipt', id: status.id }), json, terminal);
    if (problem === null) return code;
    terminal.stderr.write(`\n${problem}\n`);
    return 1;
  } catch (error) {
    progress.clear();
    if (interrupted) terminal.stderr.write('Interrupted.\n');
    throw error;
  } finally {
    clearInterval(watch);
    if ('descriptor' in medium) closeSync(medium.descriptor);
  }
}

function tell(receipt: Receipt, json: boolean, terminal: Terminal): number {
  terminal.stdout.write(json ? `${JSON.stringify(receipt)}\n` : receiptOf(receipt));
  if (receipt.state === 'interrupted' || receipt.state === 'failed') return 1;
  if (receipt.held > 0 || (receipt.fates.infected ?? 0) > 0) return 3;
  const lost = (receipt.fates.unreadable ?? 0) + (receipt.fates.unreached ?? 0) + (receipt.fates.refused ?? 0);
  return lost > 0 || receipt.archived + receipt.waiting === 0 ? 1 : 0;
}

/** A folder by its real path, or a file or drive that is open for reading. Throws `path-unreadable`. */
function openMedium(path: string): { readonly folder: string } | { readonly descriptor: number; readonly length: number } {
  try {
    const real = realpathSync(path);
    const stat = statSync(real);
    if (stat.isDirectory()) return { folder: real };
    if (!stat.isFile() && !stat.isBlockDevice()) throw refused('path-unreadable', `${path} is neither a folder nor a file nor a drive`);
    const descriptor = openSync(real, constants.O_RDONLY);
    return { descriptor, length: stat.isFile() ? fstatSync(descriptor).size : driveBytes(real) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refused('path-unreadable', `${path} is not there or cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}

/** Length of a drive in sectors of 512 bytes, as the kernel says. */
function driveBytes(path: string): number {
  return Number(readFileSync(join('/sys/class/block', basename(path), 'size'), 'utf8').trim()) * 512;
}

function settingsFor(data: string): Settings {
  return { layout: layoutOf(data), host: '127.0.0.1', dimsePort: 0, dimseTlsPort: 0, httpsPort: 0, aeTitle: '', sandbox: 'available', clamd: null, examiners: 1, privateSOPClasses: [] } as unknown as Settings;
}

async function wholeId(channel: Channel, word: string): Promise<string> {
  const start = word.toLowerCase();
  if (start.length === 32) return start;
  const found = (await channel.request<ImportStatus[]>('import', { do: 'list', limit: 200 })).filter(({ id }) => id.startsWith(start));
  if (found.length !== 1) throw refused('import-unknown', found.length === 0 ? `No import begins with ${start}.` : `${found.length} imports begin with ${start}; give more digits.`);
  return found[0]!.id;
}
