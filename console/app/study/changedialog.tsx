/** Before whose a study is changes: both identities once more, side by side, and why. */
import { useEffect, useRef, useState } from 'react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Replacement, StudyIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { warnings } from '../desk/candidates.ts';
import { Differences } from '../desk/differences.tsx';
import { nameOf } from '../desk/words.ts';
import { WarningIcon } from '../parts/icons.tsx';
import { joined } from '../parts/parts.tsx';
import { lacking, Reason } from '../trace/reason.tsx';
import { plain } from '../words/plain.ts';
import { change, identityQuery } from './requests.ts';
import dialogStyles from '../object/object.module.css';
import styles from './study.module.css';

/** `replacement` null: back to what was received. Open as long as it is there. */
export function ChangeDialog({ identity, replacement, onCancel, onDone }: { readonly identity: StudyIdentity; readonly replacement: Replacement | null; readonly onCancel: () => void; readonly onDone: () => void }) {
  const { received, studyInstanceUID } = identity;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const queryClient = useQueryClient();
  useEffect(() => dialog.current?.showModal(), []);
  const mutation = useMutation({
    mutationFn: () => change(studyInstanceUID, replacement, reason.trim()),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: identityQuery(studyInstanceUID).queryKey });
      onDone();
    },
  });
  const careful = replacement === null ? [] : warnings(received, replacement);
  return (
    <dialog ref={dialog} className={joined(dialogStyles['dialog'], styles['dialog'])} aria-labelledby="change" onClose={onCancel}>
      <form onSubmit={(event) => { event.preventDefault(); if (lacking(reason) <= 0 && !mutation.isPending) mutation.mutate(); }}>
        <div>
          <h2 id="change">{replacement === null ? 'Back to what was received' : <>It is <bdi>{nameOf(replacement.patientName)}</bdi></>}</h2>
          <p>{replacement === null ? 'Everybody finds and sees the study under the name and number that it came with.' : 'Everybody finds and sees the study under this name and number. What was received stays as it is, and can be shown again.'}</p>
        </div>
        {replacement !== null && <Differences received={received} here={replacement} hereName="From now on" thereName="As received" />}
        {replacement !== null && <p>Accession number from now on: <strong>{plain(replacement.accessionNumber, 32) || 'none'}</strong>{replacement.studyDescription !== '' && <>, description: <strong><bdi>{plain(replacement.studyDescription, 80)}</bdi></strong></>}.</p>}
        {careful.length > 0 && <p className={styles['problem']}><WarningIcon /><span>Look twice: {careful.join(' and ')} {careful.length === 1 ? 'is' : 'are'} not the same.</span></p>}
        <Reason
          reason={reason} onReason={setReason} placeholder="How it is known whose it is, and who said so" action={replacement === null ? 'Show it as received' : 'Change whose it is'} grave={false} ready
          working={mutation.isPending} error={mutation.error} trouble="It was not changed" onCancel={() => dialog.current?.close()}
        />
      </form>
    </dialog>
  );
}
