/** How far a disc is: sent, read, scanned, and how long it will take. */
import { useEffect, useRef, useState } from 'react';
import type { ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import { size, whole } from '../words/amounts.ts';
import { isActive } from './sending/senders.ts';
import type { Sending } from './sending/sender.ts';
import { remaining, scannedOf } from './words.ts';
import styles from './desk.module.css';

export function Progress({ sending, status, name }: { readonly sending: Sending | undefined; readonly status: ImportStatus | undefined; readonly name: string }) {
  const files = Math.max(status?.files ?? 0, sending?.files ?? 0, 1);
  const sent = sending === undefined ? 1 : sending.bytes === 0 ? sending.sentFiles / files : sending.sentBytes / sending.bytes;
  const image = sending !== undefined && sending.files === 1 && (status?.files ?? 0) !== 1;
  const total = status === undefined || status.files === 0 ? (image ? 0 : files) : status.files;
  const read = total === 0 || status === undefined ? 0 : Math.min(1, status.done / total);
  const scanned = total === 0 || status === undefined ? 0 : Math.min(1, scannedOf(status) / total);
  const left = useRemaining(sending, scanned);
  const over = status?.state === 'settled';
  const part = (value: number): string => `${(100 * (over ? 1 : value)).toFixed(1)}%`;
  const percent = Math.floor(100 * (over ? 1 : (Math.min(sent, 1) + read + scanned) / 3));
  return (
    <div className={styles['progress']}>
      <svg className={styles['bar']} role="progressbar" aria-label={`Progress of ${name}`} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} aria-valuetext={over ? 'scanned to the end' : `${percent} %`}>
        <rect className={styles['barSent']} width={part(sent)} height="100%" />
        <rect className={styles['barRead']} width={part(read)} height="100%" />
        <rect className={styles['barScanned']} width={part(scanned)} height="100%" />
      </svg>
      <p className={styles['figures']}>
        {sending !== undefined && <span><i className={styles['keySent']} aria-hidden="true" /><b>{image ? size(sending.sentBytes) : whole(Math.max(sending.sentFiles, status?.done ?? 0))}</b> of {image ? size(sending.bytes) : whole(sending.files)} sent</span>}
        {total > 0 && <span><i className={styles['keyRead']} aria-hidden="true" /><b>{whole(status?.done ?? 0)}</b> of {whole(total)} read</span>}
        {total > 0 && <span><i className={styles['keyScanned']} aria-hidden="true" /><b>{status === undefined ? 0 : whole(scannedOf(status))}</b> scanned</span>}
        {!over && left !== '' && <span className={styles['left']}>{left}</span>}
      </p>
    </div>
  );
}

/** From the speed of the last while: of sending, as long as it lasts, else of scanning. */
function useRemaining(sending: Sending | undefined, scanned: number): string {
  const marks = useRef<{ at: number; scanned: number }[]>([]);
  const [text, setText] = useState('');
  useEffect(() => {
    const at = performance.now();
    marks.current = [...marks.current.filter((mark) => at - mark.at < 15_000), { at, scanned }];
    const first = marks.current[0]!;
    const rate = at - first.at > 1_000 ? (scanned - first.scanned) / ((at - first.at) / 1_000) : 0;
    const scanSeconds = rate > 0 ? (1 - scanned) / rate : Number.NaN;
    const sendSeconds = sending !== undefined && isActive(sending) && sending.bytesPerSecond > 0 ? (sending.bytes - sending.sentBytes) / sending.bytesPerSecond : 0;
    setText(sendSeconds > 0 ? remaining(Math.max(sendSeconds, Number.isNaN(scanSeconds) ? 0 : scanSeconds)) : remaining(scanSeconds));
  }, [sending, scanned]);
  return text;
}
