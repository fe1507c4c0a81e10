/** One disc that is on its way: its name, how far it is, what is on it, and the one thing to do next. */
import { useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { UploadState } from '../../server/deskanswers.ts';
import { joined, Hidden } from '../parts/parts.tsx';
import { counted, whole } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { InfectedAlert, isInfected, UnreachedNote, UnreadableNote } from './alert.tsx';
import { patientsOf } from './candidates.ts';
import { SeriesPicture } from './contents.tsx';
import { DiscMark, NextMark } from './marks.tsx';
import { Progress } from './progress.tsx';
import { cancelUpload, importQuery, isMoving, receiptQuery, useStudies } from './requests.ts';
import { cancelSending, dismiss, hurry, isActive } from './sending/senders.ts';
import type { Sending } from './sending/sender.ts';
import { cancelledWords, mediumName, nameOf, stateOf, summaryOf } from './words.ts';
import styles from './desk.module.css';

const picturesMax = 6;

export function SendingCard({ sending }: { readonly sending: Sending }) {
  const status = useQuery(importQuery(sending.import));
  const moving = isActive(sending) || isMoving(status.data);
  const infected = isInfected(status.data);
  const troubled = infected || (status.data?.fates.unreadable ?? 0) > 0;
  const receipt = useQuery({ ...receiptQuery(sending.import, moving), enabled: sending.import !== '' && troubled });
  const studies = useStudies(sending.import, moving);
  const name = status.data === undefined || status.data.medium.label === '' ? plain(sending.name, 80) : mediumName(status.data);
  const patients = patientsOf(studies.data ?? []);
  const waiting = (studies.data ?? []).filter(({ state }) => state === 'waiting' || state === 'impossible').length;
  const over = !moving;
  return (
    <article className={joined(styles['card'], infected && styles['cardInfected'])} aria-label={`Disc ${name}`}>
      <header className={styles['cardHead']}>
        <span className={joined(styles['spin'], moving && styles['spinning'])}><DiscMark size={34} /></span>
        <div>
          <h2><bdi>{name}</bdi></h2>
          <p role="status">{phaseWords(sending, status.data === undefined ? '' : stateOf(status.data))}</p>
        </div>
        {isActive(sending) && <Cancel name={name} onCancel={() => void cancelSending(sending.number)} />}
        {!isActive(sending) && (sending.phase !== 'sent' || over) && <button type="button" className={styles['quiet']} onClick={() => dismiss(sending.number)}>Hide<Hidden> {name}</Hidden></button>}
      </header>
      {infected && status.data !== undefined && <InfectedAlert status={status.data} receipt={receipt.data} />}
      {sending.phase === 'waiting' && (
        <div className={styles['cautionBox']} role="status">
          <div>
            <h2>{sending.signedOut ? 'You are signed out' : 'The connection is lost'}</h2>
            <p>{sending.signedOut ? <>Nothing is lost. <a href="/sign-in?to=/console/desk" target="_blank" rel="noreferrer">Sign in in another window</a>; sending then goes on here.</> : <>{plain(sending.problem)} It is tried again by itself. What was sent is not lost; leave the disc in.</>}</p>
            <button type="button" className={styles['button']} onClick={hurry}>Try now</button>
          </div>
        </div>
      )}
      {sending.phase === 'failed' && <div className={styles['cautionBox']} role="alert"><div><h2>It could not be sent</h2><p>{plain(sending.problem)}</p></div></div>}
      {status.data?.state === 'failed' && <div className={styles['cautionBox']} role="alert"><div><h2>It could not be read</h2><p>{plain(status.data.problem)}</p></div></div>}
      {sending.phase !== 'cancelled' && sending.phase !== 'failed' && moving && <Progress sending={sending} status={status.data} name={name} />}
      {sending.import !== '' && patients.length > 0 && (
        <div className={styles['glance']}>
          <p>{patients.length > 1 && <strong>{patients.length} patients: </strong>}{patients.map(({ key, received }, index) => <span key={key}>{index > 0 && ' and '}<strong><bdi>{nameOf(received.patientName)}</bdi></strong></span>)} · {counted(studies.data!.length, 'examination')} · {counted(studies.data!.reduce((sum, { instances }) => sum + instances, 0), 'image')}</p>
          <ul className={styles['pictures']}>{studies.data!.flatMap(({ series }) => series).slice(0, picturesMax).map((series) => <li key={series.seriesInstanceUID}><SeriesPicture series={series} /></li>)}</ul>
        </div>
      )}
      <UnreadableNote sending={sending} receipt={receipt.data} />
      <UnreachedNote status={status.data} />
      {over && status.data?.state === 'settled' && <p className={styles['summary']}>{summaryOf(status.data)}</p>}
      {sending.import !== '' && status.data !== undefined && (status.data.state === 'settled' || patients.length > 0) && (
        <div className={styles['buttons']}>
          {waiting > 0 && <Link to="/desk/$import" params={{ import: sending.import }} className={joined(styles['button'], styles['primary'])}>Say whose it is<Hidden>: {name}</Hidden><NextMark /></Link>}
          {waiting === 0 && patients.length > 0 && <Link to="/desk/$import" params={{ import: sending.import }} className={styles['button']}>Open<Hidden> {name}</Hidden></Link>}
          {status.data.state === 'settled' && <Link to="/desk/$import/receipt" params={{ import: sending.import }} className={joined(styles['button'], waiting === 0 && styles['primary'])}>Receipt<Hidden> of {name}</Hidden></Link>}
        </div>
      )}
    </article>
  );
}

function phaseWords(sending: Sending, state: string): string {
  switch (sending.phase) {
    case 'preparing': return 'Getting ready to send';
    case 'sending': case 'waiting': return state === '' || state.startsWith('Stopped') ? 'Sending' : `Sending · ${state.toLowerCase()}`;
    case 'sent': return state.startsWith('Stopped') ? 'Scanning goes on in a moment' : state || 'Sent; waiting for its turn';
    case 'cancelled': return cancelledWords(sending);
    case 'failed': return 'Stopped';
  }
}

function Cancel({ name, onCancel }: { readonly name: string; readonly onCancel: () => void }) {
  const [sure, setSure] = useState(false);
  if (!sure) return <button type="button" className={styles['quiet']} onClick={() => setSure(true)}>Cancel<Hidden> {name}</Hidden></button>;
  return (
    <span className={styles['sure']}>
      <button type="button" className={styles['button']} onClick={() => setSure(false)}>Go on</button>
      <button type="button" className={joined(styles['button'], styles['danger'])} onClick={onCancel}>Stop sending<Hidden> {name}</Hidden></button>
    </span>
  );
}

/** Begun in another window, or before this page was closed: the same disc given again goes on. */
export function OpenUploadCard({ upload }: { readonly upload: UploadState }) {
  const queryClient = useQueryClient();
  const cancel = useMutation({ mutationFn: () => cancelUpload(upload.upload), onSettled: () => queryClient.invalidateQueries({ queryKey: ['desk'] }) });
  const have = upload.have.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const name = plain(upload.name, 80);
  return (
    <article className={styles['card']} aria-label={`Unfinished disc ${name}`}>
      <header className={styles['cardHead']}>
        <span className={styles['spin']}><DiscMark size={34} /></span>
        <div>
          <h2><bdi>{name}</bdi></h2>
          <p>Not sent to the end: {whole(have)} of {counted(upload.files, 'file')} {have === 1 ? 'is' : 'are'} here.</p>
        </div>
        <Cancel name={name} onCancel={() => cancel.mutate()} />
      </header>
      <p className={styles['summary']}>Give the same disc again: it goes on where it was. If it is being sent in another window, leave that open.</p>
    </article>
  );
}
