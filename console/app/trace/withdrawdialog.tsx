/** Takes what was traced out of sight: first what it would take and who has seen it, then why, then how far it is. */
import { useId, useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Selection, WithdrawalPreview, WithdrawalStatus } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import { Loading, PatientName, Text, Trouble, joined, partStyles } from '../parts/parts.tsx';
import dialogStyles from '../object/object.module.css';
import { sessionQuery } from '../queries.ts';
import { counted, moment, size, whole } from '../words/amounts.ts';
import { Progress } from './progress.tsx';
import { lacking, Reason } from './reason.tsx';
import { isMoving, previewQuery, withdraw, withdrawalQuery } from './requests.ts';
import styles from './withdraw.module.css';

export interface Extent {
  readonly name: string;
  readonly selection: Selection;
}

/** `extents`: what can be taken, the likeliest first, as it is when the dialog is opened: what somebody looks at stays the same while they do. */
export function Withdraw({ extents }: { readonly extents: () => readonly Extent[] }) {
  const session = useQuery(sessionQuery);
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState<readonly Extent[]>([]);
  const roles = session.data?.roles ?? [];
  if (!roles.includes('reviewer') && !roles.includes('security')) return null;
  return (
    <>
      <button type="button" className={joined(partStyles['button'], partStyles['danger'])} onClick={() => { setOpen(extents()); dialog.current?.showModal(); }}>Withdraw…</button>
      <dialog ref={dialog} className={joined(dialogStyles['dialog'], styles['dialog'])} aria-label="Take out of sight" onClose={() => setOpen([])}>
        {open.length > 0 && <Steps extents={open} onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

function Steps({ extents, onClose }: { readonly extents: readonly Extent[]; readonly onClose: () => void }) {
  const [chosen, setChosen] = useState(0);
  const [known, setKnown] = useState(false);
  const [reason, setReason] = useState('');
  const [ordered, setOrdered] = useState<WithdrawalStatus | null>(null);
  const queryClient = useQueryClient();
  const name = useId();
  const extent = extents[chosen] ?? extents[0]!;
  const selection: Selection = extent.selection.kind === 'import' ? { ...extent.selection, known } : extent.selection;
  const preview = useQuery(previewQuery(selection, ordered === null));
  const mutation = useMutation({
    mutationFn: () => withdraw(selection, reason.trim()),
    onSuccess: async (status) => {
      setOrdered(status);
      await queryClient.invalidateQueries({ queryKey: ['withdrawals'] });
    },
  });
  if (ordered !== null) return <Ordered first={ordered} onClose={onClose} />;
  const count = (preview.data?.objects ?? 0) + (preview.data?.waiting ?? 0);
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (lacking(reason) <= 0 && !mutation.isPending && count > 0) mutation.mutate(); }}>
      <div>
        <h2>Take out of sight</h2>
        <p>At once nobody can find, open or retrieve it. Nothing is deleted: it can be brought back until two people destroy it.</p>
      </div>
      {extents.length === 1 && <p><strong><bdi>{extent.name}</bdi></strong></p>}
      {extents.length > 1 && (
        <fieldset className={styles['extents']}>
          <legend>What to take</legend>
          {extents.map((each, index) => (
            <label key={each.name}><input type="radio" name={name} checked={index === chosen} onChange={() => setChosen(index)} /> {each.name}</label>
          ))}
        </fieldset>
      )}
      {extent.selection.kind === 'import' && <label className={styles['known']}><input type="checkbox" checked={known} onChange={(event) => setKnown(event.target.checked)} /> Also what was on the medium and here before it</label>}
      {preview.isError ? <Trouble error={preview.error} what="It is not known what this would take" retry={() => void preview.refetch()} /> : preview.data === undefined ? <Loading rows={3} what="what it would take" /> : <Shown preview={preview.data} />}
      <Reason
        reason={reason} onReason={setReason} placeholder="What happened, who decided it, what is to be done next" action={count > 0 ? `Withdraw ${counted(count, 'object')}` : 'Nothing to withdraw'} grave ready={count > 0 && !preview.isFetching}
        working={mutation.isPending} error={mutation.error} trouble="Nothing was withdrawn" onCancel={onClose}
      />
    </form>
  );
}

