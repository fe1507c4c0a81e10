/** Office documents that are ZIP files (ISO/IEC 29500, ODF): macros and documents that are fetched from elsewhere. */
import { printable, type Opening } from './contract.ts';

/** Relationships are short; a longer file is looked at as far as this. */
const relationsBytesMax = 256 * 1024;

export function checkOfficeEntry(name: string, bytes: Buffer, say: Opening['say']): void {
  const shown = printable(name);
  if (/(?:^|[/\\])vba\w*\.bin$|(?:^|\/)Basic\/.+\.x(?:ml|ba)$|(?:^|\/)macrosheets\//i.test(name)) say('document-active', `has macros (${shown})`);
  else if (/\.(?:bin|docm|xlsm|pptm)$/i.test(name) && /activex|embeddings/i.test(name)) say('document-active', `has objects of other programs in it (${shown})`);
  if (!/\.rels$/i.test(name)) return;
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, relationsBytesMax));
  for (const [relation] of text.matchAll(/<Relationship\b[^>]{0,2000}>/gi)) {
    if (/TargetMode\s*=\s*["']External/i.test(relation) && !/\/hyperlink["']/i.test(relation)) {
      say('document-active', `fetches a part of itself from elsewhere (${shown})`);
      return;
    }
  }
}
