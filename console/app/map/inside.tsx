/** What was unpacked out of the object: parts within parts as a tree, with how large each is and what was found in it. */
import type { MapAnswer, MapPart } from '@lazaret/pacs/quarantine/requests.ts';
import { Text, joined } from '../parts/parts.tsx';
import { counted, size, whole } from '../words/amounts.ts';
import { findingWords } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import { barShare, trunksOf } from './tree.ts';
import styles from './map.module.css';

/** Levels that are drawn further in; deeper ones stand where the last of these does. */
const indentsMax = 6;

export function Inside({ map, onSelect }: { readonly map: Pick<MapAnswer, 'parts' | 'partCount'>; readonly onSelect: (offset: number) => void }) {
  const largest = Math.max(...map.parts.map((part) => part.bytes), 1);
  const trunks = trunksOf(map.parts);
  return (
    <div className={styles['inside']}>
      <p>
        Packed into the object: {counted(map.partCount, 'part')}, each looked at as the object itself was.
        {map.partCount > map.parts.length && ` The ${whole(map.parts.length)} that matter most are listed.`}
      </p>
      <div className={styles['insideFrame']} tabIndex={0} role="group" aria-label="Parts within the object">
        <table>
          <thead><tr><th scope="col">Part</th><th scope="col" className={styles['num']}>Unpacked</th><th scope="col" aria-hidden="true" /><th scope="col">Out of</th><th scope="col">Found</th></tr></thead>
          <tbody>
            {map.parts.map((part, index) => (
              <tr key={index} {...(part.codes.length > 0 ? { 'data-found': worstOf(part) } : {})}>
                <th scope="row">
                  <span className={styles[`depth${Math.min(part.depth, indentsMax)}`]}>
                    {part.depth > 0 && <svg className={styles['branch']} width="14" height="18" viewBox="0 0 14 18" aria-hidden="true"><path d={trunks[index] === true ? 'M4 0V18M4 9H13' : 'M4 0V9H13'} /></svg>}
                    <Text max={160}>{ownName(part)}</Text>
                    <span className={styles['quiet']}> {part.depth > 0 ? `level ${part.depth + 1}` : ''}</span>
                  </span>
                </th>
                <td className={styles['num']} title={`${whole(part.bytes)} bytes`}>{size(part.bytes)}</td>
                <td><svg className={styles['bar']} width="90" height="10" viewBox="0 0 90 10" aria-hidden="true"><rect width="90" height="10" rx="2" className={styles['barGround']} /><rect width={90 * barShare(part.bytes, largest)} height="10" rx="2" className={joined(styles['barFill'], part.codes.length > 0 && styles['barFound'])} /></svg></td>
                <td><button type="button" onClick={() => onSelect(part.offset)} title="Show these bytes">{part.tag === '' ? `${counted(part.length, 'byte')} at ${part.offset}` : plain(part.tag, 20)}</button></td>
                <td>{part.codes.map((code) => findingWords({ code }).title).join('; ') || <span className={styles['quiet']}>nothing</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** What it is inside of is told by the tree. */
function ownName(part: MapPart): string {
  return part.depth === 0 ? part.name : part.name.split(' in part ')[0] ?? part.name;
}

const ranks = ['malicious', 'unscannable', 'malformed', 'clean'] as const;

function worstOf(part: MapPart): string {
  const verdicts = new Set(part.codes.map((code) => findingWords({ code }).verdict));
  return ranks.find((verdict) => verdicts.has(verdict)) ?? 'clean';
}
