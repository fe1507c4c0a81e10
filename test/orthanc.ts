/** Starts Debian's Orthanc with its default settings (and DICOMweb where the plugin is there) on a folder and ports of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { programPath } from './peers.ts';

export interface Orthanc {
  readonly version: string;
  readonly http: string;
  readonly dimse: { readonly host: string; readonly port: number };
  readonly pid: number;
  /** Where its files are. */
  readonly storage: string;
  /** True when its DICOMweb plugin is loaded. */
  readonly dicomweb: boolean;
  json(path: string, init?: RequestInit): Promise<unknown>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Orthanc has no port 0. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const plugins = ['/usr/share/orthanc/plugins', '/usr/lib/orthanc'];
const startTimeoutMs = 30_000;

export async function startOrthanc(t: { after(run: () => Promise<void>): void } | null, peers: Readonly<Record<string, readonly [aeTitle: string, host: string, port: number]>> = {}): Promise<Orthanc> {
  const program = programPath('Orthanc');
  if (program === null) throw new Error('Orthanc is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'orthanc-'));
  const storage = join(folder, 'db');
  await mkdir(storage);
  const [http, dimse] = [await freePort(), await freePort()];
  const configuration = join(folder, 'orthanc.json');
  await writeFile(configuration, JSON.stringify({
    Name: 'judge', StorageDirectory: storage, IndexDirectory: storage, HttpPort: http, DicomPort: dimse, DicomAet: 'ORTHANC', DicomModalities: peers,
    RemoteAccessAllowed: false, AuthenticationEnabled: false,
    Plugins: plugins.filter((path) => existsSync(path)), DicomWeb: { Enable: true },
  }));
  const origin = `http://127.0.0.1:${http}`;
  let child = await begin(program, configuration, origin);
  const end = async (): Promise<void> => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await exited;
    }
  };
  const json = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${origin}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`Orthanc answered ${response.status} to ${path}: ${text.slice(0, 300)}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  const system = (await json('/system')) as { Version: string };
  const loaded = (await json('/plugins')) as string[];
  const stop = async (): Promise<void> => {
    await end();
    await rm(folder, { recursive: true, force: true });
  };
  t?.after(stop);
  return {
    version: system.Version, http: origin, storage, json, stop,
    dimse: { host: '127.0.0.1', port: dimse },
    get pid() { return child.pid!; },
    dicomweb: loaded.includes('dicom-web'),
    restart: async () => {
      await end();
      child = await begin(program, configuration, origin);
    },
  };
}

async function begin(program: string, configuration: string, origin: string) {
  const child = spawn(program, [configuration], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => { output = (output + chunk.toString('utf8')).slice(-4000); });
  child.stderr.on('data', (chunk: Buffer) => { output = (output + chunk.toString('utf8')).slice(-4000); });
  const until = Date.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Orthanc ended with ${child.exitCode}:\n${output}`);
    const up = await fetch(`${origin}/system`).then((response) => response.ok, () => false);
    if (up) return child;
    if (Date.now() > until) throw new Error(`Orthanc did not start:\n${output}`);
    await wait(50);
  }
}
