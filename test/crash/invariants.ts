/** What must hold after any crash, judged from the files alone (DESIGN §10): no process of Lazaret has a say in it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readEntries, summarize } from '../../audit/reading.ts';
import { verifyLog } from '../../audit/verify.ts';
import { objectPath, type Layout } from '../../system/layout.ts';
import type { Sent } from './load.ts';

interface Row {
  readonly object_id: string;
  readonly state: string;
  readonly sha256: string;
  readonly archived_sha256: string | null;
  readonly verdict: string | null;
  readonly disarmed: string;
  readonly damaged: number;
  /** 1 when people decided that it may be seen. */
  readonly released: number;
  readonly sop_instance_uid: string;
}

/** Everything that is wrong, in sentences; none when all holds. */
export async function broken(layout: Layout, sent: readonly Sent[]): Promise<string[]> {
  const wrong: string[] = [];
  const database = new DatabaseSync(layout.database, { readOnly: true });
  const rows = database.prepare('SELECT object_id, state, sha256, archived_sha256, verdict, disarmed, damaged, sop_instance_uid, EXISTS (SELECT 1 FROM ledger_decision WHERE ledger_decision.object_id = ledger.object_id AND decision = \'release\') AS released FROM ledger').all() as unknown as Row[];
  const indexed = new Set((database.prepare('SELECT digest FROM instances').all() as { digest: string }[]).map((row) => row.digest));
  database.close();
  const bySOPInstance = Map.groupBy(rows, (row) => row.sop_instance_uid);

  for (const { sopInstanceUID, acknowledged, hostile } of sent) {
    const found = bySOPInstance.get(sopInstanceUID) ?? [];
    if (acknowledged && found.length !== 1) wrong.push(`${sopInstanceUID} was acknowledged and is in ${found.length} states: ${found.map((row) => row.state).join(', ')}`);
    if (hostile && found.some((row) => row.state === 'archived')) wrong.push(`${sopInstanceUID} is hostile and archived`);
    if (acknowledged && !hostile && found[0]?.state !== 'archived') wrong.push(`${sopInstanceUID} is clean and ${found[0]?.state}`);
  }
  for (const row of rows) wrong.push(...wrongWith(layout, row, indexed));
  const archived = new Set(rows.filter((row) => row.state === 'archived').map((row) => row.archived_sha256));
  for (const digest of indexed) if (!archived.has(digest)) wrong.push(`${digest} is indexed and its object is not archived`);
  wrong.push(...strangers(layout.archive, archived), ...strangers(layout.quarantine, new Set(rows.map((row) => row.object_id))));
  wrong.push(...(await wrongOnRecord(layout, rows)));
  return wrong;
}

function wrongWith(layout: Layout, row: Row, indexed: ReadonlySet<string>): string[] {
  const wrong: string[] = [];
  const places = [join(layout.arriving, row.object_id), objectPath(layout.quarantine, row.object_id), ...(row.archived_sha256 === null ? [] : [objectPath(layout.archive, row.archived_sha256)])].filter((path) => existsSync(path));
  const expected = row.state === 'archived' ? objectPath(layout.archive, row.archived_sha256 ?? '') : objectPath(layout.quarantine, row.object_id);
  if (!['waiting', 'held', 'archived', 'destroyed'].includes(row.state)) wrong.push(`${row.object_id} is ${row.state}`);
  if (row.state === 'destroyed') return places.length === 0 ? wrong : [...wrong, `${row.object_id} is destroyed and lies in ${places.join(', ')}`];
  // What was damaged is held as it was found, or not at all.
  if (row.damaged === 1) return row.state === 'held' ? wrong : [...wrong, `${row.object_id} is damaged and ${row.state}`];
  if (places.length !== 1 || places[0] !== expected) wrong.push(`${row.object_id} is ${row.state} and lies in ${places.length} places: ${places.join(', ')}`);
  const digest = existsSync(expected) ? createHash('sha256').update(readFileSync(expected)).digest('hex') : 'nothing';
  if (row.state === 'archived') {
    if (row.verdict !== 'clean' && row.released === 0) wrong.push(`${row.object_id} is archived, found ${row.verdict}`);
    if (digest !== row.archived_sha256) wrong.push(`${row.object_id} is archived as ${row.archived_sha256} and its file is ${digest}`);
    if (row.disarmed === '' && row.archived_sha256 !== row.sha256) wrong.push(`${row.object_id} was admitted as ${row.sha256} and archived as ${row.archived_sha256}`);
    if (!indexed.has(row.archived_sha256 ?? '')) wrong.push(`${row.object_id} is archived and not indexed`);
  } else if (digest !== row.sha256) {
    wrong.push(`${row.object_id} was admitted as ${row.sha256} and its file is ${digest}`);
  }
  return wrong;
}

/** Files that no row explains. */
function strangers(area: string, known: ReadonlySet<string | null>): string[] {
  return readdirSync(area).flatMap((folder) => readdirSync(join(area, folder)).filter((name) => !known.has(name)).map((name) => `${join(area, folder, name)} belongs to nothing`));
}

/** The log verifies, and tells of each admission and each verdict that the ledger holds. */
async function wrongOnRecord(layout: Layout, rows: readonly Row[]): Promise<string[]> {
  const wrong = verifyLog(layout.audit).problems.map((problem) => `audit log: ${problem.code}, entry ${problem.entry}: ${problem.text}`);
  const admitted = new Set<string>();
  const concluded = new Map<string, string>();
  const withdrawn = new Set<string>();
  for await (const entry of readEntries(layout.audit)) {
    const { types, what, description } = summarize(entry.xml);
    for (const detail of what) {
      const objectId = detail.slice(0, 32);
      if (types.includes('Archived object taken out of sight') && detail.startsWith('archived sha256: ')) withdrawn.add(detail.slice('archived sha256: '.length));
      if (types.includes('Admitted to quarantine')) admitted.add(objectId);
      if (types.includes('Inspection concluded')) concluded.set(objectId, description);
    }
  }
  for (const row of rows) {
    if (!admitted.has(row.object_id)) wrong.push(`the admission of ${row.object_id} is not on the record`);
    // Later changes have messages of their own.
    if (row.state === 'held' && row.archived_sha256 !== null && row.damaged === 0) {
      if (!withdrawn.has(row.archived_sha256)) wrong.push(`${row.object_id} was taken out of the archive, and that is not on the record`);
    } else if (row.verdict !== null && row.released === 0 && row.damaged === 0 && row.state !== 'destroyed' && !concluded.get(row.object_id)?.startsWith(`${row.verdict}, ${row.state}`)) wrong.push(`${row.object_id} is ${row.state}, ${row.verdict}; the record says ${concluded.get(row.object_id)}`);
  }
  return wrong;
}
