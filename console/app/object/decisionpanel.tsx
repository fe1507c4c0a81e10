/** Release or destroy, with a reason; who has decided and who must. */
import { useId, useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { reasonCharactersMax, reasonCharactersMin } from '../../server/answers.ts';
import { api } from '../api.ts';
import { Hidden, Loading, Time, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { TickIcon } from '../parts/icons.tsx';
import { useNow } from '../now.ts';
import { sessionQuery } from '../queries.ts';
import { plain } from '../words/plain.ts';
import { choicesOf, type Choice, type Decision } from './decisions.ts';
import styles from './object.module.css';

export function DecisionPanel({ entry }: { readonly entry: LedgerEntry }) {
  const session = useQuery(sessionQuery);
  const [done, setDone] = useState('');
  if (entry.state !== 'held' && done === '') return null;
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="decision">
      <h2 id="decision">Decision</h2>
      <div role="status">{done !== '' && <p className={styles['done']}>{done}</p>}</div>
      {session.data === undefined ? session.isError ? <Trouble error={session.error} what="It is not known who you are" /> : <Loading rows={2} what="what you may decide" /> : entry.state === 'held' && (
        <div className={styles['choices']}>{choicesOf(entry, session.data).map((choice) => <ChoiceRow key={choice.decision} choice={choice} entry={entry} onDone={setDone} />)}</div>
      )}
      <p className={styles['meanwhile']}><strong>What others see meanwhile:</strong> the sender was told that it arrived. Nobody can find, open or retrieve it. The rest of the study is available as soon as it is found clean.</p>
    </section>
  );
}

function ChoiceRow({ choice, entry, onDone }: { readonly choice: Choice; readonly entry: LedgerEntry; readonly onDone: (text: string) => void }) {
  const now = useNow();
  const dialog = useRef<HTMLDialogElement>(null);
  const about = useId();
  const { proposal, step, decision } = choice;
  return (
    <div className={styles['choice']}>
      {proposal !== null && <p className={styles['proposal']}><strong><bdi>{plain(proposal.person, 64)}</bdi></strong> proposed to {decision} it <Time at={proposal.proposedAt} now={now} />: <q><bdi>{plain(proposal.reason)}</bdi></q></p>}
      {step !== 'alone' && (
        <p className={styles['steps']}>
          <i {...(proposal === null ? {} : { 'data-done': '' })} aria-hidden="true">{proposal === null ? '1' : <TickIcon size={10} />}</i> proposed <span aria-hidden="true">→</span> <i aria-hidden="true">2</i> confirmed by somebody else
        </p>
      )}
      <button type="button" className={joined(partStyles['button'], decision === 'destroy' && partStyles['danger'])} disabled={!choice.enabled} aria-describedby={about} onClick={() => dialog.current?.showModal()}>{choice.button}…</button>
      <p id={about}>{choice.sentence}</p>
      {choice.enabled && <ReasonDialog dialog={dialog} choice={choice} entry={entry} onDone={onDone} />}
    </div>
  );
}

const headings: Readonly<Record<Decision, string>> = { release: 'Release this object', destroy: 'Destroy this object' };
const consequences: Readonly<Record<Decision, string>> = {
  release: 'It goes to the archive as it is, can be opened by everyone with access, and is passed on. Its verdict stays on the record.',
  destroy: 'Its bytes are gone for good. The record of it, your names and reasons remain.',
};

function ReasonDialog({ dialog, choice, entry, onDone }: { readonly dialog: React.RefObject<HTMLDialogElement | null>; readonly choice: Choice; readonly entry: LedgerEntry; readonly onDone: (text: string) => void }) {
  const [reason, setReason] = useState('');
  const title = useId();
  const queryClient = useQueryClient();
  const missing = reasonCharactersMin - reason.trim().length;
  const mutation = useMutation({
    mutationFn: () => api.decide(entry.objectId, choice.decision, reason.trim()),
    onSuccess: async (answer) => {
      onDone(answer.outcome === 'proposed' ? `Proposed to ${choice.decision}. Somebody else must confirm it.` : choice.decision === 'release' ? 'Released. It is on its way to the archive.' : 'Destroyed.');
      queryClient.setQueryData(['object', entry.objectId], answer.entry);
      setReason('');
      dialog.current?.close();
      await Promise.all([queryClient.invalidateQueries({ queryKey: ['list'] }), queryClient.invalidateQueries({ queryKey: ['status'] })]);
    },
  });
  return (
    <dialog ref={dialog} className={styles['dialog']} aria-labelledby={title} onClose={() => mutation.reset()}>
      <form onSubmit={(event) => { event.preventDefault(); if (missing <= 0 && !mutation.isPending) mutation.mutate(); }}>
        <div>
          <h2 id={title}>{choice.step === 'propose' ? `Propose: ${headings[choice.decision].toLowerCase()}` : headings[choice.decision]}</h2>
          <p>{consequences[choice.decision]} {choice.sentence}</p>
        </div>
        <label>
          Reason
          <textarea value={reason} maxLength={reasonCharactersMax} required onChange={(event) => setReason(event.target.value)} placeholder="Why, for whom, who was asked" />
        </label>
        <p className={styles['note']} role="status">{missing > 0 ? `At least ${reasonCharactersMin} characters: it is read by people who were not here.` : 'It goes on the record with your name.'}</p>
        {mutation.isError && <Trouble error={mutation.error} what="Nothing was decided" />}
        <div className={styles['buttons']}>
          <button type="button" className={partStyles['button']} onClick={() => dialog.current?.close()}>Cancel</button>
          <button type="submit" className={joined(partStyles['button'], choice.decision === 'destroy' || entry.verdict === 'malicious' ? styles['fill'] : partStyles['primary'])} disabled={missing > 0 || mutation.isPending}>{mutation.isPending ? <>Working…<Hidden> please wait</Hidden></> : choice.button}</button>
        </div>
      </form>
    </dialog>
  );
}