const listedMax = 6;

function Shown({ preview }: { readonly preview: WithdrawalPreview }) {
  const notes = [
    preview.unseen > 0 ? `${whole(preview.unseen)} of them wait for somebody to say whose they are, and are not seen yet.` : '', preview.waiting > 0 ? `${counted(preview.waiting, 'object')} in inspection: held instead of archived.` : '',
    preview.held > 0 ? `${counted(preview.held, 'object')} held already${preview.heldMalicious > 0 ? `, ${whole(preview.heldMalicious)} of them malicious` : ''}: nothing changes there.` : '', preview.malicious > 0 ? `${counted(preview.malicious, 'object')} found malicious and released before: bringing them back takes somebody else than you.` : '',
    preview.known > 0 ? `${counted(preview.known, 'object')} on the medium came from elsewhere before, and stay.` : '', preview.alsoFrom > 0 ? `${counted(preview.alsoFrom, 'object')} were sent by another source, too.` : '',
  ].filter((text) => text !== '');
  return (
    <div className={styles['preview']}>
      <dl className={styles['totals']}>
        <div><dt>Objects</dt><dd>{whole(preview.objects)}</dd></div>
        <div><dt>Patients</dt><dd>{whole(preview.patients)}</dd></div>
        <div><dt>Studies</dt><dd>{whole(preview.studyCount)}</dd></div>
        <div><dt>Bytes</dt><dd>{size(preview.bytes)}</dd></div>
      </dl>
      <div className={styles['lists']}>
        <section aria-label="Studies">
          <h3>Studies</h3>
          <ul>{preview.studies.slice(0, listedMax).map((study) => (
            <li key={study.studyInstanceUID}><strong><PatientName name={study.patientName} id={study.patientID} /></strong><span><Text max={60}>{[study.modality, study.description].filter((text) => text !== '').join(' · ') || 'study not known'}</Text> · {counted(study.objects, 'object')}</span></li>
          ))}</ul>
          {preview.studyCount > listedMax && <p>and {whole(preview.studyCount - listedMax)} more</p>}
        </section>
        <section aria-label="Who has seen it">
          <h3>Who has seen it</h3>
          {preview.accesses.length === 0 ? <p>Nobody, as far as the record goes.</p> : (
            <ul>{preview.accesses.slice(0, listedMax).map((access, index) => (
              <li key={index}><strong><Text max={50}>{access.kind === 'sent' ? access.destination : access.person}</Text></strong><span>{access.kind === 'sent' ? 'was sent it' : access.kind === 'exported' ? 'took it out of the vault' : 'opened it'}{access.count > 1 && `, ${counted(access.count, 'time')}`} · {moment(access.last)}</span></li>
            ))}</ul>
          )}
          {preview.accesses.length > listedMax && <p>and {whole(preview.accesses.length - listedMax)}{preview.cut.includes('accesses') && ' or'} more; the trace names them</p>}
        </section>
      </div>
      {notes.length > 0 && <ul className={styles['notes']}>{notes.map((note) => <li key={note}>{note}</li>)}</ul>}
    </div>
  );
}

function Ordered({ first, onClose }: { readonly first: WithdrawalStatus; readonly onClose: () => void }) {
  const asked = useQuery(withdrawalQuery(first.id));
  const queryClient = useQueryClient();
  const status = asked.data ?? first;
  const close = (): void => {
    for (const queryKey of [['withdrawals'], ['trace'], ['list'], ['status'], ['groups']]) void queryClient.invalidateQueries({ queryKey });
    onClose();
  };
  return (
    <div className={styles['done']}>
      <h2>{isMoving(status) ? 'Being taken out of sight' : 'Out of sight'}</h2>
      <Progress status={status} />
      <p role="status">{isMoving(status) ? 'You can leave this page: it goes on by itself, also after a restart.' : `${counted(status.fates.taken ?? 0, 'object')} cannot be found or opened any more. Under “Withdrawals” on this page it can be brought back.`}</p>
      <div className={dialogStyles['buttons']}><button type="button" className={joined(partStyles['button'], partStyles['primary'])} onClick={close}>Close</button></div>
    </div>
  );
}
