/** The picture of the spread: four columns, from the source to who opened it. Everything in it is in the tables below, too. */
import { useRef, type KeyboardEvent } from 'react';
import { joined } from '../parts/parts.tsx';
import { useWidth } from '../map/width.ts';
import { columnNames, pathOf, type Node, type Spread } from './spread.ts';
import styles from './trace.module.css';

const nodeHeight = 50;
const gap = 12;
const top = 30;
/** Between two columns: room for the lines. */
const channel = 46;

const directions: Readonly<Record<string, readonly [across: number, down: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export interface SpreadPictureProps {
  readonly spread: Spread;
  /** Key of the node that is looked at, or null. */
  readonly selected: string | null;
  readonly onSelect: (key: string | null) => void;
}

export function SpreadPicture({ spread, selected, onSelect }: SpreadPictureProps) {
  const [frame, width] = useWidth();
  const svg = useRef<SVGSVGElement>(null);
  const rows = Math.max(1, ...columnNames.map((_, column) => spread.nodes.filter((node) => node.column === column).length));
  const height = top + rows * (nodeHeight + gap);
  const nodeWidth = Math.max(120, (width - 3 * channel) / 4);
  const places = new Map<string, { readonly node: Node; readonly x: number; readonly y: number }>();
  for (const column of [0, 1, 2, 3]) {
    const nodes = spread.nodes.filter((node) => node.column === column);
    const free = (rows - nodes.length) * (nodeHeight + gap);
    for (const [row, node] of nodes.entries()) places.set(node.key, { node, x: column * (nodeWidth + channel), y: top + free / 2 + row * (nodeHeight + gap) });
  }
  const path = selected === null ? null : pathOf(spread, selected);

  /** Arrows walk through the columns. */
  const onKey = (event: KeyboardEvent<SVGGElement>, key: string): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onSelect(selected === key ? null : key);
      return;
    }
    if (event.key === 'Escape') onSelect(null);
    const [across, down] = directions[event.key] ?? [0, 0];
    if (across === 0 && down === 0) return;
    event.preventDefault();
    const here = places.get(key)!;
    const candidates = [...places.values()].filter(({ node, y }) => (across === 0 ? node.column === here.node.column && Math.sign(y - here.y) === down : node.column === here.node.column + across));
    // Along a line first, and along the strongest.
    const lines = (other: string): number => {
      const edge = spread.edges.find(({ from, to }) => (from === key && to === other) || (to === key && from === other));
      return edge === undefined ? 0 : edge.strong ? 2 : 1;
    };
    const nearest = candidates.toSorted((one, other) => (across === 0 ? 0 : lines(other.node.key) - lines(one.node.key)) || Math.abs(one.y - here.y) - Math.abs(other.y - here.y))[0];
    if (nearest !== undefined) svg.current?.querySelector<SVGGElement>(`[data-node="${CSS.escape(nearest.node.key)}"]`)?.focus();
  };
  return (
    <div ref={frame} className={styles['frame']}>
      <svg ref={svg} className={styles['picture']} viewBox={`0 0 ${Math.max(width, 4 * 120 + 3 * channel)} ${height}`} role="group" aria-label="The spread: from the source on the left to who opened it on the right. Arrow keys walk through it, Enter shows one path.">
        {columnNames.map((name, column) => <text key={name} className={styles['column']} x={column * (nodeWidth + channel)} y={16}>{name}</text>)}
        <g aria-hidden="true">
          {spread.edges.map(({ from, to, strong }) => {
            const [start, end] = [places.get(from), places.get(to)];
            if (start === undefined || end === undefined) return null;
            const [x1, y1, x2, y2] = [start.x + nodeWidth, start.y + nodeHeight / 2, end.x, end.y + nodeHeight / 2];
            const shown = path === null ? strong : path.has(from) && path.has(to);
            return <path key={`${from} ${to}`} className={joined(styles['edge'], shown && styles['strong'], path !== null && !shown && styles['faint'])} d={`M${x1} ${y1}C${x1 + channel / 2} ${y1} ${x2 - channel / 2} ${y2} ${x2} ${y2}`} />;
          })}
        </g>
        {[...places.values()].map(({ node, x, y }) => (
          <g
            key={node.key} data-node={node.key} role="button" tabIndex={0} aria-pressed={selected === node.key}
            className={joined(styles['node'], styles[`tone-${node.tone}`], node.strong && styles['strongNode'], path !== null && !path.has(node.key) && styles['faint'])}
            transform={`translate(${x} ${y})`} onClick={() => onSelect(selected === node.key ? null : node.key)} onKeyDown={(event) => onKey(event, node.key)}
          >
            <title>{`${columnNames[node.column]}: ${node.title}${node.detail === '' ? '' : `, ${node.detail}`}`}</title>
            <rect width={nodeWidth} height={nodeHeight} rx={8} />
            <rect className={styles['edgeMark']} width={4} height={nodeHeight - 12} y={6} x={0} rx={1.5} />
            {/* Whole, and cut off at the edge: what is read aloud is what is written. */}
            <svg x={14} width={nodeWidth - 22} height={nodeHeight} overflow="hidden">
              <text className={styles['name']} y={21}>{node.title}</text>
              <text className={styles['detail']} y={38}>{node.detail}</text>
            </svg>
          </g>
        ))}
      </svg>
    </div>
  );
}
