/** Asking the sender again: on the record, with the text to send; what came since is shown as the answer. */
import { useRef } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { resendText } from '@lazaret/pacs/quarantine/resendtext.ts';
import { askSender } from '../held/requests.ts';
import groupStyles from '../held/groups.module.css';
import { Copy, StateChip, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { sessionQuery } from '../queries.ts';
import { moment } from '../words/amounts.ts';
import { findingWords } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import styles from './object.module.css';

export function ResendPanel({ entry }: { readonly entry: LedgerEntry }) {
  const session = useQuery(sessionQuery);
  const dialog = useRef<HTMLDialogElement>(null);
  const queryClient = useQueryClient();
  const mutation = useMutation({ mutationFn: () => askSender(entry), onSuccess: () => queryClient.invalidateQueries({ queryKey: ['object', entry.objectId] }) });
  const roles = session.data?.roles ?? [];
  if (entry.state !== 'held' || (entry.withdrawal ?? null) !== null) return null;
  const asked = entry.asked ?? null;
  const decides = roles.includes('reviewer') || roles.includes('security');
  if (asked === null && !decides && (entry.answerTo ?? null) === null) return null;
  const text = resendText(entry, [...new Set(entry.findings.map(({ code }) => code))].map((code) => findingWords({ code })));
  const show = (): void => {
    if (asked === null && !mutation.isPending) mutation.mutate();
    dialog.current?.showModal();
  };
  return (
    <section className={joined(partStyles['card'], styles['card'], groupStyles['asked'])} aria-labelledby="resend">
      <h2 id="resend">Ask the sender again</h2>
      {(entry.answerTo ?? null) !== null && <p>This came after the sender was asked for <Link to="/objects/$objectId" params={{ objectId: entry.answerTo! }}>an earlier object</Link> again. If it is the right one, release this one and have the other destroyed.</p>}
      {asked !== null && (
        <>
          <p><bdi>{plain(asked.person, 64)}</bdi> asked for it again, {moment(asked.at)}.{asked.answers.length === 0 && asked.sameBytesAt === null && ' Nothing came since.'}</p>
          {asked.sameBytesAt !== null && <p>The very same bytes came again, {moment(asked.sameBytesAt)}.</p>}
          {asked.answers.length > 0 && <ul>{asked.answers.map((answer) => <li key={answer.objectId}><Link to="/objects/$objectId" params={{ objectId: answer.objectId }}>The answer of {moment(answer.at)}</Link> <StateChip state={answer.state} /> {answer.clean ? 'nothing found in it' : 'not clean either'}</li>)}</ul>}
        </>
      )}
      {mutation.isError && <Trouble error={mutation.error} what="That it is asked again could not be put on the record" />}
      {decides && <button type="button" className={partStyles['button']} onClick={show}>{asked === null ? 'Ask again…' : 'Show the text…'}</button>}
      {decides && (
        <dialog ref={dialog} className={styles['dialog']} aria-labelledby="resend-text">
          <div className={groupStyles['asked']}>
            <h2 id="resend-text">What to send</h2>
            <p>It says what arrived, when and why it is held, by UIDs and without the patient’s name. That you ask is on the record; what then comes from there under the same UID is shown here.</p>
            <textarea readOnly aria-label="Text of the request" value={`${text.subject}\n\n${text.body}`} />
            <div className={styles['buttons']}>
              <Copy value={`${text.subject}\n\n${text.body}`} shown="Copy the text" what="the text" />
              <a className={partStyles['button']} href={text.mailto}>Write a mail</a>
              <button type="button" className={joined(partStyles['button'], partStyles['primary'])} onClick={() => dialog.current?.close()}>Close</button>
            </div>
          </div>
        </dialog>
      )}
    </section>
  );
}
