/** The file map as a table: the same as the picture, for screen readers, for keyboards, for copying. */
import { useState } from 'react';
import type { Finding } from '@lazaret/pacs/quarantine/contract.ts';
import { joined, partStyles } from '../parts/parts.tsx';
import { counted, whole } from '../words/amounts.ts';
import { isOfWhole } from '../words/findings.ts';
import { nameOf } from '../words/kinds.ts';
import { plain } from '../words/plain.ts';
import { Swatch } from './patterns.tsx';
import type { Cell } from './regions.ts';
import styles from './map.module.css';

const rowsPerPage = 100;

export function PartTable({ cells, findings, selected, onSelect }: { readonly cells: readonly Cell[]; readonly findings: readonly Finding[]; readonly selected: number; readonly onSelect: (cell: number) => void }) {
  const [page, setPage] = useState(Math.floor(Math.max(selected, 0) / rowsPerPage));
  const pages = Math.max(Math.ceil(cells.length / rowsPerPage), 1);
  const start = Math.min(page, pages - 1) * rowsPerPage;
  const small = joined(partStyles['button'], partStyles['small']);
  return (
    <>
      <div className={styles['parts']} tabIndex={0} role="group" aria-label="All parts of the object">
        <table>
          <thead><tr><th scope="col">Offset</th><th scope="col" className={styles['num']}>Bytes</th><th scope="col">Part</th><th scope="col">Tag</th><th scope="col">VR</th><th scope="col">Path</th><th scope="col">Found</th></tr></thead>
          <tbody>
            {cells.slice(start, start + rowsPerPage).map((cell, index) => {
              const found = findings.flatMap((finding, at) => (!isOfWhole(finding) && finding.offset < cell.offset + cell.length && finding.offset + Math.max(finding.length, 1) > cell.offset ? [at + 1] : []));
              return (
                <tr key={cell.offset} {...(found.length > 0 ? { 'data-found': '' } : {})}>
                  <td>{cell.offset}</td>
                  <td className={styles['num']}>{whole(cell.length)}</td>
                  <td><Swatch family={cell.family} /> <button type="button" onClick={() => onSelect(start + index)}><bdi>{plain(nameOf(cell.span), 80)}</bdi></button></td>
                  <td className="mono">{plain(cell.span.tag, 20)}</td>
                  <td>{plain(cell.span.vr, 4)}</td>
                  <td className="mono">{cell.span.path === cell.span.tag ? '' : plain(cell.span.path, 120)}</td>
                  <td>{found.length === 0 ? '' : `Finding ${found.slice(0, 8).join(', ')}`}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <div className={styles['pager']}>
        <button type="button" className={small} disabled={start === 0} onClick={() => setPage(Math.max(page - 1, 0))}>Previous</button>
        <button type="button" className={small} disabled={start + rowsPerPage >= cells.length} onClick={() => setPage(page + 1)}>Next</button>
        <span>{whole(start + 1)} to {whole(Math.min(start + rowsPerPage, cells.length))} of {counted(cells.length, 'part')}</span>
      </div>
    </>
  );
}
