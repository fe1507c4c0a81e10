/** As received and as disarmed: what was replaced outside the Data Set, and that the Data Set is the same to the byte. */
import type { MapSpan } from '@lazaret/pacs/quarantine/requests.ts';
import { plain } from '../words/plain.ts';
import { counted, size } from '../words/amounts.ts';
import { useWidth } from './width.ts';
import { fillOf } from './patterns.tsx';
import { familyOf, type Family } from './regions.ts';
import styles from './map.module.css';

/** The object in four parts. `from` and `to` are bytes of the object. */
export interface Part {
  readonly name: string;
  readonly family: Family;
  readonly length: number;
  readonly x: number;
  readonly width: number;
  /** What becomes of it. */
  readonly fate: 'same' | 'zeroed' | 'rewritten' | 'left out';
}

const stripHeight = 38;
const before = 20;
const between = 52;
const after = before + stripHeight + between;

/** Preamble, File Meta Information, Data Set and what follows it, with widths that people can see. */
export function partsOf(spans: readonly MapSpan[], disarmed: readonly string[], width: number): Part[] {
  let tailFamily: Family = 'trailing';
  const lengths = { preamble: 0, meta: 0, dataSet: 0, tail: 0 };
  let inTail = true;
  for (const span of spans.toReversed()) {
    const family = familyOf(span);
    if (family === 'preamble' || family === 'meta') lengths[family] += span.length;
    else if (inTail && (family === 'trailing' || family === 'padding')) {
      lengths.tail += span.length;
      tailFamily = family;
    }
    else {
      inTail = false;
      lengths.dataSet += span.length;
    }
  }
  const has = (...what: readonly string[]): boolean => what.some((each) => disarmed.includes(each));
  const rows: readonly (readonly [name: string, family: Family, length: number, weight: number, fate: Part['fate']])[] = [
    ['File Preamble', 'preamble', lengths.preamble, 0.22, has('preamble') ? 'zeroed' : 'same'],
    ['File Meta Information', 'meta', lengths.meta, 0.26, has('meta') ? 'rewritten' : 'same'],
    ['Data Set', 'elements', lengths.dataSet, 0.34, 'same'],
    ['After the end', tailFamily, lengths.tail, 0.18, has('trailing', 'padding') ? 'left out' : 'same'],
  ];
  const present = rows.filter(([, , length, , fate]) => length > 0 || fate !== 'same');
  const total = present.reduce((sum, [, , , weight]) => sum + weight, 0);
  let x = 0;
  return present.map(([name, family, length, weight, fate]) => {
    const part = { name, family, length, x, width: (weight / total) * width, fate };
    x += part.width;
    return part;
  });
}

const fates: Readonly<Record<Part['fate'], string>> = { same: 'kept, byte for byte', zeroed: '128 zero bytes', rewritten: 'written anew', 'left out': 'left out' };

export function Comparison({ spans, disarmed }: { readonly spans: readonly MapSpan[]; readonly disarmed: readonly string[] }) {
  const [frame, width] = useWidth();
  const parts = partsOf(spans, disarmed, width);
  return (
    <div ref={frame} className={styles['compare']}>
      <p>What stood outside the Data Set could carry a program without being part of the image, so it was replaced or left out. <strong>The Data Set is the same to the byte</strong>: its digest before and after is equal and on the record. The bytes as received stay in the vault.</p>
      <svg width={width} height={after + stripHeight + 4} role="img" aria-label={`As received and as disarmed. ${parts.map((part) => `${part.name}: ${fates[part.fate]}`).join('; ')}.`}>
        <text className={styles['compareName']} x={6} y={before - 7}>As received</text>
        <text className={styles['compareName']} x={6} y={after - 6}>As disarmed</text>
        {parts.map((part) => {
          const middle = part.x + part.width / 2;
          return (
            <g key={part.name}>
              {part.fate === 'same' && <rect className={styles['same']} x={part.x} y={before + stripHeight} width={part.width} height={between} />}
              {part.fate === 'same'
                ? <text className={styles['sameText']} x={middle} y={before + stripHeight + 24}>= identical</text>
                : <path className={styles['arrow']} d={`M${middle} ${before + stripHeight + 6}v${between - 30}m-5 -6l5 6l5 -6`} />}
              <rect className={styles['region']} x={part.x} y={before} width={part.width} height={stripHeight} fill={fillOf(part.family)} />
              <Plate x={middle} y={before} text={`${part.name}${part.length > 0 ? ` · ${size(part.length)}` : ''}`} width={part.width} />
              {part.fate === 'left out' || part.fate === 'zeroed'
                ? <rect className={styles['zero']} x={part.x + 1} y={after} width={part.width - 2} height={stripHeight} />
                : <rect className={styles['region']} x={part.x} y={after} width={part.width} height={stripHeight} fill={fillOf(part.family)} />}
              <Plate x={middle} y={after} text={fates[part.fate]} width={part.width} />
            </g>
          );
        })}
      </svg>
      <p>{counted(disarmed.length, 'part')} neutralised: {disarmed.map((what) => plain(what, 20)).join(', ')}.</p>
    </div>
  );
}

function Plate({ x, y, text, width }: { readonly x: number; readonly y: number; readonly text: string; readonly width: number }) {
  const plate = Math.min(text.length * 7.2 + 14, width - 6);
  return (
    <>
      <rect className={styles['partPlate']} x={x - plate / 2} y={y + 9} width={plate} height={20} rx={4} />
      <text className={styles['partName']} x={x} y={y + 23}>{text}</text>
    </>
  );
}
