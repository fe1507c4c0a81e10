/** What waits for a decision: why first, most urgent on top. */
import { useInfiniteQuery } from '@tanstack/react-query';
import * as ToggleGroup from 'radix-ui/toggle-group';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { VerdictIcon } from '../parts/icons.tsx';
import { ListHead, MoreRow, listStyles as styles, walkRows } from '../parts/listhead.tsx';
import { Empty, Hidden, Loading, PatientName, PlainChip, Text, Trouble, VerdictChip, joined, partStyles } from '../parts/parts.tsx';
import { listQuery } from '../queries.ts';
import { useNow } from '../now.ts';
import { age, counted, moment, size } from '../words/amounts.ts';
import { findingDetail, ordered, whyHeld } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import { doorName, sopClassName, sourceName, subject } from '../words/verdicts.ts';
import { Groups } from './groups.tsx';
import { byUrgency, urgencyOf } from './urgency.ts';

const route = getRouteApi('/held');

export function HeldPage() {
  const { text = '', by } = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const list = useInfiniteQuery(listQuery(['held'], text));
  const entries = byUrgency(list.data?.pages.flatMap((page) => page.entries) ?? [], now);
  const total = list.data?.pages[0]?.counts.held ?? 0;
  return (
    <>
      <title>Held · Lazaret</title>
      <ListHead
        title="Held" live={!list.isError && !list.isRefetchError} text={text} note={total === 0 ? 'nothing waits for a decision' : `${counted(total, 'object')} to decide on, most urgent first`}
        onText={(typed) => void navigate({ replace: true, search: typed === '' ? {} : { text: typed } })}
      >
        <ToggleGroup.Root type="single" className={styles['filters']} aria-label="Show held objects" value={by ?? 'object'} onValueChange={(value) => void navigate({ replace: true, search: value === 'medium' || value === 'study' ? { by: value } : {} })}>
          {([['object', 'One by one'], ['medium', 'By medium'], ['study', 'By study']] as const).map(([value, name]) => <ToggleGroup.Item key={value} value={value}>{name}</ToggleGroup.Item>)}
        </ToggleGroup.Root>
      </ListHead>
      {by === 'medium' || by === 'study' ? <Groups key={by} by={by} /> : <>
      {list.isError && <Trouble error={list.error} what="The held objects cannot be shown" retry={() => void list.refetch()} />}
      <section className={partStyles['card']} aria-label="Held objects" aria-busy={list.isPending}>
        {list.isPending ? <Loading rows={7} what="held objects" /> : entries.length === 0 ? !list.isError && <Nothing filtered={text !== ''} /> : (
          <table className={styles['table']} onKeyDown={walkRows}>
            <colgroup><col width="33%" /><col width="22%" /><col width="16%" /><col width="14%" /><col width="15%" /></colgroup>
            <thead><tr><th scope="col">Why it is held</th><th scope="col">Patient and study</th><th scope="col">From</th><th scope="col">Urgency</th><th scope="col">Verdict</th></tr></thead>
            <tbody>{entries.map((entry) => <HeldRow key={entry.objectId} entry={ordered(entry)} now={now} />)}</tbody>
          </table>
        )}
        {list.hasNextPage && <MoreRow shown={entries.length} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />}
      </section>
      </>}
    </>
  );
}

function Nothing({ filtered }: { readonly filtered: boolean }) {
  if (filtered) return <Empty title="Nothing held matches">Search by patient, UID, source or reason, or clear the search.</Empty>;
  return <Empty title="Nothing is held" mark={<VerdictIcon verdict="clean" size={44} />}>Everything that arrived was found clean. What is not appears here, with the reason.</Empty>;
}

function HeldRow({ entry, now }: { readonly entry: LedgerEntry; readonly now: number }) {
  const navigate = route.useNavigate();
  const urgency = urgencyOf(entry, now);
  const proposal = entry.proposals?.[0];
  const verdict = entry.verdict;
  const why = whyHeld(entry);
  const open = (): void => void navigate({ to: '/objects/$objectId', params: { objectId: entry.objectId } });
  return (
    <tr className={styles['row']} onClick={(event) => { if (!(event.target as Element).closest('a')) open(); }}>
      <td className={joined(styles['edge'], verdict !== null && styles[`edge${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}`])}>
        <Link data-row className={styles['reason']} to="/objects/$objectId" params={{ objectId: entry.objectId }} title={why.meaning}>{why.title}{why.more > 0 && ` and ${why.more} more`}</Link>
        <span className={styles['soft']}>{proposal !== undefined ? <><bdi>{plain(proposal.person, 40)}</bdi> proposes to {proposal.decision}: waits for a second person</> : <Text max={160}>{entry.findings[0] === undefined ? why.meaning : findingDetail(entry.findings[0]) || why.meaning}</Text>}</span>
      </td>
      <td>
        <span className={styles['strong']}><PatientName name={entry.patientName} id={entry.patientID} /></span>
        <span className={styles['soft']} title={`${sopClassName(entry.sopClassUID)}, ${size(entry.bytes)}`}>{subject(entry)} · {sopClassName(entry.sopClassUID)}</span>
      </td>
      <td><span className={styles['strong']}><bdi>{sourceName(entry.source)}</bdi></span><span className={styles['soft']} title={doorName(entry.source)}>{doorName(entry.source)}</span></td>
      <td><span className={styles[urgency.level]} title={urgency.text}>{urgency.short}</span><span className={styles['soft']}>{now - entry.receivedAt < 60_000 ? 'held ' : 'held for '}<time dateTime={new Date(entry.receivedAt).toISOString()} title={moment(entry.receivedAt)}>{age(now - entry.receivedAt)}</time></span></td>
      <td>
        <span className={styles['chips']}>
          {verdict !== null && verdict !== 'clean' && <VerdictChip verdict={verdict} />}
          {entry.withdrawal && <PlainChip title="Taken out of sight by people">withdrawn</PlainChip>}
          {entry.answerTo && <PlainChip title="It came after its sender was asked for a held object again">answer</PlainChip>}
          {entry.asked && <PlainChip title="Its sender was asked for it again">{entry.asked.answers.some(({ clean }) => clean) ? 'answered' : 'asked again'}</PlainChip>}
          {entry.conflicts.length > 0 && <PlainChip title="Another object carries the same SOP Instance UID"><Text>conflict</Text></PlainChip>}
          {proposal !== undefined && <PlainChip title="Waits for a second person">1 of 2<Hidden> people have decided</Hidden></PlainChip>}
        </span>
      </td>
    </tr>
  );
}
