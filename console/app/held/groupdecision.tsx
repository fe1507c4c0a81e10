/** One decision for all of a group. Each object is decided on by itself; what is malicious goes along only where somebody has ticked it. */
import { useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { GroupBy, HeldGroup } from '@lazaret/pacs/quarantine/requests.ts';
import { Hidden, PatientName, joined, partStyles } from '../parts/parts.tsx';
import dialogStyles from '../object/object.module.css';
import { sessionQuery } from '../queries.ts';
import { lacking, Reason } from '../trace/reason.tsx';
import { counted, whole } from '../words/amounts.ts';
import { whyHeld } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import { decideGroup, groupObjectsQuery, type GroupOutcome } from './requests.ts';
import styles from './groups.module.css';

type Decision = 'release' | 'destroy';

export function GroupDecision({ by, group, name }: { readonly by: GroupBy; readonly group: HeldGroup; readonly name: string }) {
  const session = useQuery(sessionQuery);
  const dialog = useRef<HTMLDialogElement>(null);
  const [decision, setDecision] = useState<Decision | null>(null);
  const roles = session.data?.roles ?? [];
  if (!roles.includes('reviewer') && !roles.includes('security')) return null;
  const open = (what: Decision): void => {
    setDecision(what);
    dialog.current?.showModal();
  };
  const releasable = group.objects - group.withdrawn > 0;
  return (
    <span className={styles['actions']}>
      {releasable && <button type="button" className={joined(partStyles['button'], partStyles['small'])} onClick={() => open('release')}>Release…<Hidden> all of {name}</Hidden></button>}
      <button type="button" className={joined(partStyles['button'], partStyles['small'], partStyles['danger'])} onClick={() => open('destroy')}>Destroy…<Hidden> all of {name}</Hidden></button>
      <dialog ref={dialog} className={dialogStyles['dialog']} aria-label={`${decision === 'destroy' ? 'Destroy' : 'Release'} all of ${name}`} onClose={() => setDecision(null)}>
        {decision !== null && <Steps by={by} group={group} name={name} decision={decision} onClose={() => dialog.current?.close()} />}
      </dialog>
    </span>
  );
}

function Steps({ by, group, name, decision, onClose }: { readonly by: GroupBy; readonly group: HeldGroup; readonly name: string; readonly decision: Decision; readonly onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [named, setNamed] = useState<ReadonlySet<string>>(new Set());
  const [outcome, setOutcome] = useState<GroupOutcome | null>(null);
  const queryClient = useQueryClient();
  const objects = useQuery(groupObjectsQuery(by, group.key, decision === 'release' && group.malicious > 0));
  const malicious = (objects.data?.entries ?? []).filter(({ verdict }) => verdict === 'malicious');
  const mutation = useMutation({
    mutationFn: () => decideGroup({ by, key: group.key, decision, reason: reason.trim(), named: [...named] }, setOutcome),
    onSettled: () => { for (const queryKey of [['groups'], ['list'], ['status']]) void queryClient.invalidateQueries({ queryKey }); },
  });
  const count = decision === 'destroy' ? group.objects : group.objects - group.withdrawn - group.malicious + named.size;
  if (mutation.isSuccess && outcome !== null) return <Outcome outcome={outcome} decision={decision} onClose={onClose} />;
  const toggle = (objectId: string): void => setNamed((before) => {
    const after = new Set(before);
    if (!after.delete(objectId)) after.add(objectId);
    return after;
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (lacking(reason) <= 0 && !mutation.isPending && count > 0) mutation.mutate(); }}>
      <div>
        <h2>{decision === 'release' ? 'Release' : 'Destroy'} all of <bdi>{plain(name, 80)}</bdi></h2>
        <p>{decision === 'release' ? 'They go to the archive as they are and can be opened by everyone with access.' : 'Their bytes are gone for good; the record remains. It takes two people: you propose, somebody else decides the same.'} Each of them is decided on, and recorded, by itself.</p>
      </div>
      {decision === 'release' && group.withdrawn > 0 && <p>{counted(group.withdrawn, 'object')} taken out of sight by people {group.withdrawn === 1 ? 'is' : 'are'} not among them: bring those back under Trace, Withdrawals.</p>}
      {decision === 'release' && group.malicious > 0 && (
        <fieldset className={styles['named']}>
          <legend>{counted(group.malicious, 'object was', 'objects were')} found malicious and {group.malicious === 1 ? 'stays' : 'stay'} held, unless you tick {group.malicious === 1 ? 'it' : 'them'}. That takes two people, one with the role security.</legend>
          {malicious.map((entry) => (
            <label key={entry.objectId}><input type="checkbox" checked={named.has(entry.objectId)} onChange={() => toggle(entry.objectId)} /> <span>{whyHeld(entry).title}, <PatientName name={entry.patientName} id={entry.patientID} /> <small>{entry.objectId.slice(0, 8)}</small></span></label>
          ))}
        </fieldset>
      )}
      {mutation.isPending && outcome !== null && <p role="status"><progress aria-label="Decided on" max={Math.max(1, group.objects)} value={outcome.done + outcome.proposed + outcome.left.length} /> {whole(outcome.done + outcome.proposed)} decided</p>}
      <Reason
        reason={reason} onReason={setReason} placeholder="Why, for whom, who was asked" action={`${decision === 'release' ? 'Release' : 'Propose to destroy or confirm for'} ${counted(count, 'object')}`} grave={decision === 'destroy' || named.size > 0} ready={count > 0}
        working={mutation.isPending} error={mutation.error} trouble="It came to a stop. What was decided is decided" onCancel={onClose}
      />
    </form>
  );
}

const shownMax = 20;

function Outcome({ outcome, decision, onClose }: { readonly outcome: GroupOutcome; readonly decision: Decision; readonly onClose: () => void }) {
  return (
    <div className={styles['outcome']}>
      <h2>{decision === 'release' ? 'Released' : 'Destroyed'}: {counted(outcome.done, 'object')}</h2>
      {outcome.proposed > 0 && <p>{counted(outcome.proposed, 'object')} proposed: somebody else must decide the same.</p>}
      {outcome.left.length > 0 && (
        <>
          <p>{counted(outcome.left.length, 'object')} left as they were:</p>
          <ul>{outcome.left.slice(0, shownMax).map(({ objectId, text }) => <li key={objectId}><code>{objectId.slice(0, 8)}</code> {plain(text, 300)}</li>)}</ul>
          {outcome.left.length > shownMax && <p>and {whole(outcome.left.length - shownMax)} more</p>}
        </>
      )}
      <div className={dialogStyles['buttons']}><button type="button" className={joined(partStyles['button'], partStyles['primary'])} onClick={onClose}>Close</button></div>
    </div>
  );
}
