/** What each part of an object is, for somebody who has never read the standard. */
import type { MapSpan } from '@lazaret/pacs/quarantine/requests.ts';
import { families, type Family } from '../map/regions.ts';

export interface FamilyWords {
  readonly name: string;
  readonly meaning: string;
}

export const familyWords: Readonly<Record<Family, FamilyWords>> = {
  preamble: { name: 'File Preamble', meaning: 'The first 128 bytes. The standard leaves them free, so anything can stand here: nothing at all, a TIFF header, or the start of a program.' },
  meta: { name: 'File Meta Information', meaning: 'Says what the object is and how it is encoded. No medical content.' },
  elements: { name: 'Data elements', meaning: 'Patient, study, series and how the image was taken. Each element is a tag, a type and a value of stated length.' },
  private: { name: 'Private elements', meaning: 'A manufacturer’s own. Only the manufacturer knows their meaning, which makes them a good place to hide something; every value is looked into.' },
  bulk: { name: 'Bulk values', meaning: 'Long binary values of public elements: waveforms, lookup tables, embedded documents. They are looked into and, where they are containers, unpacked.' },
  pixels: { name: 'Pixel Data', meaning: 'The image itself. Its length must be exactly what rows, columns and depth imply, or it must be a complete compressed image.' },
  padding: { name: 'Padding', meaning: 'Filler that means nothing. It is left out when the object is archived.' },
  trailing: { name: 'After the end', meaning: 'Bytes after the last element. No reader of images needs them, so they are cut off, and the object is held where they look like a program or are many.' },
  unexplained: { name: 'Unexplained', meaning: 'Nothing in the object accounts for these bytes. An object with such bytes is never archived.' },
};

/** In the order of the legend, only what occurs. */
export function legendOf(present: ReadonlySet<Family>): Family[] {
  return families.filter((family) => present.has(family));
}

const kindWords: Readonly<Record<string, string>> = {
  preamble: 'File Preamble', prefix: 'DICM prefix', meta: 'File Meta Information', header: 'element header', value: 'value', private: 'private value', pixels: 'Pixel Data',
  bulk: 'bulk value', item: 'item of a sequence', 'offset-table': 'Basic Offset Table', fragment: 'compressed fragment', padding: 'padding', deflated: 'deflated Data Set',
  trailing: 'bytes after the end', unexplained: 'unexplained bytes',
};

/** Name of a span: its keyword in words, else what it is. `PixelData` is "Pixel Data". */
export function nameOf(span: MapSpan): string {
  const words = kindWords[span.kind] ?? 'unexplained bytes';
  if (span.keyword !== '') return span.kind === 'fragment' || span.kind === 'offset-table' ? `${keywordInWords(span.keyword)}: ${words}` : keywordInWords(span.keyword);
  if (span.tag !== '' && span.kind !== 'item' && span.kind !== 'fragment') return `${span.kind === 'private' ? 'Private element' : 'Element'} ${span.tag}`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `SOPInstanceUID` to "SOP Instance UID", `PatientName` to "Patient Name". */
export function keywordInWords(keyword: string): string {
  return keyword.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
}
