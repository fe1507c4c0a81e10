/** Step five: what came in and under whose name, what was left behind, what is held and why, what could not be read. For the screen and for paper. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { FileFate, Receipt, ReceiptHeld, ReceiptStudy } from '@lazaret/pacs/reception/media/contract.ts';
import { Loading, Trouble, joined } from '../parts/parts.tsx';
import { BackIcon } from '../parts/icons.tsx';
import { counted, moment } from '../words/amounts.ts';
import { findingWords } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import { Code } from './code.tsx';
import { PrintMark } from './marks.tsx';
import { receiptQuery, viewerAddress } from './requests.ts';
import { Steps } from './steps.tsx';
import { dateOf, isPacked, kindOf, mediumName, nameOf, packedWords, unreachedWords } from './words.ts';
import styles from './receipt.module.css';
import desk from './desk.module.css';

const route = getRouteApi('/desk/$import/receipt');
/** Lines of one part on paper; the counts are whole. */
const linesMax = 40;

export function ReceiptPage() {
  const { import: id } = route.useParams();
  const receipt = useQuery(receiptQuery(id, false));
  if (receipt.isError && receipt.data === undefined) return <Trouble error={receipt.error} what="The receipt cannot be shown" retry={() => void receipt.refetch()} />;
  if (receipt.data === undefined) return <Loading rows={5} what="the receipt" />;
  const address = `${location.origin}/console/desk/${id}/receipt`;
  const waiting = receipt.data.studies.some(isOpen);
  return (
    <div className={joined(desk['desk'], styles['page'])}>
      <title>{`Receipt of ${mediumName(receipt.data)} · Lazaret`}</title>
      <div className={styles['screenOnly']}>
        <Link to="/desk/$import" params={{ import: id }} className={desk['back']}><BackIcon /> The disc</Link>
        <Steps at={5} done={receipt.data.state === 'settled' && receipt.data.unreconciled === 0} />
        <div className={joined(desk['buttons'], styles['actions'])}>
          <button type="button" className={joined(desk['button'], desk['primary'], desk['large'])} onClick={() => window.print()}><PrintMark />Print</button>
          {waiting && <Link to="/desk/$import" params={{ import: id }} className={joined(desk['button'], desk['large'])}>Say whose it is</Link>}
          <Link to="/desk" className={joined(desk['button'], desk['large'])}>Next disc</Link>
        </div>
      </div>
      <Paper receipt={receipt.data} address={address} />
    </div>
  );
}

