/** One object: whose it is, what was found, where in its bytes, and what can be done. */
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { Picture } from '../map/picture.tsx';
import { BackIcon, LockIcon, VerdictIcon } from '../parts/icons.tsx';
import { Copy, Loading, PatientName, StateChip, Text, Trouble, VerdictChip, joined, partStyles, shortDigest } from '../parts/parts.tsx';
import { entryQuery } from '../queries.ts';
import { counted, moment, size, whole } from '../words/amounts.ts';
import { findingDetail, findingWords, isOfWhole, ordered, whyHeld } from '../words/findings.ts';
import { personName, plain } from '../words/plain.ts';
import { doorName, sopClassName, sourceName, stateWords, subject, verdictWords } from '../words/verdicts.ts';
import { DecisionPanel } from './decisionpanel.tsx';
import { ExportPanel } from './exportpanel.tsx';
import { LookPanel } from './lookpanel.tsx';
import { ResendPanel } from './resendpanel.tsx';
import styles from './object.module.css';

const route = getRouteApi('/objects/$objectId');

export function ObjectPage() {
  const { objectId } = route.useParams();
  const entry = useQuery(entryQuery(objectId));
  return (
    <>
      <title>{`${entry.data === undefined ? 'Object' : personName(entry.data.patientName) || 'Object'} · Lazaret`}</title>
      <Link className={styles['back']} to={entry.data?.state === 'held' ? '/held' : '/arrivals'}><BackIcon />{entry.data?.state === 'held' ? 'Held' : 'Arrivals'}</Link>
      {entry.data === undefined ? entry.isError ? <><h1>Object</h1><Trouble error={entry.error} what="This object cannot be shown" retry={() => void entry.refetch()} /></> : <div className={partStyles['card']}><Loading rows={6} what="the object" /></div> : <Shown key={objectId} entry={ordered(entry.data)} />}
    </>
  );
}

function Shown({ entry }: { readonly entry: LedgerEntry }) {
  const [finding, setFinding] = useState<number | null>(entry.findings.length > 0 ? 0 : null);
  return (
    <>
      <div className={styles['head']}>
        <div className={styles['who']}>
          <h1><PatientName name={entry.patientName} id={entry.patientID} />{entry.patientID !== '' && entry.patientName !== '' && <small><Text max={64}>{entry.patientID}</Text></small>}</h1>
          <p>{subject(entry)} · {sopClassName(entry.sopClassUID)} · {size(entry.bytes)} · from <bdi>{sourceName(entry.source)}</bdi>, {moment(entry.receivedAt)}</p>
        </div>
        <div className={styles['chips']}><StateChip state={entry.state} />{entry.verdict !== null && <VerdictChip verdict={entry.verdict} />}</div>
      </div>
      <div className={styles['columns']}>
        <div className={styles['main']}>
          <VerdictPanel entry={entry} />
          <LookPanel entry={entry} />
          {entry.state === 'destroyed' ? <p>Its bytes are gone, so there is no file map to show.</p> : entry.verdict === null ? <p>The file map is shown once it has been inspected.</p> : <Picture entry={entry} finding={finding} onFinding={setFinding} />}
        </div>
        <div className={styles['side']}>
          {entry.findings.length > 0 && <Findings entry={entry} finding={finding} onFinding={setFinding} />}
          <DecisionPanel entry={entry} />
          <ResendPanel entry={entry} />
          <ExportPanel entry={entry} />
          <Facts entry={entry} />
        </div>
      </div>
    </>
  );
}

function VerdictPanel({ entry }: { readonly entry: LedgerEntry }) {
  const { verdict } = entry;
  if (verdict === null) return <div className={styles['verdict']}><LockIcon /><div><h2>{stateWords[entry.state].name}</h2><p>{stateWords[entry.state].meaning}</p></div></div>;
  const why = entry.state === 'held' || entry.state === 'destroyed' || verdict !== 'clean' ? whyHeld(entry) : null;
  return (
    <section className={joined(styles['verdict'], styles[verdict])} aria-label="Verdict">
      <VerdictIcon verdict={verdict} size={26} />
      <div>
        <h2>{why !== null ? `${why.title}${why.more > 0 ? `, and ${why.more} more` : ''}` : entry.disarmed.length > 0 ? `${verdictWords[verdict].name}, disarmed` : verdictWords[verdict].name}</h2>
        <p>{why?.meaning ?? verdictWords[verdict].meaning}{entry.disarmed.length > 0 && ` What stood outside the Data Set (${entry.disarmed.map((what) => plain(what, 20)).join(', ')}) was neutralised.`}</p>
        {why !== null && entry.state === 'held' && <p className={styles['todo']}><strong>What to do:</strong> {why.advice}</p>}
        {verdict === 'malicious' && <p className={styles['todo']}><Link to="/trace" search={{ id: entry.objectId }}>Trace it: where it came from, what came with it, who has seen it</Link></p>}
      </div>
    </section>
  );
}

