/** Names of attributes in searches: those of the index, and by tag any other. */
import type { AttributeLookup } from '@lazaret/dicom/web/query.ts';
import { indexedAttributes, requestAttributeKeys } from './attributes.ts';

const names = new Map([...indexedAttributes, ...requestAttributeKeys].flatMap(({ tag, keyword, vr }) => [[tag, { tag, keyword, vr }], [keyword, { tag, keyword, vr }]] as const));

export const lookupAttribute: AttributeLookup = (name) => names.get(name);
