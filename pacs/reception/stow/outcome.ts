/** What became of each object of one message, and the standard's answer to it (PS3.18 §10.5.3, Annex I). */
import type { RouteAnswer } from '../../access/routes.ts';
import { json } from '../../access/routes.ts';
import type { ObjectId } from '../contract.ts';

/** Failure Reasons of PS3.18 Table I.2-2 that this door gives. */
export const failureReasons = {
  /** A7xx: refused, out of resources. */
  'out-of-resources': 0xa700,
  /** A9xx: Data Set does not match SOP Class; also for a study other than the one of the URL, as is common use. */
  'study-mismatch': 0xa900,
  /** Cxxx: cannot understand. */
  'not-understood': 0xc000,
  /** Generic processing failure. */
  'processing-failure': 0x0110,
} as const;
export type FailureReason = keyof typeof failureReasons;

/** Warning Reason: the Data Set did not match the constraints of its SOP Class (Table I.2-1). Nearest to "held": see docs/decisions. */
export const heldWarningReason = 0xb007;

/**
 * - `stored`: archived; can be retrieved.
 * - `kept`: durable here, not retrievable: held for a decision, or its inspection is not over.
 * - `failed`: not here, or not as the object that it was sent as.
 */
export type Outcome =
  | { readonly kind: 'stored'; readonly sopClassUID: string; readonly sopInstanceUID: string; readonly studyInstanceUID: string; readonly retrieveURL: string }
  | { readonly kind: 'kept'; readonly objectId: ObjectId; readonly sopClassUID: string; readonly sopInstanceUID: string; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly sopClassUID: string; readonly sopInstanceUID: string; readonly text: string };

interface Attribute { readonly vr: string; readonly Value?: readonly unknown[] }
type Item = Readonly<Record<string, Attribute>>;

const ui = (value: string): Attribute => (value === '' ? { vr: 'UI' } : { vr: 'UI', Value: [value] });
const ur = (value: string): Attribute => (value === '' ? { vr: 'UR' } : { vr: 'UR', Value: [value] });
const us = (value: number): Attribute => ({ vr: 'US', Value: [value] });
const sq = (items: readonly Item[]): Attribute => ({ vr: 'SQ', Value: items });

/** A private block (PS3.5 §7.8) says in words what the standard's codes cannot. */
const words = (text: string): Item => ({ '00990010': { vr: 'LO', Value: ['LAZARET'] }, '00991001': { vr: 'UT', Value: [text] } });

/** The Store Instances Response Module (PS3.18 Table I.1-1) as DICOM JSON; names in it are the standard's. */
export function responseModule(outcomes: readonly Outcome[], studiesURL: string): Item {
  const stored = outcomes.filter((outcome) => outcome.kind === 'stored');
  const studies = new Set(stored.map((outcome) => outcome.studyInstanceUID));
  const referenced: Item[] = [];
  const failed: Item[] = [];
  const others: Item[] = [];
  for (const outcome of outcomes) {
    const identity = { '00081150': ui(outcome.sopClassUID), '00081155': ui(outcome.sopInstanceUID) };
    if (outcome.kind === 'stored') referenced.push({ ...identity, '00081190': ur(outcome.retrieveURL) });
    else if (outcome.kind === 'failed') {
      const reason = { '00081197': us(failureReasons[outcome.reason]), ...words(outcome.text) };
      // An object that could not be read has no UIDs to be named by: Other Failures Sequence.
      if (outcome.sopInstanceUID === '') others.push(reason);
      else failed.push({ ...identity, ...reason });
    } else if (outcome.sopInstanceUID === '') others.push({ '00081197': us(failureReasons['not-understood']), ...words(outcome.text) });
    // Retrieve URL is Type 2: empty, since it cannot be retrieved.
    else referenced.push({ ...identity, '00081190': ur(''), '00081196': us(heldWarningReason), ...words(outcome.text) });
  }
  return {
    '00081190': ur(studies.size === 1 ? `${studiesURL}/${[...studies][0]}` : ''),
    ...(failed.length > 0 ? { '00081198': sq(failed) } : {}),
    ...(referenced.length > 0 ? { '00081199': sq(referenced) } : {}),
    ...(others.length > 0 ? { '0008119A': sq(others) } : {}),
  };
}

/**
 * 200: all stored. 202: some stored or kept, with warnings or failures. 409: none. 503: none, because there is no room: the user agent may
 * send the same again later (PS3.18 Table 10.5.3-1).
 */
export function statusOf(outcomes: readonly Outcome[]): 200 | 202 | 409 | 503 {
  if (outcomes.every((outcome) => outcome.kind === 'stored')) return 200;
  if (outcomes.some((outcome) => outcome.kind === 'stored' || (outcome.kind === 'kept' && outcome.sopInstanceUID !== ''))) return 202;
  return outcomes.every((outcome) => outcome.kind === 'failed' && outcome.reason === 'out-of-resources') ? 503 : 409;
}

export function answerOutcomes(outcomes: readonly Outcome[], studiesURL: string, accept: string | undefined): RouteAnswer {
  const status = statusOf(outcomes);
  const module = responseModule(outcomes, studiesURL);
  const kept = outcomes.filter((outcome) => outcome.kind === 'kept').length;
  const headers = {
    ...(kept > 0 ? { warning: `299 lazaret "${kept} of ${outcomes.length} objects ${kept === 1 ? 'is' : 'are'} kept but cannot be retrieved yet; see the response"` } : {}),
    ...(status === 503 ? { 'retry-after': 30 } : {}),
  };
  if (accept !== undefined && /\bapplication\/dicom\+xml\b/.test(accept) && !/\bapplication\/(?:dicom\+)?json\b/.test(accept)) {
    return { status, headers: { ...headers, 'content-type': 'application/dicom+xml; charset=utf-8' }, body: `<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xml:space="preserve" xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">${xmlOf(module)}</NativeDicomModel>\n` };
  }
  return json(status, module, { ...headers, 'content-type': 'application/dicom+json; charset=utf-8' });
}

const keywords: Readonly<Record<string, string>> = {
  '00081190': 'RetrieveURL', '00081198': 'FailedSOPSequence', '00081199': 'ReferencedSOPSequence', '0008119A': 'OtherFailuresSequence', '00081150': 'ReferencedSOPClassUID', '00081155': 'ReferencedSOPInstanceUID', '00081196': 'WarningReason', '00081197': 'FailureReason',
};

/** Native DICOM Model (PS3.19 Annex A.1), for the few attributes of this answer. */
function xmlOf(item: Item): string {
  return Object.entries(item).map(([tag, { vr, Value = [] }]) => {
    const name = keywords[tag] === undefined ? tag.startsWith('0099') && !tag.startsWith('009900') ? ' privateCreator="LAZARET"' : '' : ` keyword="${keywords[tag]}"`;
    const values = Value.map((value, index) => (vr === 'SQ' ? `<Item number="${index + 1}">${xmlOf(value as Item)}</Item>` : `<Value number="${index + 1}">${escapeXml(String(value))}</Value>`));
    return `<DicomAttribute tag="${tag}" vr="${vr}"${name}>${values.join('')}</DicomAttribute>`;
  }).join('');
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd');
}