/** As many as leave the decision in sight; the rest is a click away. */
const findingsShown = 4;
/** Beyond these are repetitions; the table of parts marks them all. */
const findingsListedMax = 100;

function Findings({ entry, finding, onFinding }: { readonly entry: LedgerEntry; readonly finding: number | null; readonly onFinding: (finding: number) => void }) {
  const [all, setAll] = useState(false);
  const count = all || (finding ?? 0) >= findingsShown ? findingsListedMax : findingsShown;
  const hidden = entry.findings.length - count;
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="findings">
      <h2 id="findings">{entry.verdict === 'clean' && entry.conflicts.length === 0 ? 'Noted, without effect' : 'What was found'}</h2>
      <ol className={styles['findings']}>
        {entry.findings.slice(0, count).map((each, index) => {
          const words = findingWords(each);
          return (
            <li key={index}>
              <button type="button" className={styles['finding']} aria-pressed={finding === index} onClick={() => onFinding(index)}>
                <span className={joined(styles['number'], styles[words.verdict])}>{index + 1}</span>
                <strong>{words.title}</strong>
                <span>
                  <span className={styles['meaning']}><Text>{findingDetail(each)}</Text></span>
                  <small>{plain(each.engine, 40)}{each.tag !== '' && ` · ${plain(each.tag, 20)}`} · {isOfWhole(each) ? 'the object as a whole' : `offset ${whole(each.offset)}, ${counted(each.length, 'byte')}`}</small>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      {hidden > 0 && (count === findingsShown
        ? <button type="button" className={joined(partStyles['button'], partStyles['small'], styles['moreFindings'])} onClick={() => setAll(true)}>Show {hidden} more</button>
        : <p>and {hidden} more, all marked in the table of parts.</p>)}
    </section>
  );
}

function Facts({ entry }: { readonly entry: LedgerEntry }) {
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <dl className={styles['facts']}>
        <dt>From</dt><dd><bdi>{sourceName(entry.source)}</bdi> ({plain(entry.source.address, 64)})</dd>
        <dt>By</dt><dd>{doorName(entry.source)}</dd>
        <dt>Received</dt><dd>{moment(entry.receivedAt)}</dd>
        <dt>Inspected</dt><dd>{entry.concludedAt === null ? 'not yet' : moment(entry.concludedAt)}</dd>
        <dt>Size</dt><dd>{whole(entry.bytes)} bytes</dd>
        <dt>SHA-256</dt><dd><Copy value={entry.sha256} shown={shortDigest(entry.sha256)} what="the SHA-256 digest" /></dd>
        {entry.sopInstanceUID !== '' && <><dt>Instance</dt><dd><Copy value={entry.sopInstanceUID} what="the SOP Instance UID" /></dd></>}
        {entry.studyInstanceUID !== '' && <><dt>Study</dt><dd><Copy value={entry.studyInstanceUID} what="the Study Instance UID" /></dd></>}
        {entry.studyInstanceUID !== '' && entry.state === 'archived' && <><dt>Whose it is</dt><dd><Link to="/studies/$study" params={{ study: entry.studyInstanceUID }}>Under whom the study is shown, and change that</Link></dd></>}
        <dt>Object</dt><dd><Copy value={entry.objectId} shown={`${entry.objectId.slice(0, 8)}…`} what="the object id" /></dd>
        <dt>Trace</dt><dd><Link to="/trace" search={{ id: entry.objectId }}>Where it came from, who has seen it</Link></dd>
        {entry.epoch !== '' && <><dt>Inspected by</dt><dd>{plain(entry.epoch)}</dd></>}
        {entry.conflicts.length > 0 && <><dt>Conflicts</dt><dd>{entry.conflicts.slice(0, 5).map((objectId) => <div key={objectId}><Link to="/objects/$objectId" params={{ objectId }}>{objectId.slice(0, 8)}…</Link></div>)}</dd></>}
      </dl>
    </section>
  );
}
