/** What came together, as one row: an association, a STOW request, a disc. */
import type { LedgerEntry, State, Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import type { Source } from '@lazaret/pacs/reception/contract.ts';

export interface Batch {
  readonly batch: string;
  readonly source: Source;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly bytes: number;
  /** Newest first, as the ledger gives them. */
  readonly entries: readonly LedgerEntry[];
  readonly states: Partial<Record<State, number>>;
  readonly verdicts: Partial<Record<Verdict, number>>;
  /** Different patients and studies in it, by the first entry that knows them. */
  readonly patients: readonly { readonly name: string; readonly id: string }[];
  readonly studies: readonly string[];
  readonly disarmed: number;
}

/** Groups entries (newest first) by batch, in the order of each batch's newest entry. Entries without a batch stand alone. */
export function batchesOf(entries: readonly LedgerEntry[]): Batch[] {
  const groups = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const key = entry.source.batch === '' ? entry.objectId : `${entry.source.door} ${entry.source.batch}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups].flatMap(([batch, group]) => {
    const newest = group[0];
    return newest === undefined ? [] : [summary(batch, newest, group)];
  });
}

function summary(batch: string, newest: LedgerEntry, entries: readonly LedgerEntry[]): Batch {
  const states: Partial<Record<State, number>> = {};
  const verdicts: Partial<Record<Verdict, number>> = {};
  const patients = new Map<string, { name: string; id: string }>();
  const studies = new Set<string>();
  let bytes = 0;
  let disarmed = 0;
  let firstAt = newest.receivedAt;
  let lastAt = newest.receivedAt;
  for (const entry of entries) {
    states[entry.state] = (states[entry.state] ?? 0) + 1;
    if (entry.verdict !== null) verdicts[entry.verdict] = (verdicts[entry.verdict] ?? 0) + 1;
    if (entry.patientName !== '' || entry.patientID !== '') patients.set(`${entry.patientID} ${entry.patientName}`, { name: entry.patientName, id: entry.patientID });
    const study = [entry.modality, entry.studyDescription].filter((text) => text !== '').join(' · ');
    if (study !== '') studies.add(study);
    if (entry.disarmed.length > 0) disarmed += 1;
    bytes += entry.bytes;
    firstAt = Math.min(firstAt, entry.receivedAt);
    lastAt = Math.max(lastAt, entry.receivedAt);
  }
  return { batch, source: newest.source, firstAt, lastAt, bytes, entries, states, verdicts, patients: [...patients.values()], studies: [...studies], disarmed };
}
