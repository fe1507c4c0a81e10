/** The archives that are compared, behind one shape. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startOrthanc } from '../../test/orthanc.ts';
import { programPath } from '../../test/peers.ts';
import { startSystem, type System } from '../../test/system.ts';

export interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly dimse: { readonly host: string; readonly port: number; readonly aeTitle: string };
  /** How many instances of a patient a query finds now. */
  count(patientID: string): Promise<number>;
  /** STOW-RS of a whole message; the HTTP status. Null where there is none. */
  readonly stow: ((body: Buffer, contentType: string) => Promise<number>) | null;
  stop(): Promise<unknown>;
}

function post(url: URL, headers: Record<string, string>, body: Buffer, agent: Agent | HttpAgent): Promise<number> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    // The certificate was made a moment ago by the program that is measured; the one who measures does not check it.
    const sent = (secure ? httpsRequest : httpRequest)(url, { method: 'POST', agent, headers: { ...headers, 'content-length': String(body.length) }, ...(secure ? { rejectUnauthorized: false } : {}) }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** `program`: another copy of it than this one. */
export async function lazaret(program?: string): Promise<Peer & { readonly system: System }> {
  const system = await startSystem(null, program === undefined ? {} : { program });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const token = await system.token('sender');
  await system.token('viewer');
  return {
    name: 'Lazaret', system, pid: system.pid,
    dimse: { ...system.dimse, aeTitle: 'LAZARET' },
    count: async (patientID) => {
      const answer = await system.ask(`/dicomweb/studies?PatientID=${patientID}&includefield=00201208`, { headers: { accept: 'application/dicom+json' } });
      if (answer.status === 204) return 0;
      if (answer.status !== 200) throw new Error(`QIDO-RS answered ${answer.status}: ${answer.body.toString('utf8', 0, 200)}`);
      const studies = JSON.parse(answer.body.toString('utf8')) as Record<string, { Value?: number[] }>[];
      return studies.reduce((sum, study) => sum + Number(study['00201208']?.Value?.[0] ?? 0), 0);
    },
    stow: (body, contentType) => post(new URL('/dicomweb/studies', system.https), { 'content-type': contentType, accept: 'application/dicom+json', authorization: `Bearer ${token}` }, body, agent),
    stop: async () => {
      agent.destroy();
      await system.stop();
      rmSync(system.data, { recursive: true, force: true });
    },
  };
}

export async function orthanc(): Promise<Peer> {
  const peer = await startOrthanc(null);
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
  let before = Number(((await peer.json('/statistics')) as { CountInstances: number }).CountInstances);
  let patient = '';
  return {
    name: `Orthanc ${peer.version}`, pid: peer.pid,
    dimse: { ...peer.dimse, aeTitle: 'ORTHANC' },
    // Its own counter is its cheapest answer: a query by patient would slow it down.
    count: async (patientID) => {
      const { CountInstances } = (await peer.json('/statistics')) as { CountInstances: number };
      if (patientID !== patient) {
        before = Number(CountInstances);
        patient = patientID;
      }
      return Number(CountInstances) - before;
    },
    stow: peer.dicomweb ? (body, contentType) => post(new URL('/dicom-web/studies', peer.http), { 'content-type': contentType, accept: 'application/dicom+json' }, body, agent) : null,
    stop: () => {
      agent.destroy();
      return peer.stop();
    },
  };
}

/** DCMTK's storescp writes files and nothing else: the least that receiving can cost. */
export async function storescp(): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'storescp-'));
  const port = await freePort();
  const child = spawn(programPath('storescp')!, ['--fork', '-aet', 'STORESCP', '-od', folder, '+uf', String(port)], { stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  let before = 0;
  let patient = '';
  return {
    name: 'DCMTK storescp', pid: child.pid!,
    dimse: { host: '127.0.0.1', port, aeTitle: 'STORESCP' },
    count: async (patientID) => {
      const files = readdirSync(folder).length;
      if (patientID !== patient) {
        before = files;
        patient = patientID;
      }
      return files - before;
    },
    stow: null,
    stop: async () => {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
