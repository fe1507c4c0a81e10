/** Every row of the process table is tried to break out of. An unconfined canary shows that each attempt would succeed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { processes, type ProcessRow } from '../../processes.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine, programRoot, type Confinement } from '@lazaret/system/sandbox.ts';
import { namespacesWork } from '@lazaret/system/sandboxprobe.ts';
import type { Targets } from './targets.ts';

const program = join(import.meta.dirname, 'attempts.ts');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'lazaret-escape-')));
const layout = layoutOf(join(base, 'data'));
const outside = join(base, 'outside');
const temporary = join(tmpdir(), `lazaret-escape-${process.pid}`);
const rows = Object.values(processes).filter((row) => row.startedBy !== 'person');
const namespaces = namespacesWork();
let server: Server;
let terminal: Server;
let port = 0;

/** As where a worklist is configured: only then is its process started, and only then has it a network. */
const worklist = { host: '127.0.0.1', port: 104, calledAETitle: 'RIS', callingAETitle: 'LAZARET' };
const settings = (sandbox: Settings['sandbox']): Settings => ({
  layout, host: '127.0.0.1', dimsePort: 0, dimseTlsPort: 0, httpsPort: 0, aeTitle: 'LAZARET', sandbox, clamd: null, examiners: 1, decode: 'never', privateSOPClasses: [], worklist,
} as Settings);

before(async () => {
  for (const folder of [outside, layout.arriving, layout.quarantine, layout.archive, dirname(layout.database), layout.audit, layout.tls, layout.worklistTls, ...Object.values(layout.sockets).map(dirname)]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'kept'), 'not for everybody');
  }
  const database = new DatabaseSync(join(outside, 'secrets.sqlite'));
  database.exec('CREATE TABLE secrets (secret TEXT)');
  database.close();
  for (const area of [layout.arriving, layout.quarantine, layout.archive, layout.worklistTls]) symlinkSync(join(outside, 'kept'), join(area, 'link'));
  server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  terminal = createServer((socket) => socket.end()).listen(layout.sockets.terminal);
  await Promise.all([server, terminal].map((each) => new Promise((resolve) => { each.once('listening', resolve); })));
  port = (server.address() as { port: number }).port;
});
after(() => {
  server.close();
  terminal.close();
  rmSync(base, { recursive: true, force: true });
  rmSync(temporary, { force: true });
});

/** An area that the row neither reads nor writes, and one that it may only read. */
function targetsOf(row: ProcessRow): Targets {
  const owned = (['arriving', 'quarantine', 'archive', 'worklistTls'] as const).find((area) => row.reads.includes(area) || row.writes.includes(area));
  const foreign = (['tls', 'audit'] as const).find((area) => !row.reads.includes(area) && !row.writes.includes(area))!;
  const readOnly = (['quarantine', 'archive', 'worklistTls'] as const).find((area) => row.reads.includes(area) && !row.writes.includes(area));
  return {
    secret: join(outside, 'kept'), otherArea: join(layout[foreign], 'kept'), link: join(layout[owned!], 'link'), database: join(outside, 'secrets.sqlite'),
    written: join(outside, `written-${row.name}`), temporary, readOnly: join(readOnly === undefined ? outside : layout[readOnly], 'new'), program: join(programRoot, 'processes.ts'), pid: process.pid, port, socket: layout.sockets.terminal,
  };
}

type Outcomes = Readonly<Record<string, string>>;

