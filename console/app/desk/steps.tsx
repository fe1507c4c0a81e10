/** The five steps of a disc, and where it is. */
import { Hidden, joined } from '../parts/parts.tsx';
import { TickMark } from './marks.tsx';
import styles from './desk.module.css';

export const steps = ['Put in', 'See what is on it', 'Say whose it is', 'Bring in', 'Receipt'] as const;

/** `at`: from 1; those before it are done. */
export function Steps({ at, done = false }: { readonly at: number; readonly done?: boolean }) {
  return (
    <ol className={styles['steps']} aria-label="Steps">
      {steps.map((name, index) => {
        const state = index + 1 < at || done ? 'done' : index + 1 === at ? 'now' : 'later';
        return (
          <li key={name} className={joined(styles['step'], styles[state])} {...(state === 'now' ? { 'aria-current': 'step' as const } : {})}>
            <i aria-hidden="true">{state === 'done' ? <TickMark size={14} /> : index + 1}</i>
            <span>{name}{state === 'done' && <Hidden> (done)</Hidden>}</span>
          </li>
        );
      })}
    </ol>
  );
}
