/** Where objects came from, what came with them, and who has seen them: as a picture, and as tables that say the same. */
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { TraceAccess, TraceAnswer, TraceObject, TraceRelation } from '@lazaret/pacs/quarantine/requests.ts';
import { SearchIcon } from '../parts/icons.tsx';
import { listStyles } from '../parts/listhead.tsx';
import { Empty, Loading, PatientName, StateChip, Text, Trouble, VerdictChip, joined, partStyles } from '../parts/parts.tsx';
import { counted, moment, whole } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { sourceName } from '../words/verdicts.ts';
import { Media } from './media.tsx';
import { SpreadPicture } from './picture.tsx';
import { daysUsual, traceQuery, windowOf, type Traced } from './requests.ts';
import { spreadOf, type Node } from './spread.ts';
import { Withdraw, type Extent } from './withdrawdialog.tsx';
import { Withdrawals } from './withdrawals.tsx';
import styles from './trace.module.css';

const route = getRouteApi('/trace');

export function TracePage() {
  const search = route.useSearch();
  const { id = '', source = '', import: medium = '' } = search;
  const window = search.since === undefined || search.until === undefined || id + source + medium !== '' ? null : { since: Date.parse(search.since), until: Date.parse(search.until) };
  const traced: Traced = { id, source, import: medium, days: Number(search.days ?? daysUsual), window };
  const word = traced.source || traced.import || traced.id || (window === null ? '' : windowWords(window));
  const trace = useQuery({ ...traceQuery(traced), enabled: word !== '' });
  return (
    <>
      <title>{`Trace${word !== '' ? ` of ${plain(word, 40)}` : ''} · Lazaret`}</title>
      <div className={listStyles['head']}>
        <div className={listStyles['title']}><h1>Trace</h1><p>where it came from, what came with it, who has seen it</p></div>
        {trace.data !== undefined && trace.data.objects.length > 0 && <Withdraw key={word} extents={() => extentsOf(traced, trace.data)} />}
        <Ask key={`${word} ${traced.days}`} traced={traced} />
      </div>
      {word === '' ? (
        <div className={styles['stack']}>
          <div className={partStyles['card']}><Empty title="Follow an object, a medium, a source or a time" mark={<SearchIcon />}>An object by its id, SOP Instance UID or SHA-256; a medium by the number of its import; a source by its AE Title, name or address; or everything that was received in a time, from whomever. From a held object the way here is under its facts.</Empty></div>
          <Withdrawals />
        </div>
      ) : trace.isPending ? <div className={partStyles['card']}><Loading rows={6} what="the trace" /></div>
        : trace.data === undefined ? <Trouble error={trace.error} what="This cannot be traced" retry={() => void trace.refetch()} />
          : trace.data.objects.length === 0 && (trace.data.media ?? []).length === 0 ? <div className={partStyles['card']}>{window !== null ? <Empty title="Nothing was received then">{windowWords(window)}</Empty> : <Empty title="Nothing was received from there">{`In the last ${counted(traced.days, 'day')}, under this name. Names are written as they are registered; an address as the object’s facts show it.`}</Empty>}</div>
            : <Shown key={word} answer={trace.data} />}
    </>
  );
}

