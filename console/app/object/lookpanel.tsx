/** Look at a held object safely: break the glass with a reason, then pictures from the sandbox, for some minutes. */
import { useCallback, useEffect, useId, useRef, useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import type { LookAnswer, RenderRequest } from '@lazaret/pacs/quarantine/requests.ts';
import { reasonCharactersMax, reasonCharactersMin } from '../../server/answers.ts';
import type { RequestFailure } from '../api.ts';
import { useNow } from '../now.ts';
import { Hidden, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { sessionQuery } from '../queries.ts';
import { whole } from '../words/amounts.ts';
import { closeLook, frameOf, openLook, presets } from './lookrequests.ts';
import styles from './look.module.css';

export function LookPanel({ entry }: { readonly entry: LedgerEntry }) {
  const session = useQuery(sessionQuery);
  const [look, setLook] = useState<LookAnswer | null>(null);
  const [over, setOver] = useState('');
  const end = useCallback((why: string): void => {
    setLook(null);
    setOver(why);
  }, []);
  if (entry.state !== 'held' || session.data === undefined) return null;
  const { roles } = session.data;
  const may = entry.verdict === 'malicious' ? roles.includes('security') : roles.includes('reviewer') || roles.includes('security');
  return (
    <section className={joined(partStyles['card'], styles['panel'])} aria-labelledby="look">
      <h2 id="look">Look at it safely</h2>
      {look === null ? (
        <>
          <p className={styles['about']}>Pictures are made in a sandbox and shown here; the file itself never leaves the quarantine. Say why you must see it: that goes on the record, and the look ends by itself after five minutes.</p>
          <div role="status">{over !== '' && <p className={styles['over']}>{over}</p>}</div>
          {may ? <BreakGlass objectId={entry.objectId} onOpen={(opened) => { setOver(''); setLook(opened); }} /> : <p className={styles['refused']}>{entry.verdict === 'malicious' ? 'It was found malicious: only somebody with the role security may look at it.' : 'Your account may not decide on held objects, so it may not look into them: that takes the role reviewer or security.'}</p>}
        </>
      ) : <Viewer key={look.look} entry={entry} look={look} onOver={end} />}
    </section>
  );
}

function BreakGlass({ objectId, onOpen }: { readonly objectId: string; readonly onOpen: (look: LookAnswer) => void }) {
  const [reason, setReason] = useState('');
  const note = useId();
  const missing = reasonCharactersMin - reason.trim().length;
  const mutation = useMutation({ mutationFn: () => openLook(objectId, reason.trim()), onSuccess: onOpen });
  return (
    <form className={styles['glass']} onSubmit={(event) => { event.preventDefault(); if (missing <= 0 && !mutation.isPending) mutation.mutate(); }}>
      <label>
        Why must you see it?
        <textarea value={reason} rows={2} maxLength={reasonCharactersMax} required aria-describedby={note} onChange={(event) => setReason(event.target.value)} placeholder="Why, for whom, who was asked" />
      </label>
      <p id={note} className={styles['note']} role="status">{missing > 0 ? `At least ${reasonCharactersMin} characters: it is read by people who were not here.` : 'It goes on the record with your name, as an emergency override.'}</p>
      {mutation.isError && <Trouble error={mutation.error} what="It is not shown" />}
      <button type="submit" className={joined(partStyles['button'], styles['break'])} disabled={missing > 0 || mutation.isPending}>{mutation.isPending ? <>Opening…<Hidden> please wait</Hidden></> : 'Break the glass and look'}</button>
    </form>
  );
}

/** Frames passed over while a finger moves the slider are not asked for. */
const settleMs = 150;

function Viewer({ entry, look, onOver }: { readonly entry: LedgerEntry; readonly look: LookAnswer; readonly onOver: (why: string) => void }) {
  const now = useNow(1_000);
  const canvas = useRef<HTMLCanvasElement>(null);
  const heading = useRef<HTMLParagraphElement>(null);
  const slider = useId();
  const [frame, setFrame] = useState(0);
  const [frames, setFrames] = useState(0);
  const [window, setWindow] = useState<RenderRequest['window']>(null);
  const [state, setState] = useState<'making' | 'shown' | string>('making');
  const secondsLeft = Math.max(0, Math.ceil((look.until - now) / 1_000));
  const isOver = secondsLeft === 0;

  useEffect(() => heading.current?.focus(), []);
  useEffect(() => { if (isOver) onOver('The five minutes are over. Say again why you need to see it.'); }, [isOver, onOver]);
  // Leaving the page ends the look: the record says how long it was.
  useEffect(() => () => void closeLook(entry.objectId, look.look).catch(() => undefined), [entry.objectId, look.look]);
  useEffect(() => {
    const gone = new AbortController();
    setState('making');
    const timer = setTimeout(() => {
      const show = async (): Promise<void> => {
        const { picture, frames: count } = await frameOf(entry.objectId, look.look, frame, window, gone.signal);
        const bitmap = await createImageBitmap(picture);
        const target = canvas.current;
        if (gone.signal.aborted || target === null) return;
        target.width = bitmap.width;
        target.height = bitmap.height;
        target.getContext('2d')?.drawImage(bitmap, 0, 0);
        setFrames(count);
        setState('shown');
      };
      show().catch((error: unknown) => {
        if (gone.signal.aborted) return;
        if ((error as RequestFailure).code === 'look-over') onOver((error as Error).message);
        else setState((error as Error).message);
      });
    }, settleMs);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [entry.objectId, look.look, frame, window, onOver]);

  const failed = state !== 'making' && state !== 'shown';
  const offered = presets.filter(({ only }) => only === undefined || only === entry.modality);
  // 0 asks for the one in the middle: of a volume it shows most.
  const shownFrame = frame === 0 ? Math.floor(frames / 2) + 1 : frame;
  return (
    <>
      <p ref={heading} tabIndex={-1} className={styles['banner']}><strong>HELD – not for diagnosis.</strong> <span>{Math.floor(secondsLeft / 60)}:{String(secondsLeft % 60).padStart(2, '0')} left</span></p>
      <figure className={styles['frame']} data-state={failed ? 'failed' : state}>
        <canvas ref={canvas} role="img" hidden={failed} aria-label={frames > 0 ? `Frame ${shownFrame} of ${frames} of the held object` : 'The held object'} />
        {failed && <p className={styles['impossible']}><strong>It cannot be shown as a picture.</strong> {state} The file map below says what is in it.</p>}
        <figcaption><span role="status">{state === 'making' ? 'The sandbox makes the picture…' : failed ? '' : `Frame ${whole(shownFrame)} of ${whole(frames)}`}</span></figcaption>
      </figure>
      {frames > 1 && (
        <div className={styles['slider']}>
          <label htmlFor={slider}>Frame</label>
          <input id={slider} type="range" min={1} max={frames} value={shownFrame} aria-valuetext={`${shownFrame} of ${frames}`} onChange={(event) => setFrame(Number(event.target.value))} />
        </div>
      )}
      {!failed && offered.length > 1 && (
        <fieldset className={styles['presets']}>
          <legend>Window</legend>
          {offered.map((preset) => (
            <label key={preset.name}><input type="radio" name={`${slider}-window`} checked={window === preset.window} onChange={() => setWindow(preset.window)} />{preset.name}</label>
          ))}
        </fieldset>
      )}
      <button type="button" className={joined(partStyles['button'], styles['close'])} onClick={() => onOver('You closed it.')}>Close it again</button>
    </>
  );
}
