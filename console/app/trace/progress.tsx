/** How far a withdrawal or its bringing back is, as a bar and as words. */
import type { WithdrawalStatus } from '@lazaret/pacs/quarantine/withdrawalcontract.ts';
import { plain } from '../words/plain.ts';
import { counted, whole } from '../words/amounts.ts';
import { isMoving } from './requests.ts';
import styles from './withdraw.module.css';

export function progressWords({ fates, state, problem }: WithdrawalStatus): string {
  const parts = state === 'withdrawing' || state === 'withdrawn'
    ? [[fates.taken, 'out of sight'], [fates.due, 'to go'], [fates.waiting, 'in inspection, will be held'], [fates.restored, 'brought back'], [fates.kept, 'not brought back'], [fates.failed, 'could not be taken']] as const
    : [[fates.restored, 'back'], [fates.asked, 'to go'], [fates.returning, 'inspected with current signatures first'], [fates.kept, 'not brought back'], [fates.passed, 'decided on by themselves']] as const;
  const words = parts.filter(([number]) => (number ?? 0) > 0).map(([number, text]) => `${whole(number ?? 0)} ${text}`).join(', ');
  return `${words || 'nothing yet'}${problem === '' ? '' : `. ${plain(problem, 200)}: it is tried again`}`;
}

export function Progress({ status }: { readonly status: WithdrawalStatus }) {
  const { fates, objects, state } = status;
  const left = (fates.due ?? 0) + (fates.asked ?? 0) + (fates.returning ?? 0);
  return (
    <div className={styles['progress']}>
      {isMoving(status) && <progress aria-label={state === 'withdrawing' ? `Taking ${counted(objects, 'object')} out of sight` : `Bringing ${counted(objects, 'object')} back`} max={Math.max(1, objects)} value={objects - left} />}
      <span>{progressWords(status)}</span>
    </div>
  );
}
