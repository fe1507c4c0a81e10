/** The picture of the file map with everything around it: scale, legend, bytes, words, table. */
import { useMemo, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import * as Tabs from 'radix-ui/tabs';
import * as ToggleGroup from 'radix-ui/toggle-group';
import type { Finding, LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import type { MapAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { Loading, Text, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { mapQuery, windowStart } from '../queries.ts';
import { counted, size, whole } from '../words/amounts.ts';
import { findingDetail, findingWords, isOfWhole } from '../words/findings.ts';
import { familyWords, legendOf, nameOf } from '../words/kinds.ts';
import { plain } from '../words/plain.ts';
import { Comparison } from './comparison.tsx';
import { Inside } from './inside.tsx';
import { HexView } from './hexview.tsx';
import { PartTable } from './parttable.tsx';
import { Patterns, Swatch } from './patterns.tsx';
import { cellsOf, indexAt, regionsOf, type Cell } from './regions.ts';
import { fitLens, lensOnto, readable, trueToSize, zoomLens } from './scale.ts';
import { Strips } from './strips.tsx';
import styles from './map.module.css';

export interface PictureProps {
  readonly entry: LedgerEntry;
  /** Index of the finding that is shown, chosen here or in the list beside. */
  readonly finding: number | null;
  readonly onFinding: (finding: number | null) => void;
}

export function Picture({ entry, finding, onFinding }: PictureProps) {
  const first = windowStart(placedFindings(entry)[0]?.offset ?? 0);
  const map = useQuery(mapQuery(entry.objectId, first));
  return (
    <section className={joined(partStyles['card'], styles['map'])} aria-labelledby="map-title">
      <Patterns />
      {map.isError ? <Trouble error={map.error} what="The file map cannot be made now" retry={() => void map.refetch()} />
        : map.isPending ? <><h2 id="map-title">File map</h2><Loading rows={4} what="the file map: an examiner is reading the object" /></>
          : map.data.spans.length === 0 ? <><h2 id="map-title">File map</h2><p>The object is empty: it has no byte to show.</p></>
            : <Explored entry={entry} map={map.data} firstStart={first} finding={finding} onFinding={onFinding} />}
    </section>
  );
}

/** What is archived after disarming is mapped as archived: the findings were about bytes that are no longer there. */
function isAsArchived(entry: LedgerEntry): boolean {
  return entry.state === 'archived' && entry.disarmed.length > 0;
}
const none: readonly Finding[] = [];
function placedFindings(entry: LedgerEntry): readonly Finding[] {
  return isAsArchived(entry) ? none : entry.findings;
}

/** So many cells around the first finding, or at the beginning, are under the lens at first. */
const firstLensCells = 11;

function Explored({ entry, map, firstStart, finding, onFinding }: PictureProps & { readonly map: MapAnswer; readonly firstStart: number }) {
  const { bytes, spans } = map;
  // The ledger's findings are what the verdict was given for; the map's are made afresh and may lack those of an engine.
  const findings = placedFindings(entry);
  const cells = useMemo(() => cellsOf(spans), [spans]);
  const regions = useMemo(() => regionsOf(spans), [spans]);
  const [selected, setSelected] = useState(() => indexAt(cells, findings[0]?.offset ?? 0));
  const [lens, setLens] = useState(() => fitLens(selected - firstLensCells / 2, firstLensCells, cells.length));
  const [target, setTarget] = useState(findings[0]?.offset ?? 0);
  const [start, setStart] = useState(firstStart);
  const [hovered, setHovered] = useState<number | null>(null);
  const [exponent, setExponent] = useState<number>(readable);
  const [tab, setTab] = useState('bytes');
  const window = useQuery(mapQuery(entry.objectId, start));
  const hex = useRef<HTMLDivElement>(null);
  const cell = cells[selected];

  const show = (offset: number): void => {
    setTarget(offset);
    const shown = window.data?.window;
    if (shown === undefined || shown === null || offset < shown.offset + 16 || offset >= shown.offset + 3072) setStart(windowStart(offset));
  };
  const select = (index: number, offset = cells[index]?.offset): void => {
    if (offset === undefined) return;
    setSelected(index);
    setLens((before) => lensOnto(before, index, cells.length));
    onFinding(null);
    show(offset);
  };
  // A finding chosen in the list beside or by a pin: adopted while rendering, as React asks for state that follows a property.
  const [adopted, setAdopted] = useState<number | null>(finding);
  if (finding !== adopted) {
    setAdopted(finding);
    const chosen = finding === null ? undefined : findings[finding];
    if (chosen !== undefined) {
      const index = indexAt(cells, chosen.offset);
      setSelected(index);
      setLens((before) => (index > before.first && index < before.first + before.count - 1 ? before : fitLens(index - before.count / 2, before.count, cells.length)));
      setTab('bytes');
      show(chosen.offset);
    }
  }
  const step = (by: number): void => onFinding(((finding ?? (by > 0 ? -1 : 0)) + by + findings.length) % findings.length);
  const readout = cells[hovered ?? selected];
  return (
    <>
      <div className={styles['head']}>
        <h2 id="map-title">File map</h2>
        <p>{isAsArchived(entry) && 'as archived, '}every byte of {size(bytes)}, in {counted(cells.length, 'part')}</p>
        <div className={styles['tools']}>
          {findings.length > 0 && (
            <>
              <span className={styles['group']}>
                <button type="button" onClick={() => step(-1)} aria-label="Previous finding" title="Previous finding (p)">◂</button>
                <button type="button" onClick={() => step(1)} title="Next finding (n)">Finding {finding === null ? '–' : finding + 1} of {findings.length} ▸</button>
              </span>
              <span className={styles['gap']} />
            </>
          )}
          <span className={styles['group']}>
            <button type="button" aria-label="Show more parts" title="Show more parts (-)" onClick={() => setLens(zoomLens(lens, 1.6, selected, cells.length))}>−</button>
            <button type="button" aria-label="Magnify" title="Magnify (+)" onClick={() => setLens(zoomLens(lens, 0.6, selected, cells.length))}>+</button>
          </span>
          <span className={styles['gap']} />
          <ToggleGroup.Root type="single" className={styles['group']} aria-label="Scale of the upper strip" value={String(exponent)} onValueChange={(value) => { if (value !== '') setExponent(Number(value)); }}>
            <ToggleGroup.Item value={String(readable)} title="Small parts stay visible">Readable</ToggleGroup.Item>
            <ToggleGroup.Item value={String(trueToSize)} title="Width is exactly length">True to size</ToggleGroup.Item>
          </ToggleGroup.Root>
        </div>
      </div>
      <Strips
        bytes={bytes} regions={regions} cells={cells} findings={findings} exponent={exponent} lens={lens} selected={selected} hovered={hovered} finding={finding}
        onLens={setLens} onSelect={select} onHover={setHovered} onFinding={onFinding} onEnter={() => { setTab('bytes'); hex.current?.focus(); }}
      />
      {readout !== undefined && <Readout cell={readout} />}
      <Tabs.Root className={styles['tabs']} value={tab} onValueChange={setTab}>
        <div className={styles['tabRow']}>
        <Tabs.List className={styles['tabList']} aria-label="Beneath the picture">
          <Tabs.Trigger value="bytes">Bytes</Tabs.Trigger>
          <Tabs.Trigger value="parts">All parts</Tabs.Trigger>
          {map.partCount > 0 && <Tabs.Trigger value="inside">Inside ({whole(map.partCount)})</Tabs.Trigger>}
          {entry.disarmed.length > 0 && <Tabs.Trigger value="disarmed">Received → disarmed</Tabs.Trigger>}
        </Tabs.List>
        <ul className={styles['legend']} aria-label="Legend">
          {legendOf(new Set(cells.map((each) => each.family))).map((family) => <li key={family} title={familyWords[family].meaning}><Swatch family={family} />{familyWords[family].name}</li>)}
        </ul>
        </div>
        <Tabs.Content value="bytes" tabIndex={-1}>
          <div className={styles['look']}>
            {window.isError ? <Trouble error={window.error} what="These bytes cannot be shown now" retry={() => void window.refetch()} />
              : window.data?.window === undefined || window.data.window === null ? <Loading rows={5} what="the bytes" />
                : (
                  <HexView
                    window={window.data.window} bytes={bytes} spans={spans} findings={findings} selected={cell ?? null} target={target} waiting={window.isPlaceholderData} focus={hex}
                    onByte={(offset) => select(indexAt(cells, offset), offset)} onWindow={(next) => { setStart(next); setTarget(next); }}
                  />
                )}
            {cell !== undefined && <About cell={cell} findings={findings} finding={finding} />}
          </div>
        </Tabs.Content>
        <Tabs.Content value="parts" tabIndex={-1}><PartTable cells={cells} findings={findings} selected={selected} onSelect={(index) => { select(index); setTab('bytes'); }} /></Tabs.Content>
        {map.partCount > 0 && <Tabs.Content value="inside" tabIndex={-1}><Inside map={map} onSelect={(offset) => { select(indexAt(cells, offset), offset); setTab('bytes'); }} /></Tabs.Content>}
        {entry.disarmed.length > 0 && <Tabs.Content value="disarmed" tabIndex={-1}><Comparison spans={spans} disarmed={entry.disarmed} /></Tabs.Content>}
      </Tabs.Root>
    </>
  );
}

function Readout({ cell }: { readonly cell: Cell }) {
  const { span } = cell;
  return (
    <p className={styles['readout']}>
      <strong><Text max={80}>{nameOf(span)}</Text></strong>
      {span.tag !== '' && <span className="mono">{plain(span.tag, 20)}</span>}
      {span.vr !== '' && <span>VR {plain(span.vr, 4)}</span>}
      <span>offset {whole(cell.offset)}</span>
      <span>{counted(cell.length, 'byte')}</span>
      {span.path !== '' && span.path !== span.tag && <span className="mono">{plain(span.path, 90)}</span>}
    </p>
  );
}

/** What the selected part is, and what was found in it. */
function About({ cell, findings, finding }: { readonly cell: Cell; readonly findings: readonly Finding[]; readonly finding: number | null }) {
  const here = findings.map((each, index) => ({ each, index })).filter(({ each, index }) => index === finding || (each.offset < cell.offset + cell.length && each.offset + Math.max(each.length, 1) > cell.offset && !isOfWhole(each)));
  return (
    <div className={styles['about']} role="region" aria-label="The selected part">
      <h3><Text max={80}>{nameOf(cell.span)}</Text></h3>
      {here.slice(0, 3).map(({ each, index }) => {
        const words = findingWords(each);
        return (
          <div key={index} className={joined(styles['found'], styles[words.verdict])}>
            <h4>{index + 1}. {words.title}</h4>
            <p><Text>{findingDetail(each)}</Text></p>
          </div>
        );
      })}
      <p>{familyWords[cell.family].meaning}</p>
      <dl className={styles['facts']}>
        <dt>Offset</dt><dd className="mono">{cell.offset} (0x{cell.offset.toString(16)})</dd>
        <dt>Length</dt><dd>{counted(cell.length, 'byte')}{cell.headerLength > 0 && cell.headerLength < cell.length && `, ${cell.headerLength} of them header`}</dd>
        {cell.span.tag !== '' && <><dt>Tag</dt><dd className="mono">{plain(cell.span.tag, 20)}</dd></>}
        {cell.span.vr !== '' && <><dt>VR</dt><dd>{plain(cell.span.vr, 4)}</dd></>}
        {cell.span.path !== '' && cell.span.path !== cell.span.tag && <><dt>Path</dt><dd className="mono">{plain(cell.span.path, 160)}</dd></>}
      </dl>
    </div>
  );
}
