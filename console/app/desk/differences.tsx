/** Disc and here, side by side: what differs is marked and said in words. */
import type { PatientIdentity } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { Hidden, joined } from '../parts/parts.tsx';
import { plain } from '../words/plain.ts';
import { differencesOf, marked } from './candidates.ts';
import styles from './desk.module.css';

export function Differences({ received, here, hereName, thereName = 'On the disc' }: { readonly received: PatientIdentity; readonly here: PatientIdentity; readonly hereName: string; readonly thereName?: string }) {
  return (
    <table className={styles['differences']}>
      <thead><tr><td /><th scope="col">{thereName}</th><th scope="col">{hereName}</th><th scope="col"><Hidden>Compared</Hidden></th></tr></thead>
      <tbody>
        {differencesOf(received, here).map(({ what, there, here: ours, verdict }) => {
          const mark = verdict === 'different' || verdict === 'written differently';
          return (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td data-label={thereName}><Marked text={there} other={ours} mark={mark} /></td>
              <td data-label={hereName}><Marked text={ours} other={there} mark={mark} /></td>
              <td className={joined(styles['compared'], styles[verdict === 'same' ? 'same' : verdict === 'different' && what !== 'Number' ? 'differs' : 'unsure'])}>{verdict === 'not on the disc' && thereName !== 'On the disc' ? 'not received' : verdict}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Marked({ text, other, mark }: { readonly text: string; readonly other: string; readonly mark: boolean }) {
  const shown = plain(text, 160);
  if (shown === '') return <span className={styles['nothing']}>nothing</span>;
  if (!mark) return <bdi>{shown}</bdi>;
  return <bdi>{marked(shown, plain(other, 160)).map((part, index) => (part.differs ? <mark key={index}>{part.text}</mark> : <span key={index}>{part.text}</span>))}</bdi>;
}
