/**
 * The picture: the whole object as a strip, a lens on it, and the part under the lens drawn large with names. One focusable element,
 * a slider over the parts of the object; everything that the mouse can do the keys can do as well.
 */
import { useEffect, useMemo, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import type { Finding } from '@lazaret/pacs/quarantine/contract.ts';
import { joined } from '../parts/parts.tsx';
import { counted, sizeShort } from '../words/amounts.ts';
import { findingWords, isOfWhole } from '../words/findings.ts';
import { familyWords, nameOf } from '../words/kinds.ts';
import { fillOf } from './patterns.tsx';
import { indexAt, type Cell, type Region } from './regions.ts';
import { fitLens, lensOnto, pinsOf, scaleOf, trueToSize, zoomLens, type Lens, type Scale } from './scale.ts';
import { useWidth } from './width.ts';
import styles from './map.module.css';

const pinsHeight = 30;
const overviewHeight = 34;
const ribbonHeight = 30;
const bandHeight = 34;
const plateHeight = 40;
const overviewTop = pinsHeight;
const ribbonTop = overviewTop + overviewHeight;
const bandTop = ribbonTop + ribbonHeight;
const plateTop = bandTop + bandHeight;
const bottom = plateTop + plateHeight;
const height = bottom + 18;

export interface StripsProps {
  readonly bytes: number;
  readonly regions: readonly Region[];
  readonly cells: readonly Cell[];
  readonly findings: readonly Finding[];
  readonly exponent: number;
  readonly lens: Lens;
  readonly selected: number;
  readonly hovered: number | null;
  readonly finding: number | null;
  readonly onLens: (lens: Lens) => void;
  readonly onSelect: (cell: number) => void;
  readonly onHover: (cell: number | null) => void;
  readonly onFinding: (finding: number) => void;
  /** From the slider into the bytes. */
  readonly onEnter: () => void;
}

export function Strips(props: StripsProps) {
  const { regions, cells, findings, lens, selected, hovered, exponent } = props;
  const [frame, width] = useWidth();
  const svg = useRef<SVGSVGElement>(null);
  const overview = useMemo(() => scaleOf(regions, width, exponent, exponent === trueToSize ? 0.75 : 5), [regions, width, exponent]);
  const shown = useMemo(() => cells.slice(lens.first, lens.first + lens.count), [cells, lens]);
  const detail = useMemo(() => scaleOf(shown, width, 0.16, 26), [shown, width]);
  const first = shown[0];
  const last = shown.at(-1);
  const from = overview.toX(first?.offset ?? 0);
  const to = last === undefined ? from : Math.max(overview.toX(last.offset + last.length - 1), from + 6);
  const cellAt = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect();
    if (box === undefined) return selected;
    const x = event.clientX - box.left;
    return event.clientY - box.top < ribbonTop + ribbonHeight / 2 ? indexAt(cells, overview.toOffset(x)) : lens.first + indexAt(shown, detail.toOffset(x));
  };
  const centre = (cell: number): void => props.onLens(fitLens(cell - lens.count / 2, lens.count, cells.length));
  const dragging = useRef(false);
  usePan(svg, lens, cells.length, selected, props.onLens);
  return (
    <div ref={frame} className={styles['strips']}>
      <svg ref={svg} className={styles['picture']} width={width} height={height} role="group" aria-label="File map: the whole object as a strip, and the part under the lens">
        <g
          className={styles['overview']}
          onPointerDown={(event) => {
            dragging.current = true;
            event.currentTarget.setPointerCapture(event.pointerId);
            centre(cellAt(event));
          }}
          onPointerMove={(event) => { props.onHover(cellAt(event)); if (dragging.current) centre(cellAt(event)); }}
          onPointerUp={(event) => { if (dragging.current) props.onSelect(cellAt(event)); dragging.current = false; }}
          onPointerLeave={() => props.onHover(null)}
        >
          {regions.map((region, index) => (
            <rect key={region.offset} className={styles['region']} x={overview.edges[index] ?? 0} y={overviewTop} width={widthAt(overview, index)} height={overviewHeight} fill={fillOf(region.family)} />
          ))}
          <rect className={styles['shade']} x={0} y={overviewTop} width={from} height={overviewHeight} />
          <rect className={styles['shade']} x={to} y={overviewTop} width={Math.max(width - to, 0)} height={overviewHeight} />
          <Brush {...props} from={from} to={to} />
        </g>
        <rect className={styles['frame']} x={0.5} y={overviewTop - 0.5} width={Math.max(width - 1, 0)} height={overviewHeight + 1} rx={2} pointerEvents="none" />
        <path className={styles['ribbon']} d={ribbonPath(from, to, width, true)} />
        <path className={styles['ribbonEdge']} d={ribbonPath(from, to, width, false)} />
        <g onPointerMove={(event) => props.onHover(cellAt(event))} onPointerLeave={() => props.onHover(null)}>
          {shown.map((cell, index) => <DetailCell key={cell.offset} cell={cell} x={detail.edges[index] ?? 0} width={widthAt(detail, index)} onClick={() => props.onSelect(lens.first + index)} />)}
        </g>
        {findings.map((finding, index) => <Mark key={index} finding={finding} cells={shown} scale={detail} />)}
        {hovered !== null && hovered !== selected && <Outline index={hovered - lens.first} scale={detail} className={styles['hovered'] ?? ''} />}
        <Outline index={selected - lens.first} scale={detail} className={styles['selected'] ?? ''} />
        <g aria-hidden="true">
          <text className={styles['axis']} x={0} y={bottom + 13}>{first?.offset ?? 0}</text>
          <text className={styles['axis']} x={width} y={bottom + 13} textAnchor="end">{last === undefined ? 0 : last.offset + last.length}</text>
          <Pins {...props} scale={overview} />
        </g>
      </svg>
    </div>
  );
}

