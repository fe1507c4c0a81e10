/** Above a list: what it is, whether it is live, search and filters. */
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { counted } from '../words/amounts.ts';
import { SearchIcon } from './icons.tsx';
import { joined } from './parts.tsx';
import styles from './lists.module.css';

/** Typing asks the server once the hand rests. */
const typingPauseMs = 250;

export function ListHead({ title, live, note, text, onText, children }: { readonly title: string; readonly live: boolean; readonly note: string; readonly text: string; readonly onText: (text: string) => void; readonly children?: ReactNode }) {
  return (
    <div className={styles['head']}>
      <div className={styles['title']}>
        <h1>{title}</h1>
        <p><span className={joined(styles['live'], !live && styles['still'])}><i aria-hidden="true" />{live ? 'Live' : 'Not live'}</span> · {note}</p>
      </div>
      {children}
      <Search text={text} onText={onText} />
    </div>
  );
}

function Search({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest('input, textarea, dialog') !== null) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      clearTimeout(timer.current);
    };
  }, []);
  const change = (value: string, pauseMs: number): void => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onText(value.trim()), pauseMs);
  };
  return (
    <form role="search" className={styles['search']} onSubmit={(event) => { event.preventDefault(); change(typed, 0); }}>
      <SearchIcon />
      <input
        ref={input} type="search" maxLength={200} placeholder="Patient, UID, source or reason" aria-label="Search patient, UID, source or reason" aria-keyshortcuts="/" value={typed}
        onChange={(event) => change(event.target.value, typingPauseMs)}
        onKeyDown={(event) => { if (event.key === 'Escape') change('', 0); }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

/** Up and down (also j and k), Home and End among the elements marked `data-row`: a list is walked without a mouse and without tabbing through it. */
export function walkRows(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  const to = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[to]?.focus();
}

export function MoreRow({ shown, loading, onMore }: { readonly shown: number; readonly loading: boolean; readonly onMore: () => void }) {
  return (
    <div className={styles['more']}>
      <button type="button" className={styles['opener']} disabled={loading} onClick={onMore}>{loading ? 'Loading…' : `Show older than these ${counted(shown, 'object')}`}</button>
    </div>
  );
}
export { styles as listStyles };
