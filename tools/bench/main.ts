/**
 * `npm run bench -- [store reports stow share map memory desk recovery] [--rounds N] [--objects N]`: the first rows of the speed table, against Orthanc and DCMTK in the
 * same run, on data made here. `desk`, the import desk in Chromium, and `recovery`, 10,000 instances, only where they are named: they take minutes. Writes
 * docs/benchmarks.md and the table of README.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { programPath } from '../../test/peers.ts';
import { repository } from '../../test/system.ts';
import { deskLines } from './desk.ts';
import { quickAcknowledgements } from './loopback.ts';
import { mapRows } from './mapping.ts';
import { memoryRow } from './memory.ts';
import { lazaret, orthanc, storescp, type Peer } from './peers.ts';
import { recoveryLines } from './recovery.ts';
import { markdown, type Row } from './report.ts';
import { inspectionRow, stowRows, storeRows } from './storing.ts';
import { uninspected } from './uninspected.ts';
import { durableWriteMs } from './usage.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '3' }, objects: { type: 'string', default: '200' }, write: { type: 'boolean', default: true } }, allowNegative: true });
const all = ['store', 'reports', 'stow', 'share', 'map', 'memory'] as const;
const named = [...all, 'desk', 'recovery'] as const;
const unknown = positionals.filter((name) => !(named as readonly string[]).includes(name));
if (unknown.length > 0) {
  process.stderr.write(`There is no row '${unknown.join("', '")}'; there are ${named.join(', ')}\n`);
  process.exit(2);
}
const chosen = new Set<string>(positionals.length > 0 ? positionals : all);
const [rounds, objects] = [Number(values.rounds), Number(values.objects)];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'lazaret-bench-'));
const peers: Peer[] = [];
const notes: string[] = [];
const rows: Row[] = [];
const loopback = quickAcknowledgements();
notes.push(`Loopback: ${loopback.text}.`);
notes.push(`A durable write of 4 KiB takes ${durableWriteMs(folder).toFixed(2)} ms on this disk.`);
// Who else used the machine: figures of a run beside other work are no figures.
const busy = loadavg()[0]! / cpus().length;
if (busy > 0.3) notes.push(`The machine was busy with something else when the run began (load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores): ratios hold better than rates.`);
const started = Date.now();
try {
  if (chosen.has('desk')) notes.push(...(await deskLines(folder, rounds, say)));
  if (chosen.has('recovery')) notes.push(...(await recoveryLines(folder, say)));
  if (chosen.has('memory')) rows.push(await memoryRow(folder, say, notes));
  if (chosen.has('map')) rows.push(...mapRows(say));
  if (chosen.has('store') || chosen.has('reports') || chosen.has('stow') || chosen.has('share')) {
    if (programPath('dcmsend') === null) {
      notes.push('Skipped: everything that is sent by C-STORE, because DCMTK\'s dcmsend is not installed.');
    } else {
      peers.push(await lazaret());
      if (programPath('Orthanc') === null) notes.push('Skipped: Orthanc is not installed.');
      else peers.push(await orthanc());
      if (programPath('storescp') === null) notes.push('Skipped: DCMTK\'s storescp is not installed.');
      else peers.push(await storescp());
      if (chosen.has('store')) rows.push(...(await storeRows({ kind: 'ct', folder, peers, rounds, objects, say, notes })));
      if (chosen.has('reports')) rows.push(...(await storeRows({ kind: 'sr', folder, peers, rounds, objects: objects * 3, say, notes })));
      if (chosen.has('share')) {
        const bare = await uninspected(folder);
        try {
          rows.push(await inspectionRow({ folder, peers: [peers[0]!, bare], rounds, objects, say, notes }));
        } finally {
          await bare.stop();
        }
      }
      if (chosen.has('stow')) rows.push(...(await stowRows({ folder, peers, rounds, objects, say, notes })));
    }
  }
} finally {
  loopback.restore();
  for (const peer of peers) await peer.stop();
  rmSync(folder, { recursive: true, force: true });
}

const machine = `${cpus().length} × ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
const text = markdown({ rows, notes, machine, command: `npm run bench -- ${[...chosen].join(' ')} --rounds ${rounds} --objects ${objects}`, date: new Date().toISOString().slice(0, 10), seconds: (Date.now() - started) / 1000 });
process.stdout.write(text);
if (values.write && positionals.length === 0) {
  writeFileSync(join(repository, 'docs', 'benchmarks.md'), text);
  // README shows the first table.
  const readme = join(repository, 'README.md');
  const table = /^\| work [^]*?\n(?=\n)/m.exec(text)?.[0] ?? '';
  writeFileSync(readme, readFileSync(readme, 'utf8').replace(/(<!-- bench:start -->\n)[^]*?(<!-- bench:end -->)/, (_, start: string, end: string) => `${start}${table}${end}`));
}
