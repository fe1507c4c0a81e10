/** Step three for one patient on the disc: somebody who is known here, an order, as it came, or later. Nothing is chosen until a person does. */
import { useEffect, useId, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import type { Replacement } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { Hidden, Loading, Trouble, joined } from '../parts/parts.tsx';
import { SearchIcon, WarningIcon } from '../parts/icons.tsx';
import { counted } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { candidatesOf, searchesOf, warnings, type Candidate, type DiscPatient } from './candidates.ts';
import { Differences } from './differences.tsx';
import { patientsQuery, worklistQuery } from './requests.ts';
import { TickMark } from './marks.tsx';
import { dateOf, detailsOf, nameOf } from './words.ts';
import styles from './desk.module.css';

export type Pick = { readonly kind: 'here'; readonly replacement: Replacement; readonly order: string } | { readonly kind: 'as-it-came' } | { readonly kind: 'later' };

type Searched = { readonly received: DiscPatient['received'] };

/** More are not read; a longer name or the birth date finds the right one. */
const candidatesMax = 6;
const typingPauseMs = 300;

export function Whose({ patient, pick, onPick }: { readonly patient: DiscPatient; readonly pick: Pick | undefined; readonly onPick: (pick: Pick | undefined) => void }) {
  const head = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const changed = useRef(false);
  // What had the focus is gone once something is chosen or changed: it goes where the eye goes.
  useEffect(() => {
    if (pick !== undefined) changed.current = true;
    else if (changed.current) heading.current?.focus();
  }, [pick]);
  if (pick !== undefined) return <Picked patient={patient} pick={pick} onChange={() => onPick(undefined)} />;
  return (
    <section className={styles['whose']} aria-labelledby={head}>
      <h3 id={head} ref={heading} tabIndex={-1}>Who is <bdi>{nameOf(patient.received.patientName)}</bdi> here?</h3>
      <Search patient={patient} onPick={onPick} />
      <div className={styles['otherwise']}>
        <button type="button" className={styles['choice']} onClick={() => onPick({ kind: 'as-it-came' })}><strong>As it came</strong><span>Nobody of these. It is kept under the name and number on the disc.</span></button>
        <button type="button" className={styles['choice']} onClick={() => onPick({ kind: 'later' })}><strong>Later</strong><span>It stays out of sight until somebody says whose it is.</span></button>
      </div>
    </section>
  );
}

/** Who is known here or planned, and may be this patient; one of them is picked. `thereName`: where the patient's values come from, for people. */
export function Search({ patient, thereName, onPick }: { readonly patient: Searched; readonly thereName?: string; readonly onPick: (pick: Extract<Pick, { kind: 'here' }>) => void }) {
  const searches = searchesOf(patient.received);
  const [typed, setTyped] = useState(searches.name);
  const [text, setText] = useState(searches.name);
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  const own = text === searches.name;
  // As it stands on the disc: by name, birth date and number at once; what a person types is all that is looked for then.
  const byText = useQuery(patientsQuery(text));
  const byBirth = useQuery(patientsQuery(own ? searches.birthDate : ''));
  const byID = useQuery(patientsQuery(own ? searches.id : ''));
  const orders = useQuery(worklistQuery(...ordersOf(text)));
  const found = [byText, byBirth, byID].flatMap(({ data }) => data ?? []);
  const fitting = candidatesOf(patient.received, found, orders.data?.items ?? []);
  const candidates = fitting.slice(0, candidatesMax);
  const label = useId();
  return (
    <>
      <form role="search" aria-label={`Patients here, for ${nameOf(patient.received.patientName)}`} className={styles['search']} onSubmit={(event) => { event.preventDefault(); clearTimeout(timer); setText(typed.trim()); }}>
        <label htmlFor={label}>Name, date of birth or number</label>
        <span><SearchIcon /><input id={label} type="search" autoComplete="off" maxLength={200} value={typed} onChange={(event) => {
          const { value } = event.target;
          setTyped(value);
          clearTimeout(timer);
          setTimer(setTimeout(() => setText(value.trim()), typingPauseMs));
        }} /></span>
      </form>
      {byText.isError && <Trouble error={byText.error} what="The patients here cannot be searched" retry={() => void byText.refetch()} />}
      {orders.data?.outcome === 'failed' && <p className={styles['caution']} role="status">The list of planned examinations does not answer: {plain(orders.data.text, 200)} The patients below are those of the archive.</p>}
      <div aria-live="polite">
        {byText.isFetching && found.length === 0 ? <Loading rows={2} what="patients" /> : candidates.length === 0 ? <p className={styles['none']}>Nobody here fits{text === '' ? '' : <> “<bdi>{plain(text, 60)}</bdi>”</>}. Try another spelling, the date of birth, or the number.</p> : (
          <ul className={styles['candidates']}>
            {candidates.map((candidate, index) => <li key={candidate.key}><CandidateCard candidate={candidate} patient={patient} best={own && index === 0 && candidate.score >= 5} onPick={onPick} {...(thereName === undefined ? {} : { thereName })} /></li>)}
          </ul>
        )}
        {fitting.length > candidates.length && <p className={styles['note']}>{fitting.length - candidates.length} more fit less well. Type more of the name to see them.</p>}
      </div>
    </>
  );
}

/** A worklist matches all that is asked for at once, and knows no number of another hospital: by name, or by what holds a digit. */
function ordersOf(text: string): readonly [name: string, id: string] {
  if (/\d/.test(text)) return ['', text];
  const family = text.split(/[,^]/)[0]!.trim();
  return [family === '' ? '' : `${family}*`, ''];
}

function CandidateCard({ candidate, patient, best, thereName, onPick }: { readonly candidate: Candidate; readonly patient: Searched; readonly best: boolean; readonly thereName?: string; readonly onPick: (pick: Extract<Pick, { kind: 'here' }>) => void }) {
  const { identity, from, order } = candidate;
  const careful = warnings(patient.received, identity);
  const known = from === 'worklist' ? `Planned here: ${plain(order, 160)}` : `${counted(candidate.studies, 'examination')} here${candidate.lastStudyDate === '' ? '' : `, the last on ${dateOf(candidate.lastStudyDate)}`}`;
  return (
    <article className={joined(styles['candidate'], best && styles['best'])} aria-label={`${nameOf(identity.patientName)}, ${detailsOf(identity)}`}>
      <header>
        <div>
          <h4><bdi>{nameOf(identity.patientName)}</bdi>{best && <span className={styles['bestWord']}>Fits best</span>}</h4>
          <p>{known}</p>
        </div>
        <button type="button" className={joined(styles['button'], best && styles['primary'])} onClick={() => onPick({ kind: 'here', replacement: identity, order })}>It is this one<Hidden>: {nameOf(identity.patientName)}, {detailsOf(identity)}</Hidden></button>
      </header>
      <Differences received={patient.received} here={identity} hereName="Here" {...(thereName === undefined ? {} : { thereName })} />
      {careful.length > 0 && <p className={styles['careful']}><WarningIcon /> Look twice: {careful.join(' and ')} {careful.length === 1 ? 'is' : 'are'} not the same.</p>}
    </article>
  );
}

function Picked({ patient, pick, onChange }: { readonly patient: DiscPatient; readonly pick: Pick; readonly onChange: () => void }) {
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.focus({ preventScroll: true }), []);
  return (
    <section ref={section} tabIndex={-1} className={joined(styles['picked'], pick.kind === 'later' && styles['pickedLater'])} aria-label="Chosen">
      <span className={styles['pickedMark']}><TickMark /></span>
      <div>
        {pick.kind === 'here' && <p>Comes in as <strong><bdi>{nameOf(pick.replacement.patientName)}</bdi></strong>, {detailsOf(pick.replacement)}{pick.order !== '' && <> · <bdi>{plain(pick.order, 120)}</bdi></>}. What is on the disc stays readable behind it, and a reviewer can change it back.</p>}
        {pick.kind === 'as-it-came' && <p>Comes in as it is: <strong><bdi>{nameOf(patient.received.patientName)}</bdi></strong>, {detailsOf(patient.received)}. It will not be found under a local number.</p>}
        {pick.kind === 'later' && <p><strong>Later.</strong> It was scanned and is kept, but nobody sees it until somebody says whose it is: open this disc again from the list.</p>}
      </div>
      <button type="button" className={styles['button']} onClick={onChange}>Change<Hidden> what {nameOf(patient.received.patientName)} comes in as</Hidden></button>
    </section>
  );
}
