/** How the system is: what needs care first, then what it stands on. */
import { useQuery } from '@tanstack/react-query';
import { states } from '@lazaret/pacs/quarantine/contract.ts';
import type { InspectorStatus, StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { StateIcon, TickIcon, VerdictIcon, WarningIcon } from '../parts/icons.tsx';
import { Copy, Loading, Trouble, joined, partStyles, shortDigest } from '../parts/parts.tsx';
import { statusQuery } from '../queries.ts';
import { counted, size, whole } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { stateWords } from '../words/verdicts.ts';
import { concernsOf, type Concern } from './concerns.ts';
import { RescanTile } from './rescan.tsx';
import styles from './status.module.css';

export function StatusPage() {
  const status = useQuery(statusQuery);
  return (
    <>
      <title>System · Lazaret</title>
      <h1 className={styles['title']}>System</h1>
      {status.isError && <Trouble error={status.error} what="The state of the system is not known" retry={() => void status.refetch()} />}
      {status.isPending && <div className={partStyles['card']}><Loading rows={5} what="the state of the system" /></div>}
      {status.data !== undefined && <Status status={status.data} />}
    </>
  );
}

function Status({ status }: { readonly status: StatusAnswer }) {
  const concerns = concernsOf(status);
  return (
    <div className={styles['grid']}>
      <div className={styles['full']}>{concerns.length === 0 ? <Well /> : <Concerns concerns={concerns} />}</div>
      <section className={joined(partStyles['card'], styles['tile'], styles['full'])} aria-labelledby="counts">
        <h2 id="counts">Objects, by where they are</h2>
        <dl className={styles['counts']}>
          {states.map((state) => (
            <div key={state} title={stateWords[state].meaning}>
              <dt><StateIcon state={state} />{stateWords[state].name}</dt>
              <dd className={joined(status.counts[state] === 0 && styles['zero'])}>{whole(status.counts[state] ?? 0)}</dd>
            </div>
          ))}
        </dl>
      </section>
      <RescanTile rescan={status.rescan ?? null} />
      <section className={joined(partStyles['card'], styles['tile'], styles['wide'])} aria-labelledby="engines">
        <h2 id="engines">Engines</h2>
        {status.inspector === null ? <p className={styles['soft']}>The inspector is not running, so nothing is known of its engines.</p> : <Engines inspector={status.inspector} />}
      </section>
      <Sandbox inspector={status.inspector} />
      <section className={joined(partStyles['card'], styles['tile'])} aria-labelledby="epoch">
        <h2 id="epoch">Signature epoch</h2>
        <p className={styles['soft']}>Everything that has a say in a verdict, with its version. Part of every verdict.</p>
        <p className={joined('mono')}>{plain(status.inspector?.epoch ?? 'not known')}</p>
      </section>
      <Disk disk={status.disk} />
      <section className={joined(partStyles['card'], styles['tile'])} aria-labelledby="audit">
        <h2 id="audit">Audit log</h2>
        <p><span className={styles['big']}>{whole(status.audit.entries)}</span> entries</p>
        <p className={styles['soft']}>Root of the log. Write it down elsewhere: whoever changes an entry changes it.</p>
        <p>{status.audit.root === '' ? 'No entry yet' : <Copy value={status.audit.root} shown={shortDigest(status.audit.root)} what="the root of the audit log" />}</p>
      </section>
    </div>
  );
}

function Well() {
  return (
    <div className={joined(partStyles['card'], styles['well'])}>
      <VerdictIcon verdict="clean" size={34} />
      <div><h2>All well</h2><p>What arrives is inspected in the sandbox by every engine, and the record is kept.</p></div>
    </div>
  );
}

function Concerns({ concerns }: { readonly concerns: readonly Concern[] }) {
  return (
    <ul className={styles['concerns']} aria-label="What needs care">
      {concerns.map((concern) => (
        <li key={concern.title} className={joined(styles['concern'], concern.level === 'stop' && styles['stop'])}>
          <WarningIcon size={20} />
          <div><h2>{concern.title}</h2><p>{concern.text}</p></div>
        </li>
      ))}
    </ul>
  );
}

function Engines({ inspector }: { readonly inspector: InspectorStatus }) {
  return (
    <table className={styles['table']}>
      <thead><tr><th scope="col">Engine</th><th scope="col">Version</th><th scope="col">Signatures</th><th scope="col">State</th></tr></thead>
      <tbody>
        {inspector.engines.map((engine) => (
          <tr key={engine.name}>
            <td><strong>{plain(engine.name, 40)}</strong></td>
            <td>{plain(engine.version, 80)}</td>
            <td>{plain(engine.signatures, 160)}</td>
            <td>{engine.state === 'ready' ? <span className={joined(partStyles['chip'], partStyles['clean'])}><TickIcon />ready</span> : <span className={joined(partStyles['chip'], partStyles['malicious'])}><WarningIcon size={13} />{engine.state}</span>}{engine.text !== '' && <div className={styles['soft']}>{plain(engine.text)}</div>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const strengths = { namespaces: 'Strong: namespaces', 'permission-model': 'Weak: permission model only', none: 'None' } as const;

function Sandbox({ inspector }: { readonly inspector: InspectorStatus | null }) {
  return (
    <section className={joined(partStyles['card'], styles['tile'])} aria-labelledby="sandbox">
      <h2 id="sandbox">Sandbox</h2>
      {inspector === null ? <p className={styles['soft']}>Not known: the inspector is not running.</p> : (
        <>
          <p className={styles['big']}>{strengths[inspector.sandbox.strength]}</p>
          <p className={styles['soft']}>{plain(inspector.sandbox.text)}</p>
          <p>{counted(inspector.examiners, 'examiner')} running</p>
        </>
      )}
    </section>
  );
}

function Disk({ disk }: { readonly disk: StatusAnswer['disk'] }) {
  const used = disk.totalBytes <= 0 ? 0 : Math.min(Math.max(1 - disk.freeBytes / disk.totalBytes, 0), 1) * 100;
  return (
    <section className={joined(partStyles['card'], styles['tile'])} aria-labelledby="disk">
      <h2 id="disk">Disk</h2>
      <p><span className={styles['big']}>{size(disk.freeBytes)}</span> free of {size(disk.totalBytes)}</p>
      <svg className={styles['meter']} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect className={styles['meterGround']} width={100} height={10} />
        <rect className={used > 90 ? styles['meterFull'] : styles['meterUsed']} width={used} height={10} />
      </svg>
      <p className={styles['soft']}>{Math.round(used)} % used. When it is full, senders are refused and keep their images.</p>
    </section>
  );
}
