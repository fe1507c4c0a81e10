/** What stands around every page: where one can go, how many wait for a decision, whether all is well, who is signed in. */
import { useEffect, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, Outlet, useRouterState, type ErrorComponentProps } from '@tanstack/react-router';
import { permitted, type Role } from '@lazaret/pacs/access/actions.ts';
import { leave } from './api.ts';
import { Hidden, Trouble, joined } from './parts/parts.tsx';
import { SchemeIcon } from './parts/icons.tsx';
import { sessionQuery, statusQuery } from './queries.ts';
import { applyScheme, savedScheme, schemes } from './scheme.ts';
import { concernsOf } from './status/concerns.ts';
import { whole } from './words/amounts.ts';
import { plain } from './words/plain.ts';
import styles from './shell.module.css';

export function Shell() {
  const session = useQuery(sessionQuery);
  const status = useQuery(statusQuery);
  const held = status.data?.counts.held ?? 0;
  const main = useContentFocus();
  return (
    <>
      <a className={styles['skip']} href="#content">To the content</a>
      <header className={styles['bar']}>
        <Link to="/arrivals" className={styles['brand']} aria-label="Lazaret, arrivals">
          <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" /><path d="M7 9v9a9 9 0 0 0 18 0V9" fill="none" strokeWidth="3" strokeLinecap="round" /><circle cx="16" cy="14" r="3.5" /></svg>
          Lazaret
        </Link>
        <nav className={styles['nav']} aria-label="Console">
          {mayImport(session.data?.roles) && <Link to="/desk">Import</Link>}
          <Link to="/arrivals">Arrivals</Link>
          <Link to="/held">Held{held > 0 && <span className={styles['badge']}>{whole(held)}<Hidden> to decide on</Hidden></span>}</Link>
          <Link to="/trace" search={{}}>Trace</Link>
          <Link to="/system">System</Link>
        </nav>
        <div className={styles['space']} />
        <Wellness />
        {session.data !== undefined && (
          <div className={styles['person']} title={plain(`${session.data.name}: ${session.data.roles.join(', ') || 'no role'}`)}>
            <strong><bdi>{plain(session.data.name, 64)}</bdi></strong> · {session.data.roles.join(', ') || 'no role'}
          </div>
        )}
        <SchemeButton />
        <button type="button" className={styles['quiet']} onClick={() => void leave()}>Sign out</button>
      </header>
      <main ref={main} className={styles['main']} id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

/** The link that led to another page goes with the old one: the keyboard goes on at the head of the new content, not at that of the whole window. */
function useContentFocus() {
  const main = useRef<HTMLElement>(null);
  const asked = useRouterState({ select: ({ location }) => location.pathname });
  const shown = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const left = useRef<Element | null>(null);
  const first = useRef(true);
  useEffect(() => { left.current = document.activeElement; }, [asked]);
  useEffect(() => {
    if (shown === undefined) return;
    // A page that has put the focus somewhere itself keeps it.
    if (!first.current && [left.current, document.body, null].includes(document.activeElement)) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [shown]);
  return main;
}

function Wellness() {
  const status = useQuery(statusQuery);
  if (status.data === undefined && status.error === null) return null;
  const concerns = status.data === undefined || status.isRefetchError ? 1 : concernsOf(status.data).length;
  const text = status.data === undefined || status.isRefetchError ? 'No connection' : concerns === 0 ? 'All well' : concerns === 1 ? '1 thing needs care' : `${concerns} things need care`;
  return (
    <Link to="/system" className={joined(styles['well'], concerns > 0 && styles['care'])} aria-label={`System: ${text}`}>
      <i className={styles['dot']} aria-hidden="true" />
      <span>{text}</span>
    </Link>
  );
}

function SchemeButton() {
  const [scheme, setScheme] = useState(savedScheme);
  const next = schemes[(schemes.indexOf(scheme) + 1) % schemes.length] ?? 'system';
  const name = { system: 'as the system', light: 'light', dark: 'dark' }[scheme];
  return (
    <button type="button" className={styles['quiet']} title={`Colours: ${name}`} aria-label={`Colours: ${name}. Change`} onClick={() => { applyScheme(next); setScheme(next); }}>
      <SchemeIcon />
    </button>
  );
}

function mayImport(roles: readonly Role[] | undefined): boolean {
  return roles?.some((role) => permitted[role].includes('import')) === true;
}

/** Who sits at the desk begins there. */
export function FirstPage() {
  const session = useQuery(sessionQuery);
  if (session.data === undefined && session.error === null) return null;
  return <Navigate to={session.data?.roles.includes('desk') === true ? '/desk' : '/arrivals'} replace />;
}

export function NoSuchPage() {
  return (
    <>
      <title>No such page · Lazaret</title>
      <h1 className={styles['lost']}>There is no such page</h1>
      <p>The address may be mistyped or from an older version. <Link to="/arrivals">Arrivals</Link> and <Link to="/held">Held</Link> are where everything is.</p>
    </>
  );
}
/** A bug of ours in a page: said, not a blank screen. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return <><h1 className={styles['lost']}>Lazaret</h1><Trouble error={error} what="This page has failed" retry={reset} /></>;
}
