/**
 * What the person in front of the screen can do with a held object, and why not. The keeper decides (DecideRequest); this only says
 * it beforehand, so that nobody types a reason in vain.
 */
import type { LedgerEntry, Proposal } from '@lazaret/pacs/quarantine/contract.ts';
import type { DecideRequest } from '@lazaret/pacs/quarantine/requests.ts';
import type { SessionAnswer } from '../../server/answers.ts';
import { plain } from '../words/plain.ts';

export type Decision = DecideRequest['decision'];

export interface Choice {
  readonly decision: Decision;
  /** `alone`: done at once. `propose`: first of two. `confirm`: second of two. */
  readonly step: 'alone' | 'propose' | 'confirm';
  readonly enabled: boolean;
  readonly button: string;
  /** What will happen, or why it cannot. */
  readonly sentence: string;
  readonly proposal: Proposal | null;
}

export function choicesOf(entry: LedgerEntry, session: SessionAnswer): Choice[] {
  return (['release', 'destroy'] as const).map((decision) => choiceOf(decision, entry, session));
}

function choiceOf(decision: Decision, entry: LedgerEntry, session: SessionAnswer): Choice {
  const proposal = entry.proposals?.find((each) => each.decision === decision) ?? null;
  const takesTwo = decision === 'destroy' || entry.verdict === 'malicious';
  const verb = decision === 'release' ? 'Release' : 'Destroy';
  const step = !takesTwo ? 'alone' : proposal === null ? 'propose' : 'confirm';
  const button = step === 'alone' ? verb : step === 'propose' ? `Propose to ${decision}` : `Confirm: ${decision}`;
  const security = entry.verdict === 'malicious' && decision === 'release' ? ' One of the two must have the role security.' : '';
  const choice = (enabled: boolean, sentence: string): Choice => ({ decision, step, enabled, button, sentence, proposal });
  if (entry.state !== 'held') return choice(false, 'Only held objects are decided on.');
  const withdrawal = entry.withdrawal ?? null;
  if (decision === 'release' && withdrawal !== null) return choice(false, `${plain(withdrawal.person, 64)} has withdrawn it: “${plain(withdrawal.reason, 200)}”. It is brought back under Trace, Withdrawals.`);
  if (!session.roles.includes('reviewer') && !session.roles.includes('security')) return choice(false, 'Your account may look, not decide: that takes the role reviewer or security.');
  if (proposal?.person === session.name) return choice(false, `You proposed this. Somebody else must confirm it.${security}`);
  if (step === 'confirm') return choice(true, `${plain(proposal?.person ?? '', 64)} proposed it. If you confirm, it is done at once.${security}`);
  if (step === 'propose') return choice(true, `Takes two people: you propose, somebody else confirms.${security}`);
  return choice(true, 'Takes one reviewer. It is archived as it is, with your reason on the record.');
}
