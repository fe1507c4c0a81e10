/** Finds out what this machine's kernel and settings really permit, by doing it once. Answers are kept for the life of the process. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Probe {
  readonly works: boolean;
  /** For people: what works, or why not. */
  readonly text: string;
}

/** Where distributions put bubblewrap. No search in PATH: the sandbox is not taken from wherever a variable points. */
const places = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
/** A machine under load starts a process within this; more means that it hangs. */
const probeTimeoutMs = 10_000;

export function bubblewrap(): string | null {
  return places.find((place) => existsSync(place)) ?? null;
}

let namespaces: Probe | null = null;
let nesting: Probe | null = null;
let libraries: readonly string[] | null = null;

/** Do user, mount, process and network namespaces work here, with no capability left inside? */
export function namespacesWork(): Probe {
  return (namespaces ??= tryNamespaces());
}

function tryNamespaces(): Probe {
  const command = bubblewrap();
  if (command === null) return { works: false, text: 'bubblewrap (bwrap) is not installed' };
  const probe = spawnSync(command, [...probeFlags(), process.execPath, '--version'], { timeout: probeTimeoutMs, encoding: 'utf8', env: {} });
  if (probe.status === 0 && probe.stdout.trim() === process.version) {
    const version = spawnSync(command, ['--version'], { timeout: probeTimeoutMs, encoding: 'utf8', env: {} });
    return { works: true, text: version.stdout.trim() || 'bubblewrap' };
  }
  return { works: false, text: `namespaces do not work here (${reasonOf(probe)})` };
}

/** Can a process inside such namespaces make further ones? The inspector, itself confined, starts examiners. */
export function nestingWorks(): Probe {
  return (nesting ??= tryNesting());
}

function tryNesting(): Probe {
  const command = bubblewrap();
  if (command === null) return { works: false, text: 'bubblewrap (bwrap) is not installed' };
  const system = ['/usr', '/lib', '/lib64', '/bin'].flatMap((folder) => ['--ro-bind-try', folder, folder]);
  const outer = [...isolation, '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', ...system, '--ro-bind', process.execPath, process.execPath];
  const probe = spawnSync(command, [...outer, '--', command, ...probeFlags(), process.execPath, '--version'], { timeout: probeTimeoutMs, encoding: 'utf8', env: {} });
  if (probe.status === 0 && probe.stdout.trim() === process.version) return { works: true, text: 'namespaces nest' };
  return { works: false, text: `a sandbox inside a sandbox does not work here (${reasonOf(probe)})` };
}

/** What every confined process gets. A user of its own inside, never 0: mapping 0 would take a capability that a nested sandbox does not have. */
export const uidInside = 65534;
export const isolation: readonly string[] = [
  '--unshare-user', '--unshare-all', '--uid', String(uidInside), '--gid', String(uidInside), '--cap-drop', 'ALL',
  '--hostname', 'lazaret', '--new-session', '--die-with-parent',
];

function probeFlags(): string[] {
  return [...isolation, '--dev', '/dev', ...sharedLibraries(false).flatMap((library) => ['--ro-bind', library, library]), '--ro-bind', process.execPath, process.execPath, '--remount-ro', '/', '--'];
}

function reasonOf(probe: { readonly stderr: string | null; readonly error?: Error | undefined; readonly status: number | null }): string {
  const said = (probe.stderr ?? '').trim().split('\n')[0];
  return said !== undefined && said !== '' ? said : (probe.error?.message ?? `exit ${probe.status}`);
}

/** The shared libraries that this Node is running with, and for addons those that come with the C library. */
export function sharedLibraries(addons: boolean): readonly string[] {
  libraries ??= loadedLibraries();
  if (!addons) return libraries;
  // Old C libraries keep shm_open and the like apart in librt, which Node itself does not load.
  const folder = libraries.find((library) => library.includes('/libc.so'));
  const realtime = folder === undefined ? '' : join(dirname(folder), 'librt.so.1');
  return existsSync(realtime) && !libraries.includes(realtime) ? [...libraries, realtime] : libraries;
}

function loadedLibraries(): string[] {
  // Node's types do not know excludeNetwork yet; without it the report asks the name server about each open socket.
  const reporter = process.report as typeof process.report & { excludeNetwork: boolean };
  const before = reporter.excludeNetwork;
  reporter.excludeNetwork = true;
  const report = reporter.getReport() as unknown as { sharedObjects: string[] };
  reporter.excludeNetwork = before;
  return report.sharedObjects.filter((path) => path.startsWith('/') && existsSync(path) && !path.endsWith('.node'));
}
