/** What arrived, newest first, by what came together; live. */
import { useState } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import * as ToggleGroup from 'radix-ui/toggle-group';
import { states as allStates, type LedgerEntry, type State } from '@lazaret/pacs/quarantine/contract.ts';
import { TurnIcon, VerdictIcon } from '../parts/icons.tsx';
import { ListHead, MoreRow, listStyles as styles, walkRows } from '../parts/listhead.tsx';
import { Empty, Hidden, Loading, PatientName, PlainChip, StateChip, Text, Time, Trouble, VerdictChip, joined, partStyles } from '../parts/parts.tsx';
import { listQuery } from '../queries.ts';
import { useNow } from '../now.ts';
import { findingDetail, findingWords } from '../words/findings.ts';
import { clock, counted, day, size, whole } from '../words/amounts.ts';
import { doorName, sopClassName, sourceName } from '../words/verdicts.ts';
import { batchesOf, type Batch } from './batches.ts';

const filters: readonly { readonly id: string; readonly name: string; readonly states: readonly State[] }[] = [
  { id: 'all', name: 'All', states: [] },
  { id: 'moving', name: 'In progress', states: ['arriving', 'waiting', 'inspecting', 'cleared', 'released'] },
  { id: 'held', name: 'Held', states: ['held'] },
  { id: 'archived', name: 'Archived', states: ['archived'] },
  { id: 'destroyed', name: 'Destroyed', states: ['destroyed'] },
];
const route = getRouteApi('/arrivals');

export function ArrivalsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow();
  const filter = filters.find((each) => each.id === search.states) ?? filters[0];
  const text = search.text ?? '';
  const list = useInfiniteQuery(listQuery(filter?.states ?? [], text));
  const counts = list.data?.pages[0]?.counts;
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  const batches = batchesOf(entries);
  const change = (states: string, newText: string): void => {
    void navigate({ replace: true, search: { ...(states === 'all' ? {} : { states }), ...(newText === '' ? {} : { text: newText }) } });
  };
  return (
    <>
      <title>Arrivals · Lazaret</title>
      <ListHead title="Arrivals" live={!list.isError && !list.isRefetchError} note="what came in, newest first" text={text} onText={(typed) => change(filter?.id ?? 'all', typed)}>
        <ToggleGroup.Root type="single" className={styles['filters']} aria-label="Show" value={filter?.id ?? 'all'} onValueChange={(id) => change(id === '' ? 'all' : id, text)}>
          {filters.map(({ id, name, states: only }) => {
            const count = counts === undefined ? null : (only.length === 0 ? allStates : only).reduce((sum, state) => sum + (counts[state] ?? 0), 0);
            return <ToggleGroup.Item key={id} value={id}>{name}{count !== null && <small>{whole(count)}</small>}</ToggleGroup.Item>;
          })}
        </ToggleGroup.Root>
      </ListHead>
      {list.isError && <Trouble error={list.error} what="The list of arrivals cannot be shown" retry={() => void list.refetch()} />}
      <section className={partStyles['card']} aria-label="Arrivals by transfer" aria-busy={list.isPending}>
        {list.isPending ? <Loading rows={7} what="arrivals" />
          : batches.length === 0 ? !list.isError && <Nothing filtered={text !== '' || filter?.id !== 'all'} />
            : <Batches batches={batches} now={now} />}
        {list.hasNextPage && <MoreRow shown={entries.length} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />}
      </section>
    </>
  );
}

function Nothing({ filtered }: { readonly filtered: boolean }) {
  if (filtered) return <Empty title="Nothing matches">No object that arrived has this. Search by patient, UID, source or reason; or show all.</Empty>;
  return <Empty title="Nothing has arrived yet" mark={<VerdictIcon verdict="clean" size={40} />}>Send an image to this server, by DICOM association or DICOMweb, and it appears here within seconds.</Empty>;
}

function Batches({ batches, now }: { readonly batches: readonly Batch[]; readonly now: number }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (batch: string): void => {
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(batch)) after.add(batch);
      return after;
    });
  };
  return (
    <table className={styles['table']} onKeyDown={walkRows}>
      <colgroup><col width="15%" /><col width="18%" /><col width="31%" /><col width="16%" /><col width="20%" /></colgroup>
      <thead><tr><th scope="col">Arrived</th><th scope="col">From</th><th scope="col">Patient and study</th><th scope="col">Objects</th><th scope="col">Outcome</th></tr></thead>
      <tbody>
        {batches.map((batch) => <BatchRows key={batch.batch} batch={batch} now={now} open={open.has(batch.batch)} onToggle={() => toggle(batch.batch)} />)}
      </tbody>
    </table>
  );
}

