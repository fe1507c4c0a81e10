/** A finding in plain words: what it is called, what it means, what to do. */
import type { Finding, LedgerEntry, Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import { plain } from './plain.ts';

export interface FindingWords {
  readonly title: string;
  readonly meaning: string;
  readonly advice: string;
}

/** What to do where a finding itself says nothing better. */
const adviceByVerdict: Readonly<Record<Verdict, string>> = {
  clean: 'Nothing to do.',
  malicious: 'Do not release it to have a look. Call whoever runs the device that sent it and have that device checked; ask for the image again from a clean one.',
  malformed: 'Ask the sender to send it again. If it arrives the same, the device or its export is at fault; a reviewer can release it with a reason when the image is needed.',
  unscannable: 'Look under System whether an engine is missing, then ask for it to be inspected again. A reviewer can release it with a reason when the image is needed now.',
};

/** `executable-in-preamble` to "Executable in preamble". */
export function codeInWords(code: string): string {
  const words = plain(code, 80).replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function findingWords(finding: Finding, verdict: Verdict | null): FindingWords {
  return { title: codeInWords(finding.code), meaning: plain(finding.text), advice: adviceByVerdict[verdict ?? 'unscannable'] };
}

/** Why it is held, in one line for a queue. */
export function whyHeld(entry: LedgerEntry): string {
  const [first, ...others] = entry.findings;
  if (first !== undefined) return `${findingWords(first, entry.verdict).title}${others.length === 0 ? '' : ` and ${others.length} more`}`;
  if (entry.conflicts.length > 0) return 'Same SOP Instance UID as another object, other bytes';
  if (entry.verdict === 'unscannable') return 'Could not be inspected to the end';
  return entry.verdict === null ? 'Not inspected yet' : `Found ${entry.verdict}`;
}

/** What to do about the object as a whole. */
export function adviceFor(entry: LedgerEntry): string {
  return entry.verdict === 'clean' && entry.conflicts.length > 0
    ? 'Two different objects carry one SOP Instance UID. Compare them with the sender, release the right one, destroy the other.'
    : adviceByVerdict[entry.verdict ?? 'unscannable'];
}
