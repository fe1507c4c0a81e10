/** One archived study: under whom it is shown, as whose it came, who said so; and the way to change it, or to take that back. */
import { useEffect, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Reconciliation, Replacement, StudyIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { Differences } from '../desk/differences.tsx';
import { viewerAddress } from '../desk/requests.ts';
import { Search } from '../desk/whose.tsx';
import { dateOf, detailsOf, nameOf } from '../desk/words.ts';
import { BackIcon, WarningIcon } from '../parts/icons.tsx';
import { Copy, Loading, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { sessionQuery } from '../queries.ts';
import { counted, moment } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { ChangeDialog } from './changedialog.tsx';
import { identityQuery, inForce } from './requests.ts';
import desk from '../desk/desk.module.css';
import object from '../object/object.module.css';
import styles from './study.module.css';

const route = getRouteApi('/studies/$study');

export function StudyPage() {
  const { study } = route.useParams();
  const identity = useQuery(identityQuery(study));
  return (
    <>
      <title>{`${identity.data === undefined ? 'Study' : nameOf((inForce(identity.data)?.replacement ?? identity.data.received).patientName)} · Lazaret`}</title>
      <Link className={object['back']} to="/arrivals"><BackIcon />Arrivals</Link>
      {identity.data === undefined ? identity.isError ? <><h1>Study</h1><Trouble error={identity.error} what="This study cannot be shown" retry={() => void identity.refetch()} /></> : <div className={partStyles['card']}><Loading rows={5} what="the study" /></div> : <Shown key={study} identity={identity.data} />}
    </>
  );
}

function Shown({ identity }: { readonly identity: StudyIdentity }) {
  const { received, history, studyInstanceUID } = identity;
  const served = inForce(identity)?.replacement ?? null;
  const now = served ?? received;
  return (
    <>
      <div className={object['head']}>
        <div className={object['who']}>
          <h1><bdi>{nameOf(now.patientName)}</bdi></h1>
          <p>{[detailsOf(now), plain(served?.studyDescription || received.studyDescription, 120), dateOf(received.studyDate)].filter((text) => text !== '').join(' · ')}</p>
        </div>
      </div>
      <div className={object['columns']}>
        <div className={object['main']}>
          <WhoseItIs identity={identity} served={served} />
        </div>
        <div className={object['side']}>
          <section className={joined(partStyles['card'], object['card'])} aria-labelledby="history">
            <h2 id="history">Who said so</h2>
            {history.length === 0 ? <p>Nobody yet: it is as it was received.</p> : <ol className={styles['history']}>{history.map((choice) => <Said key={choice.id} choice={choice} />)}</ol>}
          </section>
          <section className={joined(partStyles['card'], object['card'])} aria-labelledby="facts">
            <h2 id="facts">Facts</h2>
            <dl className={object['facts']}>
              <dt>Accession number</dt><dd>{plain(now.accessionNumber, 32) || 'none'}</dd>
              <dt>Study</dt><dd><Copy value={studyInstanceUID} what="the Study Instance UID" /></dd>
              <dt>Images</dt><dd><a href={viewerAddress(studyInstanceUID)}>Open in the viewer</a></dd>
            </dl>
          </section>
        </div>
      </div>
    </>
  );
}

/** What is asked for in the dialog: somebody here, or back to what was received. */
type Wanted = { readonly replacement: Replacement | null };

function WhoseItIs({ identity, served }: { readonly identity: StudyIdentity; readonly served: Replacement | null }) {
  const session = useQuery(sessionQuery);
  const [searching, setSearching] = useState(false);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const search = useRef<HTMLHeadingElement>(null);
  const moved = useRef(false);
  // What had the focus is gone once the search opens or closes: it goes where the eye goes.
  useEffect(() => {
    if (searching) search.current?.focus();
    else if (moved.current) heading.current?.focus();
    moved.current = true;
  }, [searching]);
  const { received, history } = identity;
  const [newest] = history;
  const moving = newest?.state === 'taking';
  const may = session.data?.roles.includes('reviewer') === true;
  const close = (): void => {
    setWanted(null);
    setSearching(false);
    heading.current?.focus();
  };
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="whose">
      <h2 id="whose" ref={heading} tabIndex={-1}>Whose it is</h2>
      {served === null ? <p>It is shown as it was received: <strong><bdi>{nameOf(received.patientName)}</bdi></strong>, {detailsOf(received)}.</p> : (
        <>
          <p>It is shown as that of <strong><bdi>{nameOf(served.patientName)}</bdi></strong>, {detailsOf(served)}. What was received is kept unchanged behind it.</p>
          <Differences received={received} here={served} hereName="Shown as" thereName="As received" />
        </>
      )}
      <div role="status">
        {moving && <p className={styles['moving']}>Being changed to {newest.replacement === null ? 'what was received' : <><bdi>{nameOf(newest.replacement.patientName)}</bdi>, {detailsOf(newest.replacement)}</>}. You can leave this page: it goes on by itself.</p>}
        {newest?.state === 'impossible' && <p className={styles['problem']}><WarningIcon /><span>The last change could not be made: {plain(newest.problem, 600)} The study stays as it was.</span></p>}
      </div>
      {!may ? <p className={styles['note']}>A reviewer can change whose it is.</p> : !searching && (
        <div className={styles['buttons']}>
          <button type="button" className={joined(partStyles['button'], partStyles['primary'])} disabled={moving} onClick={() => setSearching(true)}>Change whose it is…</button>
          {served !== null && <button type="button" className={partStyles['button']} disabled={moving} onClick={() => setWanted({ replacement: null })}>Undo: as it was received…</button>}
        </div>
      )}
      {searching && (
        <section className={desk['whose']} aria-labelledby="search">
          <h3 id="search" ref={search} tabIndex={-1}>Whose is it?</h3>
          <Search patient={{ received }} thereName="As received" onPick={({ replacement }) => setWanted({ replacement })} />
          <div className={styles['buttons']}><button type="button" className={partStyles['button']} onClick={() => setSearching(false)}>Leave it as it is</button></div>
        </section>
      )}
      {wanted !== null && <ChangeDialog identity={identity} replacement={wanted.replacement} onCancel={() => setWanted(null)} onDone={close} />}
    </section>
  );
}

function Said({ choice }: { readonly choice: Reconciliation }) {
  const { replacement, person, at, reason, state, instances, problem } = choice;
  const what = replacement === null ? 'As it was received' : <><bdi>{nameOf(replacement.patientName)}</bdi>, {detailsOf(replacement)}</>;
  const became = { taken: counted(instances, 'object'), taking: 'being changed', ended: 'another choice came first', impossible: `not possible: ${plain(problem, 300)}` }[state];
  return (
    <li>
      <strong>{what}</strong>
      <span><bdi>{plain(person, 60)}</bdi>, {moment(at)} · {became}</span>
      {reason !== '' && <q><bdi>{plain(reason, 1_000)}</bdi></q>}
    </li>
  );
}