function BatchRows({ batch, now, open, onToggle }: { readonly batch: Batch; readonly now: number; readonly open: boolean; readonly onToggle: () => void }) {
  const [patient, ...others] = batch.patients;
  return (
    <>
      <tr className={styles['row']} onClick={(event) => { if (!(event.target as Element).closest('button, a')) onToggle(); }}>
        <td>
          <button type="button" data-row className={styles['opener']} aria-expanded={open} onClick={onToggle} onKeyDown={(event) => { if ((event.key === 'ArrowRight') !== open && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) onToggle(); }}>
            <TurnIcon />
            <span>{clock(batch.lastAt)}<Hidden>, {counted(batch.entries.length, 'object')} from {sourceName(batch.source)}</Hidden></span>
          </button>
          <span className={styles['soft']}>{day(batch.lastAt, now)} · <Time at={batch.lastAt} now={now} /></span>
        </td>
        <td><span className={styles['strong']}><bdi>{sourceName(batch.source)}</bdi></span><span className={styles['soft']} title={doorName(batch.source)}>{doorName(batch.source)}</span></td>
        <td>
          <span className={styles['strong']}>{patient === undefined ? 'Patient not known' : <PatientName {...patient} />}{others.length > 0 && ` and ${counted(others.length, 'other')}`}</span>
          <span className={styles['soft']}>{batch.studies.length === 0 ? 'Study not known' : <Text max={120}>{batch.studies.slice(0, 3).join('; ')}</Text>}{batch.studies.length > 3 && ` and ${batch.studies.length - 3} more`}</span>
        </td>
        <td><StateBar batch={batch} /><span className={styles['soft']}>{counted(batch.entries.length, 'object')} · {size(batch.bytes)}</span></td>
        <td><Outcome batch={batch} /></td>
      </tr>
      {open && <tr className={styles['inner']}><td colSpan={5}><BatchEntries entries={batch.entries} /></td></tr>}
    </>
  );
}

const barParts = ['archived', 'moving', 'malicious', 'malformed', 'unscannable', 'gone'] as const;

function barPart({ state, verdict }: LedgerEntry): (typeof barParts)[number] {
  if (state === 'held') return verdict === null || verdict === 'clean' ? 'malformed' : verdict;
  return state === 'archived' ? 'archived' : state === 'destroyed' ? 'gone' : 'moving';
}
/** One held object among a thousand must be seen. */
const barPartMin = 3;

/** How far the batch has come. The chips beside it say the same in words. */
function StateBar({ batch }: { readonly batch: Batch }) {
  const least = (batch.entries.length * barPartMin) / 100;
  const weights = barParts.map((part) => ({ part, count: batch.entries.filter((entry) => barPart(entry) === part).length })).filter(({ count }) => count > 0).map(({ part, count }) => ({ part, weight: Math.max(count, least) }));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  let x = 0;
  return (
    <svg className={styles['bar']} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      {weights.map(({ part, weight }) => {
        const width = (weight / total) * 100;
        const left = x;
        x += width;
        return <rect key={part} className={styles[part]} x={left} y={0} width={width} height={8} />;
      })}
    </svg>
  );
}

function Outcome({ batch }: { readonly batch: Batch }) {
  const moving = (['arriving', 'waiting', 'inspecting', 'cleared', 'released'] as const).reduce((sum, state) => sum + (batch.states[state] ?? 0), 0);
  return (
    <span className={styles['chips']}>
      {(['malicious', 'malformed', 'unscannable', 'clean'] as const).map((verdict) => {
        const count = batch.verdicts[verdict];
        return count !== undefined && <VerdictChip key={verdict} verdict={verdict} count={count} />;
      })}
      {moving > 0 && <StateChip state="waiting" count={moving} />}
      {batch.disarmed > 0 && <PlainChip title="Neutralised outside the Data Set, which is unchanged">{batch.disarmed} disarmed</PlainChip>}
      {(batch.states.destroyed ?? 0) > 0 && <StateChip state="destroyed" count={batch.states.destroyed ?? 0} />}
    </span>
  );
}

/** Rows shown of an open batch before one asks for all. */
const entriesShown = 25;

function BatchEntries({ entries }: { readonly entries: readonly LedgerEntry[] }) {
  const [all, setAll] = useState(false);
  // What is held comes first: it is why one opens a batch.
  const sorted = entries.toSorted((one, other) => Number(other.state === 'held') - Number(one.state === 'held'));
  const shown = all ? sorted : sorted.slice(0, entriesShown);
  return (
    <>
      <table className={styles['innerTable']}>
        <colgroup><col width="33%" /><col width="31%" /><col width="16%" /><col width="20%" /></colgroup>
        <thead><tr><th scope="col"><Hidden>Object</Hidden></th><th scope="col"><Hidden>Finding or UID</Hidden></th><th scope="col"><Hidden>State</Hidden></th><th scope="col"><Hidden>Verdict</Hidden></th></tr></thead>
        <tbody>
          {shown.map((entry) => (
            <tr key={entry.objectId}>
              <td><Link data-row to="/objects/$objectId" params={{ objectId: entry.objectId }}>{sopClassName(entry.sopClassUID)}</Link> <span className={styles['routine']}>· {size(entry.bytes)} · {clock(entry.receivedAt)}</span></td>
              <td className={styles['routine']}>{entry.findings[0] === undefined ? <Text max={64}>{entry.sopInstanceUID}</Text> : <Text max={140}>{findingWords(entry.findings[0]).verdict === 'clean' ? entry.sopInstanceUID : findingDetail(entry.findings[0]) || findingWords(entry.findings[0]).title}</Text>}</td>
              <td><StateChip state={entry.state} /></td>
              <td><span className={joined(styles['chips'])}>{entry.verdict !== null && <VerdictChip verdict={entry.verdict} />}{entry.disarmed.length > 0 && <PlainChip>disarmed</PlainChip>}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < sorted.length && <div className={styles['innerMore']}><button type="button" data-row className={styles['opener']} onClick={() => setAll(true)}>Show all {whole(sorted.length)}</button></div>}
    </>
  );
}
