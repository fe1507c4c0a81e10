/** The archive inspected again: how far it is, what it found; an administrator pauses and resumes it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RescanStatus } from '@lazaret/pacs/quarantine/requests.ts';
import { api } from '../api.ts';
import { Trouble, joined, partStyles } from '../parts/parts.tsx';
import { sessionQuery, statusQuery } from '../queries.ts';
import { counted, moment, size, whole } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import styles from './status.module.css';

export function RescanTile({ rescan }: { readonly rescan: RescanStatus | null }) {
  const session = useQuery(sessionQuery);
  const client = useQueryClient();
  const steer = useMutation({ mutationFn: api.rescan, onSettled: () => client.invalidateQueries({ queryKey: statusQuery.queryKey }) });
  const may = session.data?.roles.includes('administrator') === true;
  const open = rescan !== null && (rescan.state === 'running' || rescan.state === 'paused');
  const button = (what: Parameters<typeof api.rescan>[0], words: string) => <button type="button" className={joined(partStyles['button'], partStyles['small'])} disabled={steer.isPending} onClick={() => steer.mutate(what)}>{words}</button>;
  return (
    <section className={joined(partStyles['card'], styles['tile'], styles['full'])} aria-labelledby="rescan">
      <h2 id="rescan">Archive inspected again</h2>
      {rescan === null ? <p className={styles['soft']}>Not yet. It starts by itself when signatures change, and takes only examiners that have nothing else to do.</p> : <Progress rescan={rescan} />}
      {steer.isError && <Trouble error={steer.error} what="That could not be done" />}
      {may && (
        <p className={styles['actions']}>
          {rescan?.state === 'running' && button('pause', 'Pause')}
          {rescan?.state === 'paused' && button('resume', 'Resume')}
          {open ? button('stop', 'Stop') : button('start', 'Inspect the whole archive again')}
        </p>
      )}
    </section>
  );
}

const stateWords = { running: 'Under way', paused: 'Paused', done: 'Done', stopped: 'Stopped' } as const;

function Progress({ rescan }: { readonly rescan: RescanStatus }) {
  const { objects, bytes, remaining, objectsPerSecond, bytesPerSecond, withdrawn } = rescan;
  const open = rescan.state === 'running' || rescan.state === 'paused';
  const share = remaining === null || bytes + remaining.bytes === 0 ? (open ? 0 : 100) : (100 * bytes) / (bytes + remaining.bytes);
  const scope = [rescan.study === '' ? 'the whole archive' : `Study ${plain(rescan.study, 64)}`, rescan.since === 0 ? '' : `received since ${moment(rescan.since)}`].filter((text) => text !== '').join(', ');
  return (
    <>
      <p><span className={styles['big']}>{stateWords[rescan.state]}</span>: {scope}, newest first, {rescan.reason === 'signatures' ? 'since the signatures changed' : <>asked for by <bdi>{plain(rescan.person, 60)}</bdi></>}, {moment(rescan.startedAt)}</p>
      {open && (
        <svg className={styles['meter']} viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`${Math.floor(share)} % done`}>
          <rect className={styles['meterGround']} width={100} height={10} />
          <rect className={styles['meterUsed']} width={share} height={10} />
        </svg>
      )}
      <p className={styles['soft']}>
        {counted(objects, 'object')}, {size(bytes)} done
        {open && (remaining === null ? '; counting what is left' : `; ${whole(remaining.objects)}, ${size(remaining.bytes)} left`)}
        {rescan.state === 'running' && objectsPerSecond > 0 && `; ${objectsPerSecond < 10 ? objectsPerSecond.toFixed(1) : whole(objectsPerSecond)} a second`}
        {rescan.state === 'running' && remaining !== null && bytesPerSecond > 0 && `, about ${duration(remaining.bytes / bytesPerSecond)}`}
      </p>
      <p>{withdrawn === 0 ? 'Nothing was found.' : <><strong>{counted(withdrawn, 'object')} taken out of sight.</strong> <Link to="/held">Held</Link> has them, with the way to their trace.</>}</p>
      {rescan.problem !== '' && <p className={styles['soft']}>It does not get on: {plain(rescan.problem)}. It is tried again by itself.</p>}
    </>
  );
}

function duration(seconds: number): string {
  if (seconds < 90) return counted(Math.max(1, Math.round(seconds)), 'second');
  if (seconds < 5_400) return counted(Math.round(seconds / 60), 'minute');
  return seconds < 172_800 ? counted(Math.round(seconds / 3_600), 'hour') : counted(Math.round(seconds / 86_400), 'day');
}
