/** Which kind of document is declared: by its MIME type (PS3.3 C.24.2), or by the SOP Class where that is absent. */
import type { Reading } from '../reading.ts';
import type { Kind } from './kinds.ts';

export const documentTags = { document: 0x00420011, type: 0x00420012, sopClassUID: 0x00080016 } as const;

type Expected = Exclude<Kind, 'sealed'> | 'text' | null;

const types: ReadonlyMap<string, Expected> = new Map([
  ['application/pdf', 'pdf'],
  ['text/xml', 'xml'],
  ['application/xml', 'xml'],
  ['application/hl7-cda', 'xml'],
  ['application/hl7-cda+xml', 'xml'],
  ['image/svg+xml', 'page'],
  ['text/html', 'page'],
  ['text/rtf', 'rtf'],
  ['application/rtf', 'rtf'],
  ['text/plain', 'text'],
  ['model/stl', 'stl'],
  ['application/sla', 'stl'],
  ['model/obj', 'obj'],
  ['model/mtl', 'mtl'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/png', 'png'],
  ['image/gif', 'gif'],
  ['image/bmp', 'bmp'],
]);

const classes: ReadonlyMap<string, Expected> = new Map([
  ['1.2.840.10008.5.1.4.1.1.104.1', 'pdf'],
  ['1.2.840.10008.5.1.4.1.1.104.2', 'xml'],
  ['1.2.840.10008.5.1.4.1.1.104.3', 'stl'],
  ['1.2.840.10008.5.1.4.1.1.104.4', 'obj'],
  ['1.2.840.10008.5.1.4.1.1.104.5', 'mtl'],
]);

/** Null for a kind that nobody here looks through. Parameters of the MIME type say nothing of the kind. */
export function expectedOf(type: string, sopClassUID: string): Expected {
  const plain = type.toLowerCase().split(';')[0]!.trim();
  return (plain === '' ? classes.get(sopClassUID) : types.get(plain)) ?? null;
}

/** Kind of the document that the object is of, where it is declared at the top of the Data Set. */
export function declaredIn(reading: Reading): Expected {
  return expectedOf(reading.text(reading.top(documentTags.type)), reading.text(reading.top(documentTags.sopClassUID)));
}

/** These may hold documents and packed streams; they are taken apart by their own grammar, and each part is then looked at. */
export function isStructured(kind: Expected): boolean {
  return kind === 'pdf' || kind === 'xml';
}
