/** STOW-RS (PS3.18 §10.5): POST /dicomweb/studies and /dicomweb/studies/{study}. */
import { randomBytes } from 'node:crypto';
import { parseMediaType, type MediaType } from '@lazaret/dicom/web/mediatype.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { problem, type Route, type RouteAnswer, type RouteRequest } from '../../access/routes.ts';
import { ArrivingArea } from '../arrival.ts';
import type { Admission, ObjectId, ReceivedObject, Source } from '../contract.ts';
import { DicomParts, readMessage, type IntakeParts, type Taken } from './intake.ts';
import { JsonParts } from './metadata.ts';
import { stowLimits, type StowLimits } from './limits.ts';
import { answerOutcomes, type Outcome } from './outcome.ts';

/** What this door needs to know of an object after its inspection: the quarantine's ledger entry has it all, and more. */
export interface Concluded {
  readonly objectId: ObjectId;
  readonly state: string;
  readonly verdict: string | null;
  readonly findings: readonly { readonly text: string }[];
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
}

export interface StowDeps {
  readonly arriving: string;
  readonly keeper: { request<Answer>(name: string, body: unknown): Promise<Answer> };
  /** Series Instance UID of an archived instance, for its Retrieve URL; null where the index does not have it (yet). */
  readonly seriesOf: (studyInstanceUID: string, sopInstanceUID: string) => string | null;
  readonly limits?: StowLimits;
  readonly now?: () => number;
}

export function stowRoutes(deps: StowDeps): Route[] {
  const limits = deps.limits ?? stowLimits;
  const intake: IntakeParts = { area: new ArrivingArea(deps.arriving, limits.diskFreeBytesMin), admit: (object: ReceivedObject) => deps.keeper.request<Admission>('admit', object), limits, now: deps.now ?? Date.now };
  let messages = 0;
  const composing = { count: 0 };
  const handler = async (request: RouteRequest): Promise<RouteAnswer> => {
    if (messages >= limits.messagesMax) return problem(503, 'messages-exceeded', `${limits.messagesMax} messages are being taken in; send this one again in a moment.`, { 'retry-after': 5 });
    messages += 1;
    try {
      return await store(request, deps, intake, composing);
    } finally {
      messages -= 1;
    }
  };
  const route = (url: string): Route => ({ method: 'POST', url, action: 'write-bytes', audience: 'service', body: 'stream', bodyBytesMax: limits.messageBytesMax, handler });
  return [route('/dicomweb/studies'), route('/dicomweb/studies/:studyInstanceUID')];
}

async function store(request: RouteRequest, deps: StowDeps, intake: IntakeParts, composing: { count: number }): Promise<RouteAnswer> {
  const studyInstanceUID = request.params['studyInstanceUID'] ?? null;
  if (studyInstanceUID !== null && !/^[0-9.]{1,64}$/.test(studyInstanceUID)) return problem(400, 'study-invalid', 'The Study Instance UID of the address is not a UID.');
  const type = parseMediaType(request.headers['content-type'] ?? '');
  const refusal = refuseType(type, request.headers['content-encoding']);
  if (refusal !== null || type === null) return refusal!;

  const source: Source = { door: 'stow', peer: request.actor.name, address: request.actor.address, callingAETitle: '', calledAETitle: '', batch: randomBytes(16).toString('hex') };
  let taken: readonly Promise<Taken>[];
  if (isJson(type)) {
    if (composing.count >= intake.limits.composingMax) return problem(503, 'messages-exceeded', `${intake.limits.composingMax} messages in DICOM JSON are being taken in; send this one again in a moment, or as application/dicom.`, { 'retry-after': 5 });
    composing.count += 1;
    const parts = new JsonParts(intake.limits);
    try {
      await readMessage(request.stream, type, parts, intake.limits);
      taken = await parts.compose(intake, source, studyInstanceUID);
    } catch (error) {
      return answerMessage(error, 0);
    } finally {
      composing.count -= 1;
    }
  } else {
    const parts = new DicomParts(intake, source);
    taken = parts.taken;
    try {
      await readMessage(request.stream, type, parts, intake.limits);
    } catch (error) {
      // What was whole before the fault is admitted already and stays; the sender repeats the message and finds it known.
      await Promise.all(taken);
      return answerMessage(error, taken.length);
    }
  }
  const until = intake.now() + intake.limits.concludeTimeoutMs;
  const outcomes = await Promise.all(taken.map(async (taking) => conclude(await taking, deps, until, intake.now, request.origin, studyInstanceUID)));
  if (outcomes.length === 0) return problem(400, 'message-empty', 'The message has no part.');
  return answerOutcomes(outcomes, `${request.origin}/dicomweb/studies`, request.headers.accept);
}