function Paper({ receipt, address }: { readonly receipt: Receipt; readonly address: string }) {
  const { medium } = receipt;
  const seen = receipt.studies.filter((study) => !isHidden(study));
  const hidden = receipt.studies.filter(isHidden);
  const infected = receipt.infected.length > 0 || receipt.malicious > 0;
  const nothing = receipt.archived + receipt.held + receipt.waiting === 0;
  return (
    <article className={styles['paper']} aria-label="Receipt">
      <header className={styles['head']}>
        <div>
          <p className={styles['house']}>Lazaret · receipt of an import</p>
          <h1><bdi>{mediumName(receipt)}</bdi></h1>
          <dl>
            <dt>Medium</dt><dd>{mediumKinds[medium.kind] ?? 'medium'}{medium.identifier !== '' && <>, identifier <bdi className={styles['mono']}>{plain(medium.identifier, 60)}</bdi></>}</dd>
            <dt>Imported</dt><dd>{moment(receipt.begunAt)}{receipt.endedAt !== null && receipt.endedAt !== receipt.begunAt && ` to ${moment(receipt.endedAt)}`} by <bdi>{plain(receipt.person, 60)}</bdi></dd>
            <dt>State</dt><dd>{receipt.state === 'settled' ? ((receipt.fates.unreached ?? 0) > 0 ? `${receipt.done} of ${counted(receipt.files, 'file')} looked at` : `all ${counted(receipt.files, 'file')} looked at`) : 'not finished: this is how far it is'}</dd>
            <dt>Import</dt><dd className={styles['mono']}>{receipt.id}</dd>
          </dl>
        </div>
        <figure><Code text={address} label="QR code: the address of this receipt" /><figcaption>This receipt on screen</figcaption></figure>
      </header>

      <p className={joined(styles['verdict'], infected ? styles['bad'] : nothing || receipt.held > 0 || receipt.unreadable.length > 0 || (receipt.fates.unreached ?? 0) > 0 || hidden.length > 0 ? styles['care'] : styles['good'])}>{verdictOf(receipt, hidden.length)}</p>

      {receipt.problem !== '' && <p className={styles['problem']}>{plain(receipt.problem, 300)}</p>}
      {infected && (
        <Part title="Infected" count={receipt.infected.length + receipt.withheld.filter(({ verdict }) => verdict === 'malicious').length} tone="bad">
          <p>Nothing of these files came in. Keep the disc apart, do not open it on any computer, tell IT security and whoever made it: it comes from their system.</p>
          <Lines items={[...receipt.infected, ...receipt.withheld.filter(({ verdict }) => verdict === 'malicious')]} line={(file) => <><b className={styles['mono']}>{plain(file.path, 120)}</b> {plain(file.text, 160)}</>} />
        </Part>
      )}
      <Part title="Came in" count={seen.length} none={nothing ? ((receipt.fates.unreached ?? 0) > 0 ? 'No image was among the files that were read.' : 'There are no images on it.') : hidden.length > 0 ? 'Nothing is in sight yet.' : 'Nothing came in.'}>
        <ul className={styles['studies']}>{seen.map((study) => <Came key={study.studyInstanceUID} study={study} />)}</ul>
        {receipt.duplicates > 0 && <p className={styles['note']}>{counted(receipt.duplicates, 'image')} of these {receipt.duplicates === 1 ? 'was' : 'were'} here before, byte for byte.</p>}
      </Part>
      {hidden.length > 0 && (
        <Part title="Clean, but out of sight until somebody says whose it is" count={hidden.length}>
          <ul className={styles['studies']}>{hidden.map((study) => <Came key={study.studyInstanceUID} study={study} />)}</ul>
        </Part>
      )}
      {receipt.withheld.length > 0 && (
        <Part title="Held back" count={receipt.held} tone="care">
          <p>Nobody can open these. A reviewer decides what becomes of them, in the console under Held.</p>
          <Held items={receipt.withheld} />
        </Part>
      )}
      {receipt.unreadable.length > 0 && (
        <Part title="Could not be read" count={(receipt.fates.unreadable ?? 0) + (receipt.fates.refused ?? 0)} tone="care">
          <p>Images among these are missing. Clean the disc and try another drive, or ask for another copy.</p>
          <Lines items={receipt.unreadable} line={(file) => <><b className={styles['mono']}>{plain(file.path, 120)}</b> {plain(file.text, 200)}</>} />
        </Part>
      )}
      {(receipt.fates.unreached ?? 0) > 0 && (
        <Part title="Not read" count={receipt.fates.unreached ?? 0} tone="care">
          <p>{unreachedWords}</p>
          <Lines items={receipt.unreached} line={(file) => <b className={styles['mono']}>{plain(file.path, 120)}</b>} />
        </Part>
      )}
      {receipt.directories.some(({ absentCount }) => absentCount > 0) && (
        <Part title="Listed on the disc, but not there" count={receipt.directories.reduce((sum, { absentCount }) => sum + absentCount, 0)} tone="care">
          <p>The disc's own table of contents names files that are not on it. If images are missing, ask for another copy.</p>
          <Lines items={receipt.directories.flatMap(({ absent }) => absent)} line={(path) => <b className={styles['mono']}>{plain(path, 120)}</b>} />
        </Part>
      )}
      <Part title="Left behind" count={(receipt.fates.left ?? 0) + (receipt.fates.unscanned ?? 0) + (receipt.fates.link ?? 0) + (receipt.fates.special ?? 0)} none="Nothing else was on it.">
        <p>{leftWords(receipt)}{receipt.left.some(isPacked) && ` ${packedWords}`}</p>
        <Lines items={receipt.left} line={(file) => <><b className={styles['mono']}>{plain(file.path, 120)}</b> {plain(file.what, 60)}{file.fate === 'unscanned' && ', could not be scanned'}{(file.fate === 'link' || file.fate === 'special') && ', not followed'}</>} />
      </Part>
      {receipt.notes.length > 0 && <Part title="About the medium" count={receipt.notes.length}><Lines items={receipt.notes} line={(note) => plain(note, 300)} /></Part>}
      <footer className={styles['foot']}>Drawn up {moment(receipt.at)}. The whole record is in the audit log under the number of the import.</footer>
    </article>
  );
}

const mediumKinds: Readonly<Record<string, string>> = { folder: 'disc, stick or folder', iso9660: 'image of a disc', udf: 'image of a disc', fat: 'image of a stick', zip: 'ZIP file' };
const isHidden = ({ identity }: ReceiptStudy): boolean => identity !== undefined && identity.state !== 'taken';
const isOpen = ({ identity }: ReceiptStudy): boolean => identity?.state === 'waiting' || identity?.state === 'impossible';

