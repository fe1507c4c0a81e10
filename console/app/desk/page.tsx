/** The import desk: discs that are on their way, and what came before. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import { Hidden, Loading, Time, Trouble, joined } from '../parts/parts.tsx';
import { VerdictIcon } from '../parts/icons.tsx';
import { useNow } from '../now.ts';
import { plain } from '../words/plain.ts';
import { isInfected } from './alert.tsx';
import { OpenUploadCard, SendingCard } from './card.tsx';
import { NextMark } from './marks.tsx';
import { PutIn } from './putin.tsx';
import { importsQuery, uploadsQuery } from './requests.ts';
import { isActive, useSendings } from './sending/senders.ts';
import { mediumName, stateOf, summaryOf } from './words.ts';
import styles from './desk.module.css';

export function DeskPage() {
  const sendings = useSendings();
  const uploads = useQuery(uploadsQuery);
  const imports = useQuery(importsQuery);
  const mine = new Set(sendings.map(({ upload }) => upload));
  const shown = new Set(sendings.map((sending) => sending.import));
  const others = (uploads.data ?? []).filter(({ upload, have, files }) => !mine.has(upload) && have.reduce((sum, [from, to]) => sum + to - from + 1, 0) < files);
  const cards = sendings.length + others.length;
  return (
    <div className={styles['desk']}>
      <title>Import · Lazaret</title>
      <div className={styles['heading']}>
        <h1>Import a disc</h1>
        <p>{sendings.some(isActive) ? 'Leave this window open and the disc in until it is sent.' : 'Put it in, see what is on it, say whose it is, print the receipt.'}</p>
      </div>
      <PutIn small={cards > 0} />
      {cards > 0 && (
        <section className={styles['cards']} aria-label="Discs on their way">
          {sendings.map((sending) => <SendingCard key={sending.number} sending={sending} />)}
          {others.map((upload) => <OpenUploadCard key={upload.upload} upload={upload} />)}
        </section>
      )}
      <section aria-labelledby="recent" className={styles['recent']}>
        <h2 id="recent">Imported lately</h2>
        {imports.isError && <Trouble error={imports.error} what="Earlier imports cannot be shown" retry={() => void imports.refetch()} />}
        {imports.isPending && <Loading rows={3} what="earlier imports" />}
        {imports.data !== undefined && <Recent imports={imports.data.filter(({ id }) => !shown.has(id))} any={imports.data.length > 0} />}
      </section>
    </div>
  );
}

function Recent({ imports, any }: { readonly imports: readonly ImportStatus[]; readonly any: boolean }) {
  const now = useNow();
  if (imports.length === 0) return <p className={styles['none']}>{any ? 'Nothing else.' : 'Nothing yet. Every disc that was imported is listed here with its receipt.'}</p>;
  return <ul className={styles['list']}>{imports.map((status) => <RecentRow key={status.id} status={status} now={now} />)}</ul>;
}

function RecentRow({ status, now }: { readonly status: ImportStatus; readonly now: number }) {
  const infected = isInfected(status);
  const careful = status.held > 0 || status.state === 'failed' || status.state === 'interrupted' || (status.fates.unreadable ?? 0) + (status.fates.unreached ?? 0) + (status.fates.refused ?? 0) > 0;
  const waiting = status.unreconciled > 0;
  const to = waiting || status.state !== 'settled' ? '/desk/$import' : '/desk/$import/receipt';
  return (
    <li>
      <Link to={to} params={{ import: status.id }} className={styles['row']}>
        <span className={joined(styles['rowMark'], infected ? styles['bad'] : careful ? styles['care'] : styles['good'])}><VerdictIcon verdict={infected ? 'malicious' : careful ? 'malformed' : 'clean'} size={22} /></span>
        <span className={styles['rowText']}>
          <strong><bdi>{mediumName(status)}</bdi></strong>
          <span>{infected && <b className={styles['badText']}>Infected. </b>}{status.state === 'settled' ? summaryOf(status) : stateOf(status)}</span>
        </span>
        <span className={styles['rowWhen']}><Time at={status.begunAt} now={now} /><span>by <bdi>{plain(status.person, 40)}</bdi></span></span>
        <span className={styles['rowNext']}>{waiting ? <em>Say whose it is</em> : status.state === 'settled' ? 'Receipt' : 'Open'}<Hidden> of {mediumName(status)}</Hidden><NextMark /></span>
      </Link>
    </li>
  );
}
