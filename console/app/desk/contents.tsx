/** What is on a disc, for somebody who wants to see at a glance that it is the right one: examinations, how many images, and a picture of each series. */
import { useState } from 'react';
import type { IncomingSeries, IncomingStudy } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import { joined } from '../parts/parts.tsx';
import { counted } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { pictureAddress } from './requests.ts';
import { dateOf, kindOf, titleOf } from './words.ts';
import styles from './desk.module.css';

/** Pictures of one examination that are shown at first. */
const picturesMax = 12;

export function StudyContents({ study }: { readonly study: IncomingStudy }) {
  const [all, setAll] = useState(false);
  const shown = all ? study.series : study.series.slice(0, picturesMax);
  return (
    <div className={styles['study']}>
      <h3><bdi>{titleOf(study)}</bdi></h3>
      <p>{[dateOf(study.received.studyDate), counted(study.instances, 'image'), study.series.length > 1 ? `${study.series.length} series` : ''].filter((text) => text !== '').join(' · ')}</p>
      <ul className={styles['pictures']}>{shown.map((series) => <li key={series.seriesInstanceUID}><SeriesPicture series={series} /></li>)}</ul>
      {shown.length < study.series.length && <button type="button" className={styles['textButton']} onClick={() => setAll(true)}>Show all {study.series.length} series</button>}
    </div>
  );
}

export function SeriesPicture({ series }: { readonly series: IncomingSeries }) {
  const [broken, setBroken] = useState('');
  // The one in the middle changes while more come; the first that was shown stays, so that nothing flickers.
  const [picture, setPicture] = useState(series.picture);
  if (picture === '' && series.picture !== '') setPicture(series.picture);
  const words = [kindOf(series.modality), plain(series.description, 60)].filter((text) => text !== '').join(', ');
  return (
    <figure className={styles['series']}>
      {picture !== '' && broken !== picture ? <img src={pictureAddress(picture)} alt={words} width="116" height="116" decoding="async" onError={() => setBroken(picture)} /> : <div className={joined(styles['noPicture'])} aria-hidden="true">{kindOf(series.modality)}</div>}
      <figcaption><bdi>{plain(series.description, 60) || kindOf(series.modality)}</bdi><small>{counted(series.instances, 'image')}</small></figcaption>
    </figure>
  );
}