function verdictOf(receipt: Receipt, hidden: number): string {
  if (receipt.infected.length > 0 || receipt.malicious > 0) return 'This disc carries malicious software. It was kept out; only clean images came in.';
  if (receipt.state === 'failed') return 'The disc could not be read.';
  const unreached = receipt.fates.unreached ?? 0;
  if (receipt.archived + receipt.held + receipt.waiting === 0) return unreached > 0 ? `Not read to its end: ${counted(unreached, 'file')} ${unreached === 1 ? 'was' : 'were'} not reached, and no image is among the rest.` : 'Read to its end: no image is on it.';
  const rest = [receipt.held > 0 ? `${receipt.held} held back` : '', receipt.unreadable.length > 0 ? `${receipt.unreadable.length} could not be read` : '', unreached > 0 ? `${unreached} not read` : '', hidden > 0 ? `${counted(hidden, 'examination')} out of sight` : ''].filter((text) => text !== '');
  return `${counted(receipt.archived, 'clean image')}${rest.length === 0 ? '. Nothing harmful was found on the disc.' : `, ${rest.join(', ')}.`}`;
}

function leftWords(receipt: Receipt): string {
  const programs = receipt.left.some(({ what }) => /program|autorun/i.test(what));
  return `${programs ? 'The disc’s viewer and what belongs to it stay on the disc' : 'What is no image stays on the disc'}; that is so with nearly every disc. Nothing was found in ${receipt.left.length === 1 ? 'it' : 'them'}${receipt.left.some(({ fate }) => fate === 'unscanned') ? ', as far as they could be scanned' : ''}.`;
}

function Part({ title, count, tone, none, children }: { readonly title: string; readonly count: number; readonly tone?: 'bad' | 'care'; readonly none?: string; readonly children?: React.ReactNode }) {
  return (
    <section className={joined(styles['part'], tone !== undefined && styles[tone])}>
      <h2>{title} <span>{count}</span></h2>
      {count === 0 && none !== undefined ? <p>{none}</p> : children}
    </section>
  );
}

function Came({ study }: { readonly study: ReceiptStudy }) {
  const { identity } = study;
  const servedAs = identity?.servedAs ?? null;
  const kinds = [...new Set(study.series.map(({ modality }) => kindOf(modality)))].join(', ');
  return (
    <li>
      <b>{[kinds, plain(study.description, 100)].filter((text) => text !== '').join(' · ')}</b>{study.date !== '' && `, ${dateOf(study.date)}`}: {counted(study.instances, 'image')}
      <div>
        {servedAs !== null && <>as <b><bdi>{nameOf(servedAs.patientName)}</bdi></b>{numberOf(servedAs.patientID)}{servedAs.accessionNumber !== '' && <>, order <bdi>{plain(servedAs.accessionNumber, 16)}</bdi></>}. On the disc: </>}
        {servedAs === null ? <b><bdi>{nameOf(study.patientName)}</bdi></b> : <bdi>{nameOf(study.patientName)}</bdi>}{numberOf(study.patientID)}
        {identity !== undefined && identity.person !== '' && <>; {servedAs === null && 'as it came, '}said by <bdi>{plain(identity.person, 60)}</bdi> on {moment(identity.at)}</>}
        {identity?.state === 'taking' && <>; being brought in</>}
        {identity?.state === 'impossible' && <>; it cannot come in under that name: {plain(identity.problem, 200)}</>}
        {identity?.state === 'taken' && <a className={styles['screenOnly']} href={viewerAddress(study.studyInstanceUID)} target="_blank" rel="noreferrer">Look at it</a>}
      </div>
    </li>
  );
}
const numberOf = (patientID: string) => (patientID === '' ? null : <>, number <bdi>{plain(patientID, 64)}</bdi></>);

/** By reason: hundreds of images of one series are usually held for one. */
function Held({ items }: { readonly items: readonly ReceiptHeld[] }) {
  const reasons = new Map<string, ReceiptHeld[]>();
  for (const item of items) reasons.set(item.code, [...(reasons.get(item.code) ?? []), item]);
  return (
    <ul className={styles['studies']}>
      {[...reasons].map(([code, held]) => {
        const words = findingWords({ code });
        return (
          <li key={code}>
            <b>{words.title}</b>: {counted(held.length, 'file')}. {words.meaning}
            <div>{words.advice}</div>
            <Lines items={held} line={(item) => <><b className={styles['mono']}>{plain(item.path, 120)}</b> {item.patientName !== '' && <bdi>{nameOf(item.patientName)}</bdi>}</>} />
          </li>
        );
      })}
    </ul>
  );
}

function Lines<Item extends FileFate | ReceiptHeld | string>({ items, line }: { readonly items: readonly Item[]; readonly line: (item: Item) => React.ReactNode }) {
  if (items.length === 0) return null;
  return (
    <ul className={styles['lines']}>
      {items.slice(0, linesMax).map((item, index) => <li key={index}>{line(item)}</li>)}
      {items.length > linesMax && <li>and {items.length - linesMax} more</li>}
    </ul>
  );
}