/** What of a trace can be withdrawn, the likeliest first. */
function extentsOf(traced: Traced, answer: TraceAnswer): Extent[] {
  if (traced.window !== null) return [{ name: `Everything received ${windowWords(traced.window)}`, selection: { kind: 'time', ...traced.window } }];
  if (traced.source !== '') return [{ name: `All from ${plain(traced.source, 60)} in the last ${counted(traced.days, 'day')}`, selection: { kind: 'source', source: traced.source, ...windowOf(traced.days) } }];
  const media = (answer.media ?? []).map((medium): Extent => ({ name: `All that the medium ${plain(medium.name, 60) || 'without a name'} brought`, selection: { kind: 'import', import: medium.import, known: false } }));
  if (traced.import !== '') return media.slice(0, 1);
  const subjects = answer.objects.filter(({ relation }) => relation === 'subject');
  const together = answer.objects.filter(({ relation }) => relation === 'subject' || relation === 'message');
  const study = subjects[0]?.studyInstanceUID ?? '';
  return [
    { name: subjects.length === 1 ? 'This object' : `These ${subjects.length} objects`, selection: { kind: 'objects', objects: subjects.map(({ objectId }) => objectId) } },
    ...media.slice(0, 3),
    ...(study === '' ? [] : [{ name: 'Its whole study', selection: { kind: 'study', study } } as const]),
    ...(media.length === 0 && together.length > subjects.length && !answer.cut.includes('message') ? [{ name: `All ${together.length} objects that came together`, selection: { kind: 'objects', objects: together.map(({ objectId }) => objectId) } } as const] : []),
  ];
}
const kinds = { object: ['Object', 'Object id, SOP Instance UID or SHA-256'], medium: ['Medium', 'Number of its import, 8 digits or more'], source: ['Source', 'AE Title, name or address'], time: ['Time', ''] } as const;
const windows = [[1, 'last day'], [7, 'last 7 days'], [30, 'last 30 days'], [365, 'last year']] as const;

