/** Malicious software on a disc: at once, in red, with the disc's name and what to do. And what could not be read or was not reached, in amber. */
import type { FileFate, ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import { WarningIcon } from '../parts/icons.tsx';
import { counted } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { AlertMark } from './marks.tsx';
import type { Sending } from './sending/sender.ts';
import { mediumName, unreachedWords } from './words.ts';
import styles from './desk.module.css';

const namedMax = 5;

export const isInfected = (status: ImportStatus | undefined): boolean => status !== undefined && ((status.fates.infected ?? 0) > 0 || status.malicious > 0);

export function InfectedAlert({ status, receipt }: { readonly status: ImportStatus; readonly receipt: Receipt | undefined }) {
  const names = receipt === undefined ? [] : [...receipt.infected.map(({ path }) => path), ...receipt.withheld.filter(({ verdict }) => verdict === 'malicious').map(({ path }) => path)];
  const count = Math.max((status.fates.infected ?? 0) + status.malicious, names.length);
  return (
    <div className={styles['alert']} role="alert">
      <AlertMark />
      <div>
        <h2>Malicious software on “{mediumName(status)}”</h2>
        <p><strong>It was kept out.</strong> {counted(count, 'file')} {count === 1 ? 'is' : 'are'} infected{names.length > 0 && <>: <bdi>{names.slice(0, namedMax).map((name) => plain(name, 80)).join(', ')}</bdi>{names.length > namedMax && ` and ${names.length - namedMax} more`}</>}.</p>
        <p>Keep the disc apart and do not open it on any computer. Tell IT security, and whoever made the disc: it comes from their system. Clean images on it still come in.</p>
      </div>
    </div>
  );
}

export function UnreadableNote({ sending, receipt }: { readonly sending: Sending | undefined; readonly receipt: Receipt | undefined }) {
  const files: readonly Pick<FileFate, 'path' | 'text'>[] = receipt !== undefined && receipt.unreadable.length > 0 ? receipt.unreadable : (sending?.unreadable ?? []);
  if (files.length === 0) return null;
  return (
    <div className={styles['cautionBox']}>
      <WarningIcon size={20} />
      <div>
        <h2>{counted(files.length, 'file')} could not be read</h2>
        <ul>{files.slice(0, namedMax).map(({ path, text }) => <li key={path}><bdi>{plain(path, 120)}</bdi>: <bdi>{plain(text, 200)}</bdi></li>)}</ul>
        {files.length > namedMax && <p>and {files.length - namedMax} more; all are on the receipt.</p>}
        <p>Clean the disc, try another drive, and give it again: what is there already is known. Otherwise ask for another copy.</p>
      </div>
    </div>
  );
}

/** Somebody stopped the import, or nobody went on with it. While a disc can go on by itself there is nothing to do. */
export function UnreachedNote({ status }: { readonly status: ImportStatus | undefined }) {
  const count = status?.fates.unreached ?? 0;
  if (count === 0 || status?.state === 'interrupted') return null;
  return (
    <div className={styles['cautionBox']}>
      <WarningIcon size={20} />
      <div>
        <h2>{counted(count, 'file')} {count === 1 ? 'was' : 'were'} not read</h2>
        <p>{unreachedWords}</p>
      </div>
    </div>
  );
}
