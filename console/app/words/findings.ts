/** Findings in plain words. The words are the verdict table's own (pacs/inspection/verdict.ts), so that CLI, documents and console say the same. */
import { verdictRow, worstFirst, type VerdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { Finding, LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';

/** What it is called, what it means, what to do. */
export function findingWords(finding: Pick<Finding, 'code'>): VerdictRow {
  return verdictRow(finding.code);
}

/** What a finding adds to its title: its own sentence, without the title where it repeats it. */
export function findingDetail(finding: Pick<Finding, 'code' | 'text'>): string {
  const { title } = findingWords(finding);
  const rest = finding.text.startsWith(title) ? finding.text.slice(title.length).replace(/^[\s:.,;]+/, '') : finding.text;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** About the object as a whole: there is no byte to point at. */
export function isOfWhole(finding: Pick<Finding, 'offset' | 'length' | 'tag'>): boolean {
  return finding.offset === 0 && finding.length === 0 && finding.tag === '';
}

const conflict: VerdictRow = verdictRow('instance-conflict');
const unexplained: VerdictRow = { verdict: 'unscannable', title: 'Could not be inspected to the end', meaning: 'Not all of the object could be looked into, so nobody can say that it is harmless.', advice: 'Look under System whether something needs care, then have a reviewer look at it.' };

const withdrawn: VerdictRow = {
  verdict: 'clean', title: 'Taken out of sight by people', meaning: 'Somebody withdrew it together with what it came with, or by itself. What inspection said of it has not changed.',
  advice: 'Bring it back under Trace, Withdrawals, when it may be seen again; or have two people destroy it.',
};

/** Why an object is held: that people withdrew it, or else the words of its worst finding. */
export function whyHeld(entry: Pick<LedgerEntry, 'findings' | 'conflicts' | 'withdrawal'>): VerdictRow & { readonly more: number } {
  if ((entry.withdrawal ?? null) !== null) return { ...withdrawn, more: 0 };
  const [worst, ...others] = entry.findings.filter((finding) => findingWords(finding).verdict !== 'clean');
  if (worst !== undefined) return { ...findingWords(worst), more: others.length };
  return { ...(entry.conflicts.length > 0 ? conflict : unexplained), more: 0 };
}

/** The same entry with its worst finding first: the numbers on screen are those of this order. */
export function ordered(entry: LedgerEntry): LedgerEntry {
  return { ...entry, findings: worstFirst(entry.findings) };
}
