/** Fills of the regions: each family has a colour and a pattern, so that it can be told without the colour. */
import { Fragment } from 'react';
import type { Family } from './regions.ts';
import { families } from './regions.ts';
import mapStyles from './map.module.css';
import styles from './patterns.module.css';

/** Side of the tile and what is drawn on it. */
const marks: Readonly<Record<Family, { readonly side: number; readonly path: string; readonly turn?: number; readonly width?: number }>> = {
  preamble: { side: 7, path: 'M0 0V7', turn: 45, width: 3 },
  meta: { side: 6, path: 'M1.5 3h0.01', width: 2.4 },
  elements: { side: 8, path: '', width: 1 },
  private: { side: 6, path: 'M3 0V6', width: 1.6 },
  bulk: { side: 8, path: 'M0 0 8 8M8 0 0 8', width: 1.1 },
  pixels: { side: 5, path: 'M0 1.25H2.5M2.5 3.75H5', width: 2.5 },
  padding: { side: 5, path: 'M0 2.5H5', width: 1 },
  trailing: { side: 7, path: 'M0 0V7', turn: -45, width: 2.4 },
  unexplained: { side: 6, path: 'M0 3H6M3 0V6', turn: 45, width: 1.5 },
};

/** Once on a page that draws with `fillOf`. */
export function Patterns() {
  return (
    <svg className={mapStyles['defs']} aria-hidden="true" focusable="false">
      <defs>
        {families.map((family) => {
          const { side, path, turn, width } = marks[family];
          return (
            <Fragment key={family}>
              <pattern id={`fill-${family}`} width={side} height={side} patternUnits="userSpaceOnUse" {...(turn === undefined ? {} : { patternTransform: `rotate(${turn})` })}>
                <rect width={side} height={side} className={styles[`fill-${family}`]} />
                <path d={path} strokeWidth={width ?? 1} strokeLinecap={family === 'meta' ? 'round' : 'butt'} fill="none" className={styles[`mark-${family}`]} />
              </pattern>
            </Fragment>
          );
        })}
      </defs>
    </svg>
  );
}
export const fillOf = (family: Family): string => `url(#fill-${family})`;

export function Swatch({ family }: { readonly family: Family }) {
  return <svg className={mapStyles['swatch']} width={22} height={14} aria-hidden="true" focusable="false"><rect width={22} height={14} rx={3} fill={fillOf(family)} /></svg>;
}
