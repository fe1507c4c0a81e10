/** The bytes: offset, hexadecimal, ASCII; what was found and what is selected stand out. */
import { useEffect, useMemo, useRef } from 'react';
import type { Finding } from '@lazaret/pacs/quarantine/contract.ts';
import type { MapAnswer, MapSpan } from '@lazaret/pacs/quarantine/requests.ts';
import { windowBytesMax } from '../../server/answers.ts';
import { joined, partStyles } from '../parts/parts.tsx';
import { isOfWhole } from '../words/findings.ts';
import { whole } from '../words/amounts.ts';
import { bytesOf, hexOffset, hexRows, rowBytes, type HexRow, type Run } from './hex.ts';
import styles from './map.module.css';

const rowHeight = 20;
/** Rows left visible above the place that is looked at. */
const rowsAbove = 2;
/** Findings longer than the window are marked where it shows them; more than this many are beyond reading. */
const findingsMarkedMax = 200;

export interface HexViewProps {
  readonly window: NonNullable<MapAnswer['window']>;
  readonly bytes: number;
  readonly spans: readonly MapSpan[];
  readonly findings: readonly Finding[];
  readonly selected: { readonly offset: number; readonly length: number } | null;
  /** The offset to bring into sight. */
  readonly target: number;
  /** Other bytes are on their way. */
  readonly waiting: boolean;
  readonly onByte: (offset: number) => void;
  readonly onWindow: (start: number) => void;
  readonly focus: React.RefObject<HTMLDivElement | null>;
}

export function HexView(props: HexViewProps) {
  const { window: { base64, offset }, bytes, spans, findings, selected, target, waiting, focus } = props;
  const data = useMemo(() => bytesOf(base64), [base64]);
  const rows = useMemo(() => hexRows(data, offset, spans, findings.filter((finding) => !isOfWhole(finding)).slice(0, findingsMarkedMax), selected), [data, offset, spans, findings, selected]);
  const end = offset + data.byteLength;
  const placed = useRef('');
  useEffect(() => {
    const place = `${target} ${offset}`;
    const element = focus.current;
    if (element === null || placed.current === place || target < offset || target >= end) return;
    placed.current = place;
    element.scrollTop = Math.max(0, Math.floor((target - offset + (offset % rowBytes)) / rowBytes) - rowsAbove) * rowHeight;
  }, [target, offset, end, focus]);
  const small = joined(partStyles['button'], partStyles['small']);
  return (
    <div className={styles['hexFrame']}>
      <div className={styles['hexHead']}>
        <span>Bytes {whole(offset)} to {whole(Math.max(end - 1, offset))} of {whole(bytes)}</span>
        <button type="button" className={small} disabled={offset === 0} onClick={() => props.onWindow(Math.max(0, offset - windowBytesMax / 2))}>Earlier</button>
        <button type="button" className={small} disabled={end >= bytes} onClick={() => props.onWindow(offset + windowBytesMax / 2)}>Later</button>
      </div>
      <div ref={focus} className={joined(styles['hex'], waiting && styles['stale'])} tabIndex={0} role="group" aria-label={`Bytes ${offset} to ${end - 1}: offset, hexadecimal, ASCII`} aria-busy={waiting}>
        {rows.map((row) => <Row key={row.offset} row={row} onByte={props.onByte} />)}
      </div>
    </div>
  );
}

function Row({ row, onByte }: { readonly row: HexRow; readonly onByte: (offset: number) => void }) {
  return (
    <div className={styles['hexRow']}>
      <span className={styles['at']}>{hexOffset(row.offset)}</span>
      <span className={styles['hexCol']}>{row.runs.map((run, index) => <HexRun key={run.offset} run={run} last={index === row.runs.length - 1} onByte={onByte} />)}</span>
      <span className={styles['ascii']}>{row.runs.map((run) => <span key={run.offset} className={look(run)} onClick={() => onByte(run.offset)}>{run.ascii}</span>)}</span>
    </div>
  );
}

function HexRun({ run, last, onByte }: { readonly run: Run; readonly last: boolean; readonly onByte: (offset: number) => void }) {
  return <><span className={look(run)} onClick={() => onByte(run.offset)}>{run.hex}</span>{!last && <span className={joined(run.half && styles['half'])}> </span>}</>;
}

function look(run: Run): string {
  return joined(styles['run'], styles[run.family], run.selected && styles['isSelected'], run.finding >= 0 && styles['isFinding']);
}
