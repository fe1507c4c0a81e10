/** Findings in plain words. The words are the verdict table's own (pacs/inspection/verdict.ts), so that CLI, documents and console say the same. */
import { verdictRow, worstFirst, type VerdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { Finding, LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';

/** What it is called, what it means, what to do. */
export function findingWords(finding: Pick<Finding, 'code'>): VerdictRow {
  return verdictRow(finding.code);
}

const conflict: VerdictRow = verdictRow('instance-conflict');
const unexplained: VerdictRow = { verdict: 'unscannable', title: 'Could not be inspected to the end', meaning: 'Not all of the object could be looked into, so nobody can say that it is harmless.', advice: 'Look under System whether something needs care, then have a reviewer look at it.' };

/** Why an object is held: the words of its worst finding. */
export function whyHeld(entry: Pick<LedgerEntry, 'findings' | 'conflicts'>): VerdictRow & { readonly more: number } {
  const [worst, ...others] = entry.findings.filter((finding) => findingWords(finding).verdict !== 'clean');
  if (worst !== undefined) return { ...findingWords(worst), more: others.length };
  return { ...(entry.conflicts.length > 0 ? conflict : unexplained), more: 0 };
}

/** The same entry with its worst finding first: the numbers on screen are those of this order. */
export function ordered(entry: LedgerEntry): LedgerEntry {
  return { ...entry, findings: worstFirst(entry.findings) };
}
