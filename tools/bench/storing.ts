/** C-STORE and STOW-RS until the last object is queryable, the same sender for every peer. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { programPath } from '../../test/peers.ts';
import { withElements, type Element } from '../recipes/encode.ts';
import { ctSlice, smallReport } from '../recipes/objects.ts';
import { renderSlice } from '../recipes/phantom.ts';
import { fileOf } from '../recipes/series.ts';
import { fleetOf, marks, type Fleet } from './load.ts';
import type { Peer } from './peers.ts';
import type { Row } from './report.ts';
import { cpuByProcess, cpuSeconds, machineTicks, median } from './usage.ts';

export interface Measuring {
  readonly folder: string;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly objects: number;
  readonly say: (text: string) => void;
  readonly notes: string[];
}

const associationCounts = [1, 2, 4, 8] as const;
/** Between two looks whether the last object is there: short beside a run of a second, and little work for who answers. */
const pollMs = 25;
const queryableTimeoutMs = 120_000;

/** DESIGN: 1.5 times Orthanc for slices, twice for reports and STOW-RS. */
const targets = { ct: 1.5, sr: 2, stow: 2 } as const;

function makeFleet(folder: string, kind: 'ct' | 'sr', objects: number): Fleet {
  const at = join(folder, `${kind}-${objects}`);
  mkdirSync(at, { recursive: true });
  const pictures = kind === 'ct' ? Array.from({ length: 24 }, (_, index) => renderSlice({ rows: 512, columns: 512, height: 0.7 - index / 18, seed: index })) : [];
  const paths = Array.from({ length: objects }, (_, index) => {
    const base = kind === 'ct' ? ctSlice({ name: 'bench', index, count: objects, pixels: pictures[index % pictures.length]! }) : smallReport('bench');
    const marked: Element[] = [['0008,0018', 'UI', marks.instance(index)], ['0020,000D', 'UI', marks.study], ['0020,000E', 'UI', marks.series], ['0010,0020', 'LO', marks.patient]];
    const path = join(at, `${String(index).padStart(5, '0')}.dcm`);
    writeFileSync(path, fileOf(withElements(base, ...marked)));
    return path;
  });
  // Eight groups: at eight associations, each sends a study of its own.
  return fleetOf(paths, 8);
}

interface Run {
  readonly rate: number;
  readonly cpuMs: number;
  readonly where: ReadonlyMap<string, number>;
  /** Share of the machine's cores that had nothing to do. */
  readonly idle: number;
}

/** Time from the first sender's start until a query finds the last object. */
async function measure(peer: Peer, patient: string, objects: number, send: () => Promise<void>): Promise<Run> {
  if (await peer.count(patient) !== 0) throw new Error(`${peer.name} already has objects of ${patient}`);
  const [cpuBefore, whereBefore] = [cpuSeconds(peer.pid), cpuByProcess(peer.pid)];
  const machineBefore = machineTicks();
  const start = performance.now();
  await send();
  let found = 0;
  for (;;) {
    found = await peer.count(patient);
    if (found >= objects) break;
    if (performance.now() - start > queryableTimeoutMs) throw new Error(`${peer.name}: after ${queryableTimeoutMs / 1000} s only ${found} of ${objects} objects are queryable`);
    await wait(pollMs);
  }
  const seconds = (performance.now() - start) / 1000;
  const machine = machineTicks();
  const where = new Map([...cpuByProcess(peer.pid)].map(([name, used]) => [name, ((used - (whereBefore.get(name) ?? 0)) * 1000) / objects]));
  return { rate: objects / seconds, cpuMs: ((cpuSeconds(peer.pid) - cpuBefore) * 1000) / objects, where, idle: (machine.idle - machineBefore.idle) / Math.max(1, machine.all - machineBefore.all) };
}

/** One dcmsend for each association, each with its part of the files. */
async function sendAll(peer: Peer, paths: readonly string[], associations: number): Promise<void> {
  const program = programPath('dcmsend')!;
  await Promise.all(Array.from({ length: associations }, (_, index) => {
    const own = paths.slice(Math.floor((paths.length * index) / associations), Math.floor((paths.length * (index + 1)) / associations));
    return new Promise<void>((resolve, reject) => {
      const child = spawn(program, ['-aec', peer.dimse.aeTitle, '-aet', 'BENCH', peer.dimse.host, String(peer.dimse.port), ...own], { stdio: ['ignore', 'ignore', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => { errors += chunk.toString('utf8'); });
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`dcmsend to ${peer.name} ended with ${code}: ${errors.slice(0, 600)}`))));
    });
  }));
}

/** One run of each peer that does not count: programs that compile as they run, and caches that are empty, are not what is compared. */
async function warmUp({ peers, notes }: Measuring, fleet: Fleet, kind: string, send: (peer: Peer, paths: readonly string[]) => Promise<void>): Promise<void> {
  for (const peer of peers) {
    const patient = fleet.rename(`warm-up ${kind} ${peer.name} ${process.pid}`);
    await measure(peer, patient, fleet.paths.length, () => send(peer, fleet.paths)).catch((error: unknown) => void notes.push(`warm-up of ${peer.name}: ${(error as Error).message}`));
  }
}

/** The same runs for every peer, one after the other within a round, each round starting with another one. */
async function interleaved(name: string, { peers, rounds, say, notes }: Measuring, one: (peer: Peer, run: string) => Promise<Run>): Promise<Map<string, Run[]>> {
  const runs = new Map<string, Run[]>();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < peers.length; turn++) {
      const peer = peers[(turn + round) % peers.length]!;
      try {
        const run = await one(peer, `${name} ${round} ${turn} ${process.pid}`);
        runs.set(peer.name, [...(runs.get(peer.name) ?? []), run]);
        say(`${name}, round ${round + 1}, ${peer.name}: ${run.rate.toFixed(0)} objects/s, ${run.cpuMs.toFixed(2)} ms CPU`);
      } catch (error) {
        notes.push(`${name}, ${peer.name}: ${(error as Error).message}`);
        say(`${name}, ${peer.name} FAILED: ${(error as Error).message}`);
      }
    }
  }
  return runs;
}

