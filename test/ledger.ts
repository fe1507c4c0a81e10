/** What became of objects, asked of the running system by the socket that the CLI uses. */
import { setTimeout as wait } from 'node:timers/promises';
import { connectChannel } from '../system/channel.ts';
import type { LedgerEntry } from '../pacs/quarantine/contract.ts';
import type { ListAnswer, ListRequest } from '../pacs/quarantine/requests.ts';
import type { System } from './system.ts';

/** Every object of the ledger, newest first. */
export async function entriesOf(system: System, text = ''): Promise<LedgerEntry[]> {
  const channel = await connectChannel(system.layout.sockets.terminal);
  try {
    const entries: LedgerEntry[] = [];
    let after: string | null = null;
    do {
      const request: ListRequest = { states: [], text, limit: 200, after };
      const answer: ListAnswer = await channel.request<ListAnswer>('list', request);
      entries.push(...answer.entries);
      after = answer.next;
    } while (after !== null);
    return entries;
  } finally {
    channel.close();
  }
}

/** Waits until nothing is on its way any more; answers the counts. */
export async function settled(system: System, timeoutMs = 120_000): Promise<ListAnswer['counts']> {
  const channel = await connectChannel(system.layout.sockets.terminal);
  try {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const request: ListRequest = { states: ['waiting'], text: '', limit: 1, after: null };
      const { counts } = await channel.request<ListAnswer>('list', request);
      if ((counts.waiting ?? 0) + (counts.inspecting ?? 0) + (counts.cleared ?? 0) === 0) return counts;
      if (Date.now() > until) throw new Error(`objects are still on their way after ${timeoutMs / 1000} s: ${JSON.stringify(counts)}\n${system.output()}`);
      await wait(100);
    }
  } finally {
    channel.close();
  }
}

/** True when the audit log, as XML, holds a security alert of a serious or major failure whose words are about damage. */
export function auditTellsOfDamage(xml: string): boolean {
  return xml.split(/(?=<AuditMessage[ >])/).some((message) => /EventOutcomeIndicator="(8|12)"/.test(message) && /csd-code="110113"/.test(message) && /damage/i.test(message));
}
