/** The media that it came on: what else was on them, and what stayed behind. */
import { Link } from '@tanstack/react-router';
import type { TraceMedium } from '@lazaret/pacs/quarantine/requests.ts';
import { Text, joined, partStyles } from '../parts/parts.tsx';
import { counted, moment } from '../words/amounts.ts';
import traceStyles from './trace.module.css';
import styles from './withdraw.module.css';

const fateWords: Readonly<Record<string, readonly [one: string, many: string]>> = {
  admitted: ['object brought', 'objects brought'], duplicate: ['object known before', 'objects known before'], left: ['other file left behind', 'other files left behind'], infected: ['infected file left behind', 'infected files left behind'],
  unscanned: ['file left behind that could not be scanned', 'files left behind that could not be scanned'], directory: ['directory', 'directories'], same: ['other name for the same file', 'other names for the same file'],
  link: ['link not followed', 'links not followed'], special: ['special file left', 'special files left'], unreadable: ['file unreadable', 'files unreadable'],
  unreached: ['file not read, since the import was stopped', 'files not read, since the import was stopped'], refused: ['object refused', 'objects refused'],
};
/** In this order people want to know. */
const order = Object.keys(fateWords);

/** Nothing where it came on none. */
export function Media({ media }: { readonly media: readonly TraceMedium[] }) {
  if (media.length === 0) return null;
  return (
    <section className={joined(partStyles['card'], traceStyles['card'])} aria-labelledby="media">
      <header><h2 id="media">{media.length === 1 ? 'The medium' : 'Media'}</h2><p>what else was on it is to be looked at, too</p></header>
      <ul className={styles['media']}>
        {media.map((medium) => (
          <li key={medium.import}>
            <span><Link to="/trace" search={{ import: medium.import }}><Text max={120}>{medium.name || 'Medium without a name'}</Text></Link>, read {moment(medium.at)} by <Text max={60}>{medium.person}</Text></span>
            <span className={traceStyles['soft']}>{order.filter((fate) => (medium.fates[fate] ?? 0) > 0).map((fate) => counted(medium.fates[fate]!, ...fateWords[fate]!)).join(', ') || 'nothing was read from it'}</span>
            {medium.infected.slice(0, 5).map((file) => <span key={file.path} className={styles['infected']}><Text max={120}>{file.path}</Text>: <Text max={160}>{file.text}</Text></span>)}
            {medium.infected.length > 5 && <span className={traceStyles['soft']}>and {counted(medium.infected.length - 5, 'infected file')} more; its receipt names them</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