function rowOf(work: string, runs: ReadonlyMap<string, readonly Run[]>, target: number): Row {
  const figures = Object.fromEntries([...runs].map(([name, all]) => [name, median(all.map((run) => run.rate))]));
  const orthanc = Object.keys(figures).find((name) => name.startsWith('Orthanc'));
  const own = runs.get('Lazaret') ?? [];
  const names = new Set(own.flatMap((run) => [...run.where.keys()]));
  return {
    work, figures, unit: 'objects/s', target, targetText: `${target} × Orthanc`,
    ratio: orthanc === undefined || figures['Lazaret'] === undefined ? null : figures['Lazaret'] / figures[orthanc]!,
    cpuMs: Object.fromEntries([...runs].map(([name, all]) => [name, median(all.map((run) => run.cpuMs))])),
    idle: own.length === 0 ? null : median(own.map((run) => run.idle)),
    where: Object.fromEntries([...names].map((name) => [name, median(own.map((run) => run.where.get(name) ?? 0))])),
  };
}

export async function storeRows(measuring: Measuring & { readonly kind: 'ct' | 'sr' }): Promise<Row[]> {
  const { kind, folder, objects, say } = measuring;
  const what = kind === 'ct' ? 'C-STORE of 525 KB CT slices' : 'C-STORE of 4 KB structured reports';
  say(`making ${objects} objects for: ${what}`);
  const fleet = makeFleet(folder, kind, objects);
  await warmUp(measuring, fleet, kind, (peer, paths) => sendAll(peer, paths, 2));
  const rows: Row[] = [];
  for (const associations of associationCounts) {
    const work = `${what}, ${associations} association${associations === 1 ? '' : 's'}`;
    const runs = await interleaved(work, measuring, (peer, run) => {
      const patient = fleet.rename(run);
      return measure(peer, patient, fleet.paths.length, () => sendAll(peer, fleet.paths, associations));
    });
    rows.push(rowOf(work, runs, targets[kind]));
  }
  return rows;
}

/** DESIGN: inspection as a whole costs at most 15 % of the rate of ingest. */
const inspectionShareMax = 0.15;
const shareAssociations = 2;

/** The same program with and without inspection, and nobody else. */
export async function inspectionRow(measuring: Measuring): Promise<Row> {
  const { folder, objects, notes } = measuring;
  const fleet = makeFleet(folder, 'ct', objects);
  const work = `C-STORE of 525 KB CT slices, ${shareAssociations} associations, with and without inspection`;
  await warmUp(measuring, fleet, 'share', (peer, paths) => sendAll(peer, paths, shareAssociations));
  const runs = await interleaved(work, measuring, (peer, run) => {
    const patient = fleet.rename(run);
    return measure(peer, patient, fleet.paths.length, () => sendAll(peer, fleet.paths, shareAssociations));
  });
  const row = rowOf(work, runs, 1 - inspectionShareMax);
  const [inspected, bare] = ['Lazaret', 'Lazaret without inspection'].map((name) => row.figures[name]);
  if (inspected !== undefined && bare !== undefined) notes.push(`Inspection as a whole takes ${((1 - inspected / bare) * 100).toFixed(0)} % of the rate of ingest (goal: at most ${inspectionShareMax * 100} %). Without it an object is still read to its last element, digested and indexed.`);
  return { ...row, ratio: inspected === undefined || bare === undefined ? null : inspected / bare, targetText: `${1 - inspectionShareMax} × without` };
}

const stowClients = 4;
const objectsPerRequest = 10;

export async function stowRows(measuring: Measuring): Promise<Row[]> {
  const peers = measuring.peers.filter((peer) => peer.stow !== null);
  const fleet = makeFleet(measuring.folder, 'ct', measuring.objects);
  const work = `STOW-RS of ${objectsPerRequest} × 525 KB a request, ${stowClients} clients`;
  const one = (peer: Peer, run: string): Promise<Run> => {
    const patient = fleet.rename(run);
    const requests: Buffer[] = [];
    for (let at = 0; at < fleet.paths.length; at += objectsPerRequest) {
      requests.push(Buffer.concat([...fleet.paths.slice(at, at + objectsPerRequest).flatMap((path) => [Buffer.from('--bench\r\nContent-Type: application/dicom\r\n\r\n'), readFileSync(path), Buffer.from('\r\n')]), Buffer.from('--bench--\r\n')]));
    }
    return measure(peer, patient, fleet.paths.length, async () => {
      let next = 0;
      await Promise.all(Array.from({ length: stowClients }, async () => {
        for (let own = next++; own < requests.length; own = next++) {
          const status = await peer.stow!(requests[own]!, 'multipart/related; type="application/dicom"; boundary=bench');
          if (status !== 200 && status !== 202) throw new Error(`STOW-RS was answered ${status}`);
        }
      }));
    });
  };
  // One round that does not count, as for C-STORE.
  for (const peer of peers) await one(peer, `warm-up stow ${peer.name} ${process.pid}`).catch((error: unknown) => void measuring.notes.push(`warm-up of ${peer.name}: ${(error as Error).message}`));
  const runs = await interleaved(work, { ...measuring, peers }, one);
  measuring.notes.push('STOW-RS: Lazaret is asked by HTTPS, as it always is; Orthanc by plain HTTP, as it is by default.');
  return [rowOf(work, runs, targets.stow)];
}