/** As people see it on the clock here. */
const windowWords = ({ since, until }: { readonly since: number; readonly until: number }): string => `${moment(since)} to ${moment(until)}`;
const hourMs = 3_600_000;
/** Between what an input holds, local time to the minute, and what stands in the address, UTC. */
function localOf(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
const addressOf = (local: string): string => `${new Date(local).toISOString().slice(0, 16)}Z`;

function Ask({ traced }: { readonly traced: Traced }) {
  const navigate = route.useNavigate();
  const [what, setWhat] = useState<keyof typeof kinds>(traced.window !== null ? 'time' : traced.source !== '' ? 'source' : traced.import !== '' ? 'medium' : 'object');
  const [typed, setTyped] = useState(traced.source || traced.import || traced.id);
  const [days, setDays] = useState(traced.days);
  const [since, setSince] = useState(() => localOf(traced.window?.since ?? Date.now() - hourMs));
  const [until, setUntil] = useState(() => localOf(traced.window?.until ?? Date.now() + 60_000));
  return (
    <form
      role="search" className={styles['form']}
      onSubmit={(event) => {
        event.preventDefault();
        if (what === 'time') {
          if (since !== '' && until !== '' && since < until) void navigate({ search: { since: addressOf(since), until: addressOf(until) } });
          return;
        }
        const text = typed.trim();
        if (text !== '') void navigate({ search: what === 'source' ? { source: text, ...(days === daysUsual ? {} : { days: String(days) }) } : what === 'medium' ? { import: text } : { id: text } });
      }}
    >
      <select aria-label="Trace an object, a medium, a source or a time" value={what} onChange={(event) => setWhat(event.target.value as keyof typeof kinds)}>
        {Object.entries(kinds).map(([kind, [name]]) => <option key={kind} value={kind}>{name}</option>)}
      </select>
      {what === 'time' ? (
        <>
          <label>from <input type="datetime-local" required value={since} onChange={(event) => setSince(event.target.value)} /></label>
          <label>to <input type="datetime-local" required min={since} value={until} onChange={(event) => setUntil(event.target.value)} /></label>
        </>
      ) : <input type="search" maxLength={200} value={typed} aria-label={kinds[what][1]} placeholder={kinds[what][1]} onChange={(event) => setTyped(event.target.value)} />}
      {what === 'source' && <select aria-label="How far back" value={days} onChange={(event) => setDays(Number(event.target.value))}>{windows.map(([number, name]) => <option key={number} value={number}>{name}</option>)}</select>}
      <button type="submit" className={partStyles['button']}>Trace</button>
    </form>
  );
}

function Shown({ answer }: { readonly answer: TraceAnswer }) {
  const [selected, setSelected] = useState<string | null>(null);
  const spread = spreadOf(answer);
  const node = spread.nodes.find(({ key }) => key === selected) ?? null;
  return (
    <div className={styles['stack']}>
      <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="spread">
        <header>
          <h2 id="spread">The spread</h2>
          <p>{node === null ? summary(answer) : `${node.title}: its path, and in the tables only what belongs to it`}</p>
          {node !== null && <button type="button" className={joined(partStyles['button'], partStyles['small'])} onClick={() => setSelected(null)}>Show all</button>}
        </header>
        {answer.objects.length === 0 ? <p className={styles['note']}>Nothing of this medium was kept.</p> : <SpreadPicture spread={spread} selected={selected} onSelect={setSelected} />}
      </section>
      <Media media={answer.media ?? []} />
      <div className={styles['tables']}>
        <Objects answer={answer} node={node} />
        <Accesses answer={answer} node={node} />
      </div>
      <Withdrawals />
    </div>
  );
}

function summary(answer: TraceAnswer): string {
  const subjects = answer.objects.filter(({ relation }) => relation === 'subject');
  const others = answer.objects.length - subjects.length;
  const people = new Set(answer.accesses.filter(({ kind }) => kind === 'opened').map(({ person }) => person)).size;
  const places = new Set(answer.accesses.filter(({ kind }) => kind === 'sent').map(({ destination }) => destination)).size;
  return `${counted(subjects.length, 'object')}, ${others === 0 ? 'nothing came with it' : `${whole(others)} that came with it or near it`}; opened by ${people === 0 ? 'nobody' : counted(people, 'person or system', 'people or systems')}, sent to ${places === 0 ? 'nowhere' : counted(places, 'place')}`;
}

const relationWords: Readonly<Record<TraceRelation, string>> = { subject: 'asked about', message: 'came with it', source: 'same source, near it in time', copy: 'same SOP Instance UID' };
/** The page stays quick; the terminal's --json has them all. */
const rowsMax = 100;

function Objects({ answer, node }: { readonly answer: TraceAnswer; readonly node: Node | null }) {
  const objects = answer.objects.filter(({ objectId }) => node === null || node.objectIds.has(objectId));
  const cut = answer.cut.filter((each) => each !== 'accesses');
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="objects">
      <header><h2 id="objects">Objects</h2><p>{counted(objects.length, 'object')}</p></header>
      <table className={styles['table']}>
        <thead><tr><th scope="col">Object</th><th scope="col">Came from</th><th scope="col">Received</th><th scope="col">Now</th></tr></thead>
        <tbody>{objects.slice(0, rowsMax).map((object) => <ObjectRow key={object.objectId} object={object} from={sourceName(answer.messages[object.message]!.source)} />)}</tbody>
      </table>
      {answer.repeats.filter(({ objectId }) => node === null || node.objectIds.has(objectId)).map(({ objectId, source, at }) => (
        <p key={`${objectId} ${source.batch}`} className={styles['note']}>The same bytes were sent again by <bdi>{sourceName(source)}</bdi> ({plain(source.address, 64)}), {moment(at)}.</p>
      ))}
      {(objects.length > rowsMax || cut.length > 0) && <p className={styles['note']}>There are more than are shown here; “./lazaret trace … --json” at the terminal names {cut.length > 0 ? 'as many as are kept together' : 'them all'}.</p>}
    </section>
  );
}

function ObjectRow({ object, from }: { readonly object: TraceObject; readonly from: string }) {
  return (
    <tr>
      <td>
        <Link to="/objects/$objectId" params={{ objectId: object.objectId }}><PatientName name={object.patientName} id={object.patientID} /></Link>
        <span className={styles['soft']}>{relationWords[object.relation]} · <Text max={80}>{[object.modality, object.studyDescription].filter((text) => text !== '').join(' · ') || 'study not known'}</Text></span>
      </td>
      <td><bdi>{from}</bdi></td>
      <td>{moment(object.receivedAt)}</td>
      <td>
        <StateChip state={object.state} /> {object.verdict !== null && object.verdict !== 'clean' && <VerdictChip verdict={object.verdict} />}
        {(object.withdrawal ?? null) !== null ? <span className={styles['soft']}>withdrawn by <bdi>{plain(object.withdrawal!.person, 40)}</bdi> {moment(object.withdrawal!.at)}</span> : object.withdrawn && object.concludedAt !== null && <span className={styles['soft']}>taken out of the archive {moment(object.concludedAt)}</span>}
      </td>
    </tr>
  );
}

