/** The small pieces that all pages are made of. */
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { State, Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import { RequestFailure } from '../api.ts';
import { age, moment } from '../words/amounts.ts';
import { isOdd, personName, plain } from '../words/plain.ts';
import { stateWords, verdictWords } from '../words/verdicts.ts';
import { CopyIcon, StateIcon, TickIcon, VerdictIcon, WarningIcon } from './icons.tsx';
import styles from './parts.module.css';

export function joined(...names: readonly (string | undefined | false)[]): string {
  return names.filter((name) => name !== undefined && name !== false && name !== '').join(' ');
}

/** Text that came from outside: its own direction, made harmless, and a word where that changed it. */
export function Text({ children, max }: { readonly children: string; readonly max?: number }) {
  const shown = max === undefined ? plain(children) : plain(children, max);
  return <bdi title={isOdd(children) ? `${shown} (contains control or invisible characters)` : shown}>{shown}</bdi>;
}
export function PatientName({ name, id }: { readonly name: string; readonly id: string }) {
  const shown = personName(name);
  if (shown !== '') return <bdi title={shown}>{shown}</bdi>;
  return id === '' ? <>Patient not known</> : <>Patient <Text max={64}>{id}</Text></>;
}

export function VerdictChip({ verdict, count }: { readonly verdict: Verdict; readonly count?: number }) {
  return (
    <span className={joined(styles['chip'], styles[verdict])} title={verdictWords[verdict].meaning}>
      <VerdictIcon verdict={verdict} />
      {count === undefined ? verdictWords[verdict].name : `${count} ${verdictWords[verdict].name.toLowerCase()}`}
    </span>
  );
}
export function StateChip({ state, count }: { readonly state: State; readonly count?: number }) {
  return (
    <span className={styles['chip']} title={stateWords[state].meaning}>
      <StateIcon state={state} />
      {count === undefined ? stateWords[state].name : `${count} ${stateWords[state].name.toLowerCase()}`}
    </span>
  );
}
export function PlainChip({ children, title }: { readonly children: ReactNode; readonly title?: string }) {
  return <span className={styles['chip']} title={title}>{children}</span>;
}

export function Hidden({ children }: { readonly children: ReactNode }) {
  return <span className={styles['hidden']}>{children}</span>;
}

export function Time({ at, now }: { readonly at: number; readonly now: number }) {
  const text = age(now - at);
  return <time dateTime={new Date(at).toISOString()} title={moment(at)}>{text === 'just now' ? text : `${text} ago`}</time>;
}

/** A digest or UID, shown short, copied whole. */
export function Copy({ value, shown, what }: { readonly value: string; readonly shown?: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = (): void => {
    // A browser may forbid it: then nothing is said to be copied.
    void navigator.clipboard?.writeText(value).then(() => setCopied(true), () => undefined);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 1800);
  };
  return (
    <button type="button" className={styles['copy']} onClick={copy} title={`Copy ${what}: ${plain(value)}`}>
      <Hidden>Copy {what}: </Hidden>
      <bdi>{plain(shown ?? value, 80)}</bdi>
      {copied ? <TickIcon /> : <CopyIcon />}
      <Hidden><span role="status">{copied ? 'copied' : ''}</span></Hidden>
    </button>
  );
}
/** First and last digits: enough to compare by eye, the whole is a click away. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 8)}…${digest.slice(-6)}`;
}

export function Empty({ title, children, mark }: { readonly title: string; readonly children: ReactNode; readonly mark?: ReactNode }) {
  return (
    <div className={styles['empty']}>
      {mark !== undefined && <div className={styles['emptyMark']}>{mark}</div>}
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  );
}

export function Loading({ rows, what }: { readonly rows: number; readonly what: string }) {
  return (
    <div className={styles['skeleton']} role="status">
      <Hidden>Loading {what}…</Hidden>
      {Array.from({ length: rows }, (_, index) => <div key={index} className={styles['bone']} />)}
    </div>
  );
}

/** What happened and what to do. Only while there is nothing older to show, or above it. */
export function Trouble({ error, what, retry }: { readonly error: unknown; readonly what: string; readonly retry?: () => void }) {
  const failure = error instanceof RequestFailure ? error : null;
  return (
    <div className={styles['trouble']} role="alert">
      <WarningIcon />
      <div>
        <h2>{what}</h2>
        <p>{plain(failure?.message ?? 'Something in this page went wrong. Load it again; if it stays, tell whoever runs this server.')} {advice(failure)}</p>
        {retry !== undefined && <button type="button" className={joined(styles['button'], styles['small'])} onClick={retry}>Try again</button>}
      </div>
    </div>
  );
}
function advice(failure: RequestFailure | null): string {
  if (failure === null) return '';
  if (failure.status === 403) return 'Ask an administrator for the role, or have a colleague do it.';
  if (failure.status === 404) return 'It may have been decided on meanwhile: look under Arrivals.';
  if (failure.status === 429) return 'Wait a minute.';
  if (failure.status === 0 || failure.status >= 500) return 'This page keeps trying. On the server, “./lazaret doctor” says what is wrong.';
  return '';
}
export { styles as partStyles };
