/**
 * Builds the command line that starts a process of `processes.ts` confined to its row (law 3).
 *
 * Two walls, one inside the other:
 *
 * 1. Linux namespaces, by bubblewrap: the process sees only its program, the folders of its row and nothing else; it has no
 *    capability, no network unless its row has one, no other process to see, and dies with its parent.
 * 2. Node's permission model: no file, socket, child, worker or addon beyond the row. By itself it is no wall against native code
 *    or node:sqlite, which pass it, and symbolic links lead out of it; so it never counts as more than `permission-model`.
 *
 * What works is found by really trying it (sandboxprobe.ts), never by looking for a file or a version.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { processes, type ProcessRow } from '../processes.ts';
import { unavailable } from './failure.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './process.ts';
import { compiledCache, compiledMount, fillCompiled } from './compiled.ts';
import { bubblewrap, isolation, namespacesWork, nestingWorks, sharedLibraries, uidInside } from './sandboxprobe.ts';

export interface Confinement {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process: spawn with exactly this, never merged with the parent's. */
  readonly env: Readonly<Record<string, string>>;
  readonly strength: 'namespaces' | 'permission-model' | 'none';
  /** For people: `lazaret doctor`, the console. */
  readonly text: string;
}

export interface ConfineOptions {
  /** Files and folders to read beyond the row's: what a person named on the command line of `lazaret inspect`. Absolute. */
  readonly reads?: readonly string[];
  /** Only `reads`: the row's areas are neither made nor visible. For work without a data directory. */
  readonly withoutData?: boolean;
  /** Another program than the row's main: the escape tests. Absolute. */
  readonly program?: string;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The folder of this checkout. Node resolves symbolic links of modules, so this is a real path. */
export const programRoot = dirname(import.meta.dirname);

/** Code that processes run. Nothing else of the checkout (.git, tests, documents, a data directory inside it) is visible. */
const codeFolders = ['audit', 'console', 'dicom', 'hospital', 'node_modules', 'pacs', 'processes', 'system', 'viewer', 'processes.ts', 'package.json'];

/** Fastify compiles its validators; nobody else has a reason to make code from strings. */
const compilesCode: readonly ProcessRow['name'][] = ['web'];

/** Room in /tmp, which is memory: SQLite may sort there. */
const temporaryBytesMax = 64 * 1024 * 1024;

/**
 * The command line for a row. Makes the folders of the row that do not exist yet (mode 0700).
 * Throws `sandbox-unavailable` when the settings require namespaces and this machine gives none.
 */
export function confine(row: ProcessRow, settings: Settings, options: ConfineOptions = {}): Confinement {
  const program = options.program ?? join(programRoot, row.main);
  const env = { ...options.env, LAZARET_SETTINGS: JSON.stringify(settings) };
  if (settings.sandbox === 'off' || row.startedBy === 'person') {
    return { command: process.execPath, args: [...plainFlags(row), ...entry(program)], env, strength: 'none', text: row.startedBy === 'person' ? 'not confined: it starts the others' : 'not confined: the sandbox is switched off' };
  }
  const access = accessOf(row, settings, options);
  for (const folder of access.own) if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const node = [...plainFlags(row), ...(row.syncs ? [] : permissionFlags(row, access, program)), ...entry(program)];

  const probe = namespacesWork();
  if (probe.works && (row.exec === 'none' || nestingWorks().works)) {
    const compiled = compiledCache(row.name, uidInside);
    const args = [...namespaceFlags(row, settings, access, program), process.execPath, ...node];
    const environment = compiled === null ? env : { ...env, NODE_COMPILE_CACHE: dirname(compiled.mount) };
    return { command: bubblewrap()!, args, env: environment, strength: 'namespaces', text: `Linux namespaces (${probe.text})${row.syncs ? '' : ' and Node\'s permission model'}` };
  }
  if (!probe.works && settings.sandbox === 'required') {
    throw unavailable('sandbox-unavailable', `${row.name} is not started: the settings require Linux namespaces and ${probe.text}. Install bubblewrap, permit unprivileged user namespaces, or set "sandbox": "available" and accept less.`);
  }
  if (row.addons) {
    return { command: process.execPath, args: node, env, strength: 'none', text: `not confined: it loads native code, which Node's permission model does not hold, and ${probe.text}` };
  }
  if (row.syncs) {
    return { command: process.execPath, args: node, env, strength: 'none', text: `not confined: it makes files durable, which Node's permission model forbids, and ${probe.text}` };
  }
  const why = probe.works ? `it must start sandboxed processes and ${nestingWorks().text}` : probe.text;
  return { command: process.execPath, args: node, env, strength: 'permission-model', text: `Node's permission model alone: ${why}` };
}

/**
 * Fills the compile caches of all sandboxed programs, once after each change of the sources: some seconds then, nothing otherwise. Call it before
 * confine() where the checkout may be written; without it processes start slower and use more memory.
 */
export function prepareSandboxes(): void {
  fillCompiled(Object.values(processes).filter((row) => row.startedBy !== 'person').map((row) => ({ name: row.name, flags: plainFlags(row), entry: entry(join(programRoot, row.main)) })));
}

interface Access {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Areas inside a folder in `writes` that the row has no part in: covered with nothing. */
  readonly covered: readonly string[];
  /** Folders of ours that must exist. */
  readonly own: readonly string[];
}

const movedBetween: readonly (keyof Layout)[] = ['arriving', 'quarantine', 'archive'];
const areas: readonly (keyof Layout)[] = ['arriving', 'quarantine', 'archive', 'database', 'audit', 'tls', 'dicomTls', 'worklistTls', 'rules', 'ruleKeys', 'uploads', 'run'];

function accessOf(row: ProcessRow, settings: Settings, options: ConfineOptions): Access {
  if (options.withoutData === true) return { reads: options.reads ?? [], writes: [], covered: [], own: [] };
  const { layout } = settings;
  const written = row.writes.map((area) => folderOf(layout, area));
  const read = row.reads.filter((area) => !row.writes.includes(area)).map((area) => folderOf(layout, area));
  const asked = row.asks.map((socket) => dirname(layout.sockets[socket]));
  const own = [...new Set([...read, ...written, ...asked])];
  const named = [...(options.reads ?? [])];
  if (row.network === 'clamd' && settings.clamd !== null && 'socket' in settings.clamd) named.push(dirname(settings.clamd.socket));
  // rename(2) does not cross mounts, even within one file system: who moves objects between areas needs them in one mount.
  if (row.writes.filter((area) => movedBetween.includes(area)).length > 1) {
    const covered = areas.filter((area) => !row.writes.includes(area) && !row.reads.includes(area)).map((area) => folderOf(layout, area));
    return { reads: named, writes: [layout.data], covered, own: [...own, ...covered] };
  }
  return { reads: [...read, ...asked, ...named], writes: written, covered: [], own };
}

/** SQLite in WAL mode writes beside the database file. */
function folderOf(layout: Layout, area: keyof Layout): string {
  if (area === 'database') return dirname(layout.database);
  return layout[area] as string;
}

/** As an address: by its path Node takes the program for CommonJS first, because the permission model hides what says otherwise. */
function entry(program: string): string[] {
  return ['--entry-url', pathToFileURL(program).href];
}

function plainFlags(row: ProcessRow): string[] {
  const flags = [`--max-old-space-size=${row.memoryMiBMax}`, '--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning'];
  if (!compilesCode.includes(row.name)) flags.push('--disallow-code-generation-from-strings');
  return flags;
}

function permissionFlags(row: ProcessRow, access: Access, program: string): string[] {
  const flags = ['--permission'];
  for (const folder of codeFolders) flags.push(`--allow-fs-read=${join(programRoot, folder)}`);
  for (const path of [program, ...access.reads, ...access.writes]) flags.push(`--allow-fs-read=${path}`);
  for (const path of access.writes) flags.push(`--allow-fs-write=${path}`);
  // Node takes a compile cache only where it may write; the mount is read-only.
  flags.push(`--allow-fs-read=${compiledMount}`, `--allow-fs-write=${compiledMount}`);
  // Unix sockets count as network here; the network itself is withheld by the namespaces.
  if (row.network !== 'none' || row.asks.length > 0 || row.writes.includes('run')) flags.push('--allow-net');
  if (row.addons) flags.push('--allow-addons');
  if (row.exec !== 'none') flags.push('--allow-child-process', '--allow-fs-read=/proc', '--allow-fs-read=/usr/bin/bwrap', '--allow-fs-read=/lib', '--allow-fs-read=/lib64', '--allow-fs-read=/usr/lib');
  return flags;
}

function namespaceFlags(row: ProcessRow, settings: Settings, access: Access, program: string): string[] {
  const flags = [...isolation];
  const usesNetwork = row.network === 'listens' || (row.network === 'clamd' && settings.clamd !== null && 'host' in settings.clamd) || (row.network === 'worklist' && (settings.worklist ?? null) !== null);
  if (usesNetwork) flags.push('--share-net');
  flags.push('--dev', '/dev');
  // An examiner sees no /proc: it needs none, and a new one cannot be mounted inside the inspector's sandbox when that was made by root.
  if (row.startedBy === 'supervisor') flags.push('--proc', '/proc', '--size', String(temporaryBytesMax), '--tmpfs', '/tmp');
  if (row.exec === 'none') for (const library of sharedLibraries(row.addons)) flags.push('--ro-bind', library, library);
  else for (const folder of ['/usr', '/lib', '/lib64', '/bin']) flags.push('--ro-bind-try', folder, folder);
  if (usesNetwork) for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']) flags.push('--ro-bind-try', file, file);
  flags.push('--ro-bind', process.execPath, process.execPath);
  for (const folder of codeFolders) {
    const path = join(programRoot, folder);
    flags.push('--ro-bind-try', path, path);
  }
  for (const path of [program, ...access.reads]) flags.push('--ro-bind', path, path);
  for (const path of access.writes) flags.push('--bind', path, path);
  for (const path of access.covered) flags.push('--tmpfs', path, '--remount-ro', path);
  // Who starts others shows them their cache, which it must see itself.
  for (const name of row.exec === 'none' ? [row.name] : Object.keys(processes)) {
    const compiled = compiledCache(name, uidInside);
    // It may be filled anew (another command after a change of the sources) while a system runs that started before: then it starts slower, but it starts.
    if (compiled !== null) flags.push('--ro-bind-try', compiled.source, compiled.mount);
  }
  flags.push('--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/', '--');
  return flags;
}