function Accesses({ answer, node }: { readonly answer: TraceAnswer; readonly node: Node | null }) {
  const accesses = byPerson(answer.accesses.filter((access) => node === null || (node.column === 3 ? node.accesses.has(access) : access.objectIds.some((objectId) => node.objectIds.has(objectId)))));
  const decisions = alike(answer.decisions.filter(({ objectId }) => node === null || node.objectIds.has(objectId)));
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="accesses">
      <header><h2 id="accesses">Opened, taken out or sent</h2><p>what was asked about, from the audit log</p></header>
      {accesses.length === 0 ? <p className={styles['note']}>Nobody, as far as the record goes.</p> : (
        <table className={styles['table']}>
          <thead><tr><th scope="col">Who</th><th scope="col">What</th><th scope="col">When</th></tr></thead>
          <tbody>{accesses.slice(0, rowsMax).map((access, index) => <AccessRow key={index} access={access} />)}</tbody>
        </table>
      )}
      {(accesses.length > rowsMax || answer.cut.includes('accesses')) && <p className={styles['note']}>There are more than are shown here.</p>}
      {decisions.map(({ decision, objects }) => <p key={`${decision.decision} ${decision.at} ${decision.objectId}`} className={styles['note']}>{decisionWords[decision.decision] ?? plain(decision.decision, 20)} by {decision.persons.map((person) => plain(person, 60)).join(' and ')}, {moment(decision.at)}{objects > 1 && `, ${counted(objects, 'object')}`}: <Text max={200}>{decision.reason}</Text></p>)}
    </section>
  );
}

/** One row for a person and what they did: who opens a study asks for each of its images. */
function byPerson(accesses: readonly TraceAccess[]): TraceAccess[] {
  const found = new Map<string, TraceAccess>();
  for (const access of accesses) {
    const key = JSON.stringify([access.kind, access.person, access.address, access.destination, access.what]);
    const known = found.get(key);
    found.set(key, known === undefined ? access : { ...known, first: Math.min(known.first, access.first), last: Math.max(known.last, access.last), count: known.count + access.count, auditEntry: Math.max(known.auditEntry, access.auditEntry) });
  }
  return [...found.values()];
}
/** One line for a decision that several objects share. */
function alike(decisions: TraceAnswer['decisions']): { readonly decision: TraceAnswer['decisions'][number]; readonly objects: number }[] {
  const found = new Map<string, { readonly decision: TraceAnswer['decisions'][number]; readonly objects: number }>();
  for (const decision of decisions) {
    const key = JSON.stringify([decision.decision, decision.persons, decision.reason]);
    found.set(key, { decision, objects: (found.get(key)?.objects ?? 0) + 1 });
  }
  return [...found.values()];
}

const decisionWords: Readonly<Record<string, string>> = { release: 'Released', destroy: 'Destroyed', withdraw: 'Withdrawn', restore: 'Brought back' };
const kindWords: Readonly<Record<TraceAccess['kind'], string>> = { opened: 'Opened', sent: 'Sent', exported: 'Taken out of the vault' };

function AccessRow({ access }: { readonly access: TraceAccess }) {
  return (
    <tr>
      <td><strong><Text max={60}>{access.person}</Text></strong><span className={styles['soft']}><Text max={60}>{access.address}</Text></span></td>
      <td>{kindWords[access.kind]}{access.destination !== '' && <> to <Text max={60}>{access.destination}</Text></>}<span className={styles['soft']}><Text max={60}>{access.what}</Text></span></td>
      <td>{moment(access.last)}<span className={styles['soft']}>{access.count === 1 ? `audit entry ${whole(access.auditEntry)}` : `${counted(access.count, 'time')} since ${moment(access.first)}, audit entry ${whole(access.auditEntry)}`}</span></td>
    </tr>
  );
}