/** The answer to a message that could not be read to its end. */
function answerMessage(error: unknown, taken: number): RouteAnswer {
  if (!(error instanceof Failure) || error.severity !== 'refused') throw error;
  const status = error.code.endsWith('-length-exceeded') ? 413 : error.code === 'message-slow' ? 408 : error.code === 'bulk-unsupported' ? 415 : 400;
  return problem(status, error.code, `${error.message}.${taken === 0 ? '' : ` ${taken} whole objects before it were taken.`}`);
}

function isJson(type: MediaType): boolean {
  return type.type === 'application/dicom+json' || type.parameters.get('type') === 'application/dicom+json';
}

/** 415 for what this door does not take, 400 for what is no multipart message, null for what it takes. */
function refuseType(type: MediaType | null, encoding: string | undefined): RouteAnswer | null {
  if (type === null) return problem(400, 'content-type-invalid', 'The Content-Type is missing or is none.');
  if (encoding !== undefined && encoding !== 'identity') return problem(415, 'content-encoding-unsupported', 'A compressed body is not taken.');
  if (type.type === 'application/dicom' || type.type === 'application/dicom+json') return null;
  if (type.type !== 'multipart/related') return problem(415, 'media-type-unsupported', 'Send multipart/related with type="application/dicom" (or application/dicom+json with its bulk data).');
  const root = type.parameters.get('type');
  if (root !== undefined && root !== 'application/dicom' && root !== 'application/dicom+json') return problem(415, 'media-type-unsupported', `A message of type ${JSON.stringify(root)} is not taken; send application/dicom.`);
  if (!type.parameters.has('boundary')) return problem(400, 'boundary-invalid', 'The Content-Type has no boundary.');
  return null;
}

/** Waits for the inspection of one object, until the time of the whole answer is over. */
export async function conclude(taken: Taken, deps: Pick<StowDeps, 'keeper' | 'seriesOf'>, until: number, now: () => number, origin: string, studyInstanceUID: string | null): Promise<Outcome> {
  if (!('objectId' in taken)) return { kind: 'failed', sopClassUID: taken.sopClassUID ?? '', sopInstanceUID: taken.sopInstanceUID ?? '', reason: taken.reason, text: taken.text };
  let entry: Concluded;
  try {
    entry = await deps.keeper.request<Concluded>('concluded', { objectId: taken.objectId, timeoutMs: Math.max(0, until - now()) });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It is durable here; only its fate could not be asked.
    return { kind: 'kept', objectId: taken.objectId, sopClassUID: '', sopInstanceUID: '', text: `received as ${taken.objectId}; its inspection could not be followed: ${error.message}` };
  }
  const identity = { sopClassUID: entry.sopClassUID, sopInstanceUID: entry.sopInstanceUID };
  if (studyInstanceUID !== null && entry.studyInstanceUID !== '' && entry.studyInstanceUID !== studyInstanceUID) {
    return { kind: 'failed', ...identity, reason: 'study-mismatch', text: `the object is of study ${entry.studyInstanceUID}, not of the study of the address; it was kept as ${taken.objectId}` };
  }
  if (entry.state === 'archived') {
    const series = deps.seriesOf(entry.studyInstanceUID, entry.sopInstanceUID);
    const study = `${origin}/dicomweb/studies/${entry.studyInstanceUID}`;
    return { kind: 'stored', ...identity, studyInstanceUID: entry.studyInstanceUID, retrieveURL: series === null ? study : `${study}/series/${series}/instances/${entry.sopInstanceUID}` };
  }
  if (entry.state === 'destroyed') return { kind: 'failed', ...identity, reason: 'processing-failure', text: `these bytes were destroyed by decision of two people (${taken.objectId})` };
  const text = entry.state === 'held'
    ? `held as ${taken.objectId} (${entry.verdict ?? 'no verdict'}): received whole and kept, nothing is lost; a person decides. ${entry.findings[0]?.text ?? ''}`.trim()
    : `received as ${taken.objectId} and kept; its inspection is not over`;
  return { kind: 'kept', objectId: taken.objectId, ...identity, text };
}
