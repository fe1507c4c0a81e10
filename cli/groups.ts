/** `./lazaret quarantine list --by medium|study`, and one decision for all of a group. */
import { styleText } from 'node:util';
import { verdictRow } from '@lazaret/pacs/inspection/verdict.ts';
import type { GroupBy, GroupDecision, GroupDecisionAnswer, GroupsAnswer, HeldGroup } from '@lazaret/pacs/quarantine/requests.ts';
import type { ObjectId } from '@lazaret/pacs/reception/contract.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { refused } from '@lazaret/system/failure.ts';
import { momentOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { count, Progress } from './progress.ts';

const shownMax = 20;

export async function listGroups(channel: Channel, by: GroupBy, json: boolean, { stdout }: Terminal): Promise<number> {
  const { groups, held, more } = await channel.request<GroupsAnswer>('groups', { by });
  if (json) for (const group of groups) stdout.write(`${JSON.stringify(group)}\n`);
  else if (groups.length === 0) stdout.write('Nothing is held.\n');
  else {
    for (const group of groups) stdout.write(`${groupWords(by, group)}\n`);
    stdout.write(`\n${count(held, 'object')} held${more ? '; the groups that came last are not shown' : ''}. Decide on a whole group: ./lazaret quarantine release|destroy --${by === 'medium' ? 'medium' : 'study'} KEY --reason …\n`);
  }
  return held > 0 ? 3 : 0;
}

function groupWords(by: GroupBy, group: HeldGroup): string {
  const verdicts = [[group.malicious, 'malicious', 'red'], [group.malformed, 'malformed', 'yellow'], [group.unscannable, 'unscannable', 'yellow'], [group.withdrawn, 'withdrawn', 'blue']] as const;
  const who = group.patients > 1 ? count(group.patients, 'patient') : [group.patientName, group.patientID].filter((text) => text !== '').map(printable).join(', ') || 'patient unknown';
  const why = group.codes.filter((code) => code !== '').map((code) => verdictRow(code).title).slice(0, 3).join('; ');
  const from = `${printable(group.source.peer)} (${printable(group.source.address)})`;
  return [
    `${printable(group.key) || '(study not known)'}`,
    `    ${count(group.objects, 'object')}: ${verdicts.filter(([number]) => number > 0).map(([number, word, colour]) => styleText(colour, `${number} ${word}`)).join(', ')}${why === '' ? '' : `. ${why}`}`,
    `    ${[who, ...(by === 'medium' && group.studies > 1 ? [count(group.studies, 'study', 'studies')] : [group.modality, printable(group.description)])].filter((text) => text !== '').join(' · ')}`,
    `    ${group.source.door === 'media' ? 'medium ' : 'from '}${from}, ${momentOf(group.first)}${group.last === group.first ? '' : ` to ${momentOf(group.last)}`}`,
  ].join('\n');
}

/** A group by the beginning of its key; throws `group-unknown` or `group-ambiguous`. */
async function keyOf(channel: Channel, by: GroupBy, word: string): Promise<string> {
  const { groups } = await channel.request<GroupsAnswer>('groups', { by });
  if (groups.some(({ key }) => key === word)) return word;
  const found = groups.filter(({ key }) => key.startsWith(word));
  if (found.length === 1) return found[0]!.key;
  throw refused(found.length === 0 ? 'group-unknown' : 'group-ambiguous', found.length === 0 ? `Nothing is held of a ${by} ${printable(word)}. \`./lazaret quarantine list --by ${by}\` names them.` : `${found.length} begin with ${printable(word)}; give more of it.`);
}

export interface GroupWords {
  readonly by: GroupBy;
  readonly word: string;
  readonly decision: 'release' | 'destroy';
  readonly named: readonly string[];
  readonly person: string;
  readonly reason: string;
  readonly json: boolean;
}

/** Decides on every object of a group by itself, with progress; says what did not go and why. */
export async function decideGroup(channel: Channel, words: GroupWords, terminal: Terminal): Promise<number> {
  const { by, decision, named, person, reason, json } = words;
  const key = await keyOf(channel, by, words.word);
  const progress = new Progress(terminal, json);
  let [done, proposed] = [0, 0];
  const left: GroupDecisionAnswer['left'][number][] = [];
  for (let after: number | null = 0; after !== null; ) {
    const request: GroupDecision = { by, key, decision, named: named.map((id) => id as ObjectId), after, person, roles: ['reviewer', 'security'], reason };
    const answer: GroupDecisionAnswer = await channel.request<GroupDecisionAnswer>('decideGroup', request);
    done += answer.done;
    proposed += answer.proposed;
    left.push(...answer.left);
    after = answer.next;
    progress.show(() => `${decision === 'release' ? 'Released' : 'Destroyed'}: ${done}, proposed: ${proposed}, left: ${left.length}`);
  }
  progress.end();
  if (json) terminal.stdout.write(`${JSON.stringify({ by, key, decision, done, proposed, left })}\n`);
  else {
    terminal.stdout.write([
      `${decision === 'release' ? 'Released' : 'Destroyed'}: ${count(done, 'object')}.`,
      ...(proposed === 0 ? [] : [`Proposed: ${count(proposed, 'object')}. A second person must decide the same: ./lazaret quarantine ${decision} --${by} ${key} --reason … --as PERSON`]),
      ...(left.length === 0 ? [] : [styleText('yellow', `Left: ${count(left.length, 'object')}`), ...left.slice(0, shownMax).map(({ objectId, text }) => `  ${objectId.slice(0, 8)}  ${printable(text)}`)]),
      ...(left.length > shownMax ? [`  … and ${left.length - shownMax} more; --json names them`] : []),
      ...(left.some(({ code }) => code === 'malicious-unnamed') ? ['What was found malicious goes along only where it is named: --malicious ID,ID…'] : []), '',
    ].join('\n'));
  }
  return proposed + left.length > 0 ? 3 : 0;
}
