/** Checks of what other processes say about the worklist. What fails is refused whole. */
import { refused } from '@lazaret/system/failure.ts';
import { queryCharactersMax, worklistItemsMax, type WorklistAnswer, type WorklistItem, type WorklistRequest } from './contract.ts';

type Fields = Readonly<Record<string, unknown>>;

const textMax = 500;
const personMax = 128;

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('request-invalid', 'a request about the worklist is an object');
  return value as Fields;
}

function text(value: Fields, name: string, max: number): string {
  const found = value[name];
  // oxlint-disable-next-line no-control-regex
  if (typeof found !== 'string' || found.length > max || /[\x00-\x1f\x7f]/.test(found)) throw refused('request-invalid', `${name} is not text of at most ${max} characters`);
  return found;
}

/** A question by web or terminal. Throws `request-invalid`, and `query-empty` where it would ask for everything that the hospital has planned. */
export function checkRequest(untrusted: unknown): Required<WorklistRequest> {
  const value = fields(untrusted);
  const query = { patientName: text(value, 'patientName', queryCharactersMax).trim(), patientID: text(value, 'patientID', 64).trim(), accessionNumber: text(value, 'accessionNumber', 64).trim() };
  const all = Object.values(query);
  // A backslash would separate values (PS3.5 §6.2): two questions in one.
  if (all.some((each) => each.includes('\\'))) throw refused('request-invalid', 'a question to the worklist has no backslash');
  if (all.every((each) => each.replace(/[*?^=\s]/g, '') === '')) throw refused('query-empty', 'Say whom to look for: a name or its beginning, a Patient ID or an accession number.');
  return { ...query, person: value['person'] === undefined ? '' : text(value, 'person', personMax), address: value['address'] === undefined ? '' : text(value, 'address', personMax) };
}

const itemKeys = ['patientName', 'patientID', 'issuerOfPatientID', 'patientBirthDate', 'patientSex', 'accessionNumber', 'studyDescription', 'requestedProcedureID', 'modality', 'scheduledDate'] as const;

/** An answer of the worklist process, which decodes what a stranger sent: the items hold these texts and nothing else. */
export function checkAnswer(untrusted: unknown): WorklistAnswer {
  const value = fields(untrusted);
  const { outcome, items, cut } = value;
  if ((outcome !== 'found' && outcome !== 'failed') || !Array.isArray(items) || items.length > worklistItemsMax || typeof cut !== 'boolean') throw refused('request-invalid', 'there is no such answer of a worklist');
  return { outcome, text: text(value, 'text', textMax), items: items.map(checkItem), cut };
}

function checkItem(untrusted: unknown): WorklistItem {
  const value = fields(untrusted);
  const item = Object.fromEntries(itemKeys.map((key) => [key, text(value, key, queryCharactersMax)])) as unknown as WorklistItem;
  for (const date of [item.patientBirthDate, item.scheduledDate]) if (!/^(\d{8})?$/.test(date)) throw refused('request-invalid', 'a date of an order is no date');
  if (!/^[MFO]?$/.test(item.patientSex)) throw refused('request-invalid', 'a sex of an order is none of the standard');
  return item;
}