/** The lens on the overview; for keyboards and screen readers a slider over the parts of the object. */
function Brush({ cells, lens, selected, bytes, findings, finding, from, to, ...on }: StripsProps & { readonly from: number; readonly to: number }) {
  const cell = cells[selected];
  const select = (index: number): void => {
    const fitted = Math.min(Math.max(index, 0), cells.length - 1);
    on.onSelect(fitted);
    on.onLens(lensOnto(lens, fitted, cells.length));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = findings.length === 0 ? 0 : event.key === 'n' ? 1 : event.key === 'p' ? -1 : 0;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowRight: () => select(selected + 1), ArrowUp: () => select(selected + 1), ArrowLeft: () => select(selected - 1), ArrowDown: () => select(selected - 1),
      PageDown: () => select(selected + lens.count), PageUp: () => select(selected - lens.count), Home: () => select(0), End: () => select(cells.length - 1),
      '+': () => on.onLens(zoomLens(lens, 0.6, selected, cells.length)), '-': () => on.onLens(zoomLens(lens, 1.6, selected, cells.length)),
      Enter: on.onEnter,
      ...(step === 0 ? {} : { [event.key]: () => on.onFinding(((finding ?? (step > 0 ? -1 : 0)) + step + findings.length) % findings.length) }),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  return (
    <rect
      className={styles['brush']} x={from + 1} y={overviewTop - 3} width={Math.max(to - from - 2, 4)} height={overviewHeight + 6} rx={3}
      role="slider" tabIndex={0} aria-label="Place in the object" aria-orientation="horizontal" aria-valuemin={0} aria-valuemax={bytes} aria-valuenow={cell?.offset ?? 0}
      aria-valuetext={cell === undefined ? 'empty object' : describe(cell)} aria-keyshortcuts="n p + - Enter" onKeyDown={onKeyDown}
    />
  );
}

/** One part as a sentence. */
export function describe(cell: Cell): string {
  const { span } = cell;
  return [nameOf(span), span.tag, span.vr, `${counted(cell.length, 'byte')} at offset ${cell.offset}`, familyWords[cell.family].name].filter((text) => text !== '').join(', ');
}

/** Widths of letters vary; these are for the widest fonts that the style sheet may fall back to. */
const nameCharacterWidth = 7.1;
const moreCharacterWidth = 6.4;

function DetailCell({ cell, x, width, onClick }: { readonly cell: Cell; readonly x: number; readonly width: number; readonly onClick: () => void }) {
  const headerWidth = cell.headerLength === 0 || cell.headerLength === cell.length ? 0 : Math.max((cell.headerLength / cell.length) * width, 3);
  const name = cut(nameOf(cell.span), width, nameCharacterWidth);
  const more = cut(`${cell.span.vr === '' ? '' : `${cell.span.vr} · `}${sizeShort(cell.length)}`, width, moreCharacterWidth);
  return (
    <g className={styles['cell']} onClick={onClick}>
      <rect x={x} y={bandTop} width={width} height={bandHeight} fill={fillOf(cell.family)} className={styles['region']} />
      {headerWidth > 0 && <rect className={styles['header']} x={x} y={bandTop} width={headerWidth} height={bandHeight} />}
      <rect className={styles['plate']} x={x} y={plateTop} width={width} height={plateHeight} />
      <text className={styles['cellName']} x={x + 6} y={plateTop + 16} aria-hidden="true">{name}</text>
      <text className={styles['cellMore']} x={x + 6} y={plateTop + 31} aria-hidden="true">{more}</text>
    </g>
  );
}

function cut(text: string, width: number, characterWidth: number): string {
  const room = Math.floor((width - 9) / characterWidth);
  if (text.length <= room) return text;
  return room < 3 ? '' : `${text.slice(0, room - 1)}…`;
}

function Mark({ finding, cells, scale }: { readonly finding: Finding; readonly cells: readonly Cell[]; readonly scale: Scale }) {
  const first = cells[0];
  const last = cells.at(-1);
  const end = finding.offset + Math.max(finding.length, 1);
  if (isOfWhole(finding) || first === undefined || last === undefined || end <= first.offset || finding.offset >= last.offset + last.length) return null;
  const x = scale.toX(Math.max(finding.offset, first.offset));
  const right = end >= last.offset + last.length ? scale.width : scale.toX(end);
  return <rect className={joined(styles['mark'], toneOf(finding))} x={x + 0.75} y={bandTop + 1} width={Math.max(right - x - 1.5, 4)} height={bandHeight - 2} rx={2} />;
}

function Outline({ index, scale, className }: { readonly index: number; readonly scale: Scale; readonly className: string }) {
  if (index < 0 || index >= scale.edges.length - 1) return null;
  return <rect className={className} x={(scale.edges[index] ?? 0) + 1} y={bandTop} width={Math.max(widthAt(scale, index) - 2, 2)} height={bandHeight + plateHeight} rx={3} />;
}

const pinWidth = 20;

/** For the mouse; the list of findings beside the picture does the same for everyone. */
function Pins({ findings, finding, scale, onFinding }: StripsProps & { readonly scale: Scale }) {
  // What concerns the whole object has no place on the strip.
  const placed = findings.flatMap((each, index) => (isOfWhole(each) ? [] : [{ offset: each.offset, index }]));
  return pinsOf(placed, scale, pinWidth).map((bunch) => {
    const pin = { x: bunch.x, findings: bunch.findings.map((each) => placed[each]?.index ?? 0) };
    const [first = 0] = pin.findings;
    const x = Math.min(Math.max(pin.x, pinWidth / 2), scale.width - pinWidth / 2);
    const current = finding !== null && pin.findings.includes(finding);
    const next = current && finding !== null ? pin.findings[(pin.findings.indexOf(finding) + 1) % pin.findings.length] ?? first : first;
    return (
      <g key={first} className={joined(styles['pin'], toneOf(findings[first]), current && styles['pinOn'])} onClick={() => onFinding(next)}>
        <line className={styles['stem']} x1={pin.x} x2={pin.x} y1={overviewTop - 6} y2={overviewTop + overviewHeight} />
        <path d={`M${pin.x} ${overviewTop - 1} L${x - 6} 19 A10 10 0 1 1 ${x + 6} 19 Z`} />
        <text x={x} y={15}>{pin.findings.length === 1 ? first + 1 : `${first + 1}+`}</text>
      </g>
    );
  });
}

function ribbonPath(from: number, to: number, width: number, closed: boolean): string {
  const middle = ribbonTop + ribbonHeight / 2;
  const left = `M${from} ${ribbonTop + 3}C${from} ${middle} 0 ${middle} 0 ${bandTop}`;
  return closed
    ? `${left}H${width}C${width} ${middle} ${to} ${middle} ${to} ${ribbonTop + 3}Z`
    : `${left}M${to} ${ribbonTop + 3}C${to} ${middle} ${width} ${middle} ${width} ${bandTop}`;
}

function widthAt(scale: Scale, index: number): number {
  return Math.max((scale.edges[index + 1] ?? 0) - (scale.edges[index] ?? 0), 0);
}
/** A finding has the colour of the verdict that it alone would give. */
function toneOf(finding: Finding | undefined): string | undefined {
  const verdict = finding === undefined ? 'clean' : findingWords(finding).verdict;
  return styles[`tone${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}`];
}

/** Sideways scrolling moves the lens, with Ctrl it magnifies; up and down stay the page's. React listens passively, so by hand. */
function usePan(svg: React.RefObject<SVGSVGElement | null>, lens: Lens, total: number, selected: number, onLens: (lens: Lens) => void): void {
  useEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (event.ctrlKey) onLens(zoomLens(lens, event.deltaY < 0 ? 0.8 : 1.25, selected, total));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) onLens(fitLens(lens.first + Math.sign(sideways) * Math.max(1, lens.count / 12), lens.count, total));
      else return;
      event.preventDefault();
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [svg, lens, total, selected, onLens]);
}
