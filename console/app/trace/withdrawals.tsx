/** What people took out of sight, newest first, and the way back. */
import { useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { WithdrawalStatus } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import type { SessionAnswer } from '../../server/answers.ts';
import { TurnIcon } from '../parts/icons.tsx';
import { listStyles } from '../parts/listhead.tsx';
import { Hidden, Loading, PatientName, PlainChip, Text, Trouble, joined, partStyles } from '../parts/parts.tsx';
import dialogStyles from '../object/object.module.css';
import { sessionQuery } from '../queries.ts';
import { counted, moment } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { Progress } from './progress.tsx';
import { lacking, Reason } from './reason.tsx';
import { restore, withdrawalsQuery, withdrawnQuery } from './requests.ts';
import traceStyles from './trace.module.css';
import styles from './withdraw.module.css';

const stateWords: Readonly<Record<WithdrawalStatus['state'], string>> = { withdrawing: 'being taken', withdrawn: 'out of sight', restoring: 'coming back', restored: 'brought back' };

/** Nothing where nothing was ever withdrawn. */
export function Withdrawals() {
  const withdrawals = useQuery(withdrawalsQuery);
  const session = useQuery(sessionQuery);
  if (withdrawals.isError) return <Trouble error={withdrawals.error} what="The withdrawals cannot be shown" retry={() => void withdrawals.refetch()} />;
  if (withdrawals.data === undefined || withdrawals.data.length === 0) return null;
  return (
    <section className={joined(partStyles['card'], traceStyles['card'])} aria-labelledby="withdrawals">
      <header><h2 id="withdrawals">Withdrawals</h2><p>taken out of sight by people; each can be brought back until it is destroyed</p></header>
      <table className={joined(traceStyles['table'], styles['withdrawals'])}>
        <thead><tr><th scope="col">What</th><th scope="col">By and why</th><th scope="col">State</th><th scope="col"><Hidden>Action</Hidden></th></tr></thead>
        <tbody>{withdrawals.data.map((status) => <Row key={status.id} status={status} session={session.data ?? null} />)}</tbody>
      </table>
    </section>
  );
}

function Row({ status, session }: { readonly status: WithdrawalStatus; readonly session: SessionAnswer | null }) {
  const [open, setOpen] = useState(false);
  const decides = session !== null && (session.roles.includes('reviewer') || session.roles.includes('security'));
  const left = (status.fates.taken ?? 0) + (status.fates.kept ?? 0) + (status.fates.waiting ?? 0) + (status.fates.due ?? 0);
  const second = status.malicious > 0 && session?.name === status.person;
  return (
    <>
      <tr>
        <td>
          <button type="button" className={listStyles['opener']} aria-expanded={open} onClick={() => setOpen(!open)}><TurnIcon /><span><Text max={120}>{status.what}</Text></span></button>
          <span className={traceStyles['soft']}>{counted(status.objects, 'object')} · {counted(status.patients, 'patient')} · {counted(status.studies, 'study', 'studies')}{status.malicious > 0 && ` · ${status.malicious} malicious`}</span>
        </td>
        <td>
          <strong><Text max={60}>{status.person}</Text></strong>, {moment(status.at)}: <Text max={200}>{status.reason}</Text>
          {status.restore !== null && <span className={traceStyles['soft']}>Brought back by <bdi>{plain(status.restore.person, 60)}</bdi>, {moment(status.restore.at)}: <Text max={200}>{status.restore.reason}</Text></span>}
        </td>
        <td><PlainChip>{stateWords[status.state]}</PlainChip><Progress status={status} /></td>
        <td className={styles['action']}>{decides && left > 0 && (second ? <span className={traceStyles['soft']}>Malicious objects are in it: somebody else must bring it back.</span> : <BringBack status={status} count={left} />)}</td>
      </tr>
      {open && <tr><td colSpan={4}><Objects status={status} /></td></tr>}
    </>
  );
}

const shownMax = 100;

function Objects({ status }: { readonly status: WithdrawalStatus }) {
  const asked = useQuery(withdrawnQuery(status.id, `${status.state} ${status.finishedAt ?? ''}`));
  if (asked.data === undefined) return asked.isError ? <Trouble error={asked.error} what="Its objects cannot be shown" /> : <Loading rows={2} what="its objects" />;
  // What did not come back first: somebody has to look at it.
  const objects = asked.data.objects.toSorted((one, other) => Number(other.fate === 'kept' || other.fate === 'failed') - Number(one.fate === 'kept' || one.fate === 'failed')).slice(0, shownMax);
  return (
    <>
      <ul className={styles['objects']}>
        {objects.map((object) => (
          <li key={object.objectId}>
            <Link to="/objects/$objectId" params={{ objectId: object.objectId }}><PatientName name={object.patientName} id={object.patientID} /></Link>
            <span><Text max={60}>{object.studyDescription || 'study not known'}</Text></span>
            <span>{({ taken: 'out of sight', kept: 'not brought back', restored: 'back', passed: 'decided on by itself', due: 'to be taken', waiting: 'in inspection', asked: 'to be brought back', returning: 'being inspected', failed: 'could not be taken' } as const)[object.fate]}{object.note !== '' && <>: <Text max={160}>{object.note}</Text></>}</span>
          </li>
        ))}
      </ul>
      {(asked.data.next !== null || asked.data.objects.length > shownMax) && <p className={traceStyles['note']}>There are more; “./lazaret withdraw --show {status.id.slice(0, 8)}” at the terminal names them all.</p>}
    </>
  );
}

function BringBack({ status, count }: { readonly status: WithdrawalStatus; readonly count: number }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: () => restore(status.id, reason.trim()),
    onSuccess: async () => {
      setReason('');
      dialog.current?.close();
      for (const queryKey of [['withdrawals'], ['trace'], ['list'], ['status'], ['groups']]) await queryClient.invalidateQueries({ queryKey });
    },
  });
  return (
    <>
      <button type="button" className={joined(partStyles['button'], partStyles['small'])} onClick={() => dialog.current?.showModal()}>Bring back…<Hidden> {plain(status.what, 80)}</Hidden></button>
      <dialog ref={dialog} className={dialogStyles['dialog']} aria-label="Bring back" onClose={() => mutation.reset()}>
        <form onSubmit={(event) => { event.preventDefault(); if (lacking(reason) <= 0 && !mutation.isPending) mutation.mutate(); }}>
          <div>
            <h2>Bring back</h2>
            <p>Exactly what this withdrawal took comes into sight again: <Text max={120}>{status.what}</Text>. What was inspected with older signatures is inspected first; what is not clean stays held.</p>
          </div>
          <Reason reason={reason} onReason={setReason} placeholder="Why it may be seen again, who was asked" action={`Bring back ${counted(count, 'object')}`} grave={status.malicious > 0} ready working={mutation.isPending} error={mutation.error} trouble="Nothing was brought back" onCancel={() => dialog.current?.close()} />
        </form>
      </dialog>
    </>
  );
}