/** Not spawnSync: this process is the one that listens on the port and the socket. */
async function tried(confinement: Pick<Confinement, 'command' | 'args' | 'env'>): Promise<Outcomes> {
  const child = spawn(confinement.command, [...confinement.args], { env: { ...confinement.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { complained += chunk.toString(); });
  await new Promise((resolve) => { child.once('close', resolve); });
  assert.match(said, /^\{/, `the attempts ran: ${complained}`);
  return JSON.parse(said) as Outcomes;
}

function confined(row: ProcessRow, sandbox: Settings['sandbox']): Confinement {
  const targets = targetsOf(row);
  const confinement = confine(row, settings(sandbox), { program, reads: [dirname(program)] });
  // The environment of bwrap is that of the process.
  return { ...confinement, env: { ...confinement.env, LAZARET_TARGETS: JSON.stringify(targets) } };
}

/** What a row may do by its own words: not an escape. */
function permitted(row: ProcessRow): string[] {
  const acts: string[] = [];
  // Namespaces give a process the network or none: which of its hosts it asks is its own configuration, and the site's firewall.
  if (row.network === 'listens' || row.network === 'worklist') acts.push('reach a port of the host');
  if (row.exec !== 'none') acts.push('start a shell', 'start itself without flags');
  if (row.writes.includes('run')) acts.push('ask through a socket of another process');
  if (row.name === 'web') acts.push('make code from a string');
  return acts;
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const succeeded = (outcomes: Outcomes): string[] => Object.entries(outcomes).filter(([, outcome]) => outcome === 'done').map(([name]) => name);

test('canary: unconfined, every attempt succeeds', async () => {
  const confinement = confined(processes.web, 'off');
  assert.equal(confinement.strength, 'none');
  const outcomes = await tried(confinement);
  // A checkout that belongs to another user is safe from this one without any sandbox.
  const own = canWrite(join(programRoot, 'processes.ts'));
  assert.deepEqual(Object.entries(outcomes).filter(([name, outcome]) => outcome !== 'done' && (own || name !== 'change the program')), []);
  assert.ok(Object.keys(outcomes).length >= 16);
  rmSync(temporary, { force: true });
  rmSync(join(layout.quarantine, 'new'), { force: true });
  rmSync(join(layout.archive, 'new'), { force: true });
});

for (const row of rows) {
  test(`${row.name}: nothing gets out of its sandbox`, { skip: namespaces.works ? false : namespaces.text }, async () => {
    const confinement = confined(row, 'required');
    assert.equal(confinement.strength, 'namespaces');
    const outcomes = await tried(confinement);
    // Rows that make files durable run without the permission model: what stays inside is then as it is below.
    const inside = row.syncs ? ['start itself without flags', 'write to the temporary folder of the host'] : [];
    assert.deepEqual(succeeded(outcomes).filter((name) => ![...permitted(row), ...inside].includes(name)), []);
    assert.equal(existsSync(temporary), false);
  });

  test(`${row.name}: the namespaces hold by themselves, when the permission model is passed`, { skip: namespaces.works ? false : namespaces.text }, async () => {
    const confinement = confined(row, 'required');
    const args = confinement.args.filter((arg) => !/^--(permission|allow-|disallow-)/.test(arg));
    const outcomes = await tried({ ...confinement, args });
    // Inside, a process may start what it sees (its own Node), write to its own /tmp and make code: all of it stays inside.
    const inside = [...permitted(row), 'start itself without flags', 'make code from a string', 'write to the temporary folder of the host'];
    assert.deepEqual(succeeded(outcomes).filter((name) => !inside.includes(name)), []);
    assert.equal(existsSync(temporary), false, 'its /tmp is its own');
  });

  // A row that makes files durable has no permission model to try: it forbids fsync.
  if (row.syncs) continue;
  test(`${row.name}: the permission model by itself holds what it can`, async () => {
    const confinement = confined(row, 'available');
    const args = confinement.strength === 'namespaces' ? confinement.args.slice(confinement.args.indexOf('--') + 2) : confinement.args;
    const outcomes = await tried({ command: process.execPath, args, env: confinement.env });
    // Known gaps, which is why it never counts as more: links lead out, SQLite opens what it likes, signals and sockets pass where the row has any.
    const gaps = [...permitted(row), 'follow a symbolic link out of an own area', 'open a database outside, which passes the permission model', 'signal a process of the host', 'look at a process of the host', 'reach a port of the host', 'ask through a socket of another process'];
    assert.deepEqual(succeeded(outcomes).filter((name) => !gaps.includes(name)), []);
  });
}

test('where namespaces are required and there are none, nothing starts', { skip: namespaces.works ? false : namespaces.text }, async () => {
  // Inside an examiner's sandbox there is no bubblewrap: a machine without it.
  const refusing = join(import.meta.dirname, 'refusal.ts');
  const confinement = confine(processes.examiner, settings('required'), { program: refusing, reads: [dirname(program)] });
  const outcomes = await tried({ ...confinement, args: confinement.args.filter((arg) => !/^--(permission|allow-)/.test(arg)) });
  assert.deepEqual(outcomes, { required: 'sandbox-unavailable', available: 'none' });
});

test('an examiner without the permission model has nothing that it could write', { skip: namespaces.works ? false : namespaces.text }, async () => {
  const confinement = confined(processes.examiner, 'required');
  const outcomes = await tried({ ...confinement, args: confinement.args.filter((arg) => !/^--(permission|allow-)/.test(arg)) });
  assert.equal(outcomes['write to the temporary folder of the host'] === 'done', false);
  assert.equal(outcomes['write where the row may only read'] === 'done', false);
});
