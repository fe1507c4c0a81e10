/** WADO-RS: the Retrieve transaction of the Studies Service (PS3.18 §10.4): instances, metadata, frames, bulk data. */
import { problem, type Route, type RouteAnswer, type RouteRequest } from '../../access/routes.ts';
import { instancesIn, type StoredInstance } from '../../archive/instances.ts';
import { parseDataSet, type JSONDataSet } from '../../archive/metadata.ts';
import { readerOf } from '../../archive/reading.ts';
import { servedBytes } from '../../archive/reconciliation/patching.ts';
import { frameCount, parseFrameList, readFrame, swapBytes } from './frames.ts';
import { chooseOffer, explicitVRBigEndian, explicitVRLittleEndian, frameMediaType, type Offer } from './mediatypes.ts';
import { answerMetadata } from './metadata.ts';
import { answerParts, started, type Part } from './parts.ts';
import { instancesAccessed } from './recording.ts';
import { renewVerdicts } from './renewal.ts';
import { answerPicture, type Size } from './rendered.ts';
import { instancePath, notAcceptable, notFound, pathOf, servicePath } from './resources.ts';
import type { RetrievalDependencies } from './dependencies.ts';

const study = '/studies/:studyInstanceUID';
const series = `${study}/series/:seriesInstanceUID`;
const instance = `${series}/instances/:sopInstanceUID`;
const route = (method: Route['method'], url: string, handler: Route['handler']): Route => ({ method, url: servicePath + url, action: 'read', audience: 'service', handler });
const choose = (request: RouteRequest, offers: readonly Offer[]): Offer | null => chooseOffer(offers, request.headers.accept, request.query.get('accept'));

export function retrieveRoutes(dependencies: RetrievalDependencies): Route[] {
  const instances = instancesIn(dependencies.database);
  const reader = readerOf(dependencies);

  /** What a path names, or the 404. */
  const find = (request: RouteRequest): readonly StoredInstance[] | RouteAnswer => {
    const path = pathOf(request.params);
    const found = path === null ? [] : instances.under(path);
    return found.length === 0 ? notFound('There is no such study, series or instance in the archive.') : found;
  };
  /** The same, inspected with current signatures: what was found to be not clean meanwhile is not among them. */
  const findCurrent = async (request: RouteRequest): Promise<readonly StoredInstance[] | RouteAnswer> => {
    const found = find(request);
    if (!isList(found) || request.method === 'HEAD') return found;
    const renewal = await renewVerdicts(reader, (epoch) => dependencies.acceptable(epoch), found);
    if (renewal === 'current') return found;
    return renewal === 'changed' ? find(request) : renewal;
  };
  /** Everything that must be so before a byte is served: verdicts that are (still) acceptable, and the access on the record. */
  const access = async (request: RouteRequest, found: readonly StoredInstance[], what: string): Promise<void> => {
    for (const one of found) if (!dependencies.acceptable(one.epoch)) await reader.admit(one);
    await dependencies.record(instancesAccessed(request, found, what, dependencies.now()));
  };

  const retrieveInstances = async (request: RouteRequest): Promise<RouteAnswer> => {
    const found = await findCurrent(request);
    if (!isList(found)) return found;
    const transferSyntaxUIDs = [...new Set(found.map((one) => one.transferSyntaxUID))];
    const offers: Offer[] = [{ type: 'application/dicom', multipart: true, transferSyntaxUIDs }];
    if (request.params['sopInstanceUID'] !== undefined) offers.push({ type: 'application/dicom', multipart: false, transferSyntaxUIDs });
    const offer = choose(request, offers);
    if (offer === null) return notAcceptable(offers.flatMap((one) => one.transferSyntaxUIDs.map((syntax) => (one.multipart ? `multipart/related; type="application/dicom"; transfer-syntax=${syntax}` : `application/dicom; transfer-syntax=${syntax}`))));
    const [only] = found as readonly [StoredInstance];
    const etag = only.reconciled === null ? `"${only.digest}"` : `"${only.digest}-${only.reconciled}"`;
    if (!offer.multipart && request.headers['if-none-match']?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)) return { status: 304, headers: { etag } };
    const single = { 'content-type': `application/dicom; transfer-syntax=${only.transferSyntaxUID}`, 'content-length': servedBytes(only.bytes, only.patches), etag };
    if (request.method === 'HEAD') return { status: 200, headers: offer.multipart ? { 'content-type': 'multipart/related; type="application/dicom"' } : single };
    await access(request, found, 'instances');
    if (!offer.multipart) return { status: 200, headers: single, body: await started(reader.whole(only)) };
    return answerParts('application/dicom', found.map((one): Part => ({
      contentType: `application/dicom; transfer-syntax=${one.transferSyntaxUID}`, location: instancePath(one), bytes: servedBytes(one.bytes, one.patches), body: reader.whole(one),
    })));
  };

  const retrieveMetadata = async (request: RouteRequest): Promise<RouteAnswer> => {
    const found = find(request);
    if (!isList(found)) return found;
    if (choose(request, [{ type: 'application/dicom+json', multipart: false, transferSyntaxUIDs: [] }]) === null) return notAcceptable(['application/dicom+json']);
    await dependencies.record(instancesAccessed(request, found, 'metadata', dependencies.now()));
    return answerMetadata(request, found, instances);
  };

  const retrieveFrames = async (request: RouteRequest): Promise<RouteAnswer> => {
    const found = await findCurrent(request);
    if (!isList(found)) return found;
    const [one] = found as readonly [StoredInstance];
    const numbers = parseFrameList(request.params['frames'] ?? '');
    if (numbers === null) return problem(400, 'frames-invalid', 'The frames are a list of numbers from 1, with commas between.');
    const table = instances.frames(one.instanceKey);
    if (table === null) return notFound('The instance has no frames.');
    const missing = numbers.find((number) => number > frameCount(table));
    if (missing !== undefined) return notFound(`The instance has ${frameCount(table)} frames; there is no frame ${missing}.`);
    return answerPixels(request, one, numbers.map((number) => ({ location: `${instancePath(one)}/frames/${number}`, ...readFrame(reader, one, table, number) })), table.kind === 'encapsulated', 'frames');
  };

  /** Frames or bulk data, as octets or, for encapsulated Pixel Data, as the media type of their transfer syntax. */
  const answerPixels = async (request: RouteRequest, one: StoredInstance, bodies: readonly (Omit<Part, 'contentType'>)[], encapsulated: boolean, what: string): Promise<RouteAnswer> => {
    const syntax = encapsulated ? one.transferSyntaxUID : explicitVRLittleEndian;
    // Whoever takes anything gets compressed frames under their own name.
    const types = [...new Set([...(encapsulated ? [frameMediaType(syntax)] : []), 'application/octet-stream'])];
    const offers: Offer[] = types.map((type) => ({ type, multipart: true, transferSyntaxUIDs: [syntax] }));
    if (bodies.length === 1) offers.push(...types.map((type) => ({ type, multipart: false, transferSyntaxUIDs: [syntax] })));
    const offer = choose(request, offers);
    if (offer === null) return notAcceptable(offers.map(({ type, multipart }) => (multipart ? `multipart/related; type="${type}"; transfer-syntax=${syntax}` : `${type}; transfer-syntax=${syntax}`)));
    await access(request, [one], what);
    const contentType = `${offer.type}; transfer-syntax=${syntax}`;
    if (offer.multipart) return answerParts(offer.type, bodies.map((body) => ({ ...body, contentType })));
    const [body] = bodies as readonly [Omit<Part, 'contentType'>];
    return { status: 200, headers: { 'content-type': contentType, 'content-length': body.bytes, 'content-location': body.location }, body: await started(body.body) };
  };

  const retrieveBulkData = async (request: RouteRequest): Promise<RouteAnswer> => {
    const found = await findCurrent(request);
    if (!isList(found)) return found;
    const [one] = found as readonly [StoredInstance];
    const range = request.params['range'] ?? '';
    const element = /^\d{1,15},\d{1,15}$/.test(range) ? bulkElement(parseDataSet(instances.metadata(one.instanceKey) ?? '{}'), range) : null;
    if (element === null) return notFound('The instance has no such bulk data.');
    const location = `${instancePath(one)}/bulkdata/${range}`;
    const table = element.tag === '7FE00010' && element.top ? instances.frames(one.instanceKey) : null;
    if (table?.kind === 'encapsulated') {
      return answerPixels(request, one, table.frames.map((_, index) => ({ location: `${instancePath(one)}/frames/${index + 1}`, ...readFrame(reader, one, table, index + 1) })), true, 'bulk data');
    }
    const [offset, length] = range.split(',').map(Number) as [number, number];
    const bytes = reader.range(one, offset, length);
    const width = one.transferSyntaxUID === explicitVRBigEndian ? widths[element.vr] ?? 1 : 1;
    return answerPixels(request, one, [{ location, bytes: length, body: width === 1 ? bytes : swapBytes(bytes, width) }], false, 'bulk data');
  };

  /** Of a Study or Series the instance in the middle stands for the rest; of an instance its middle frame. */
  const retrievePicture = (size: Size) => async (request: RouteRequest): Promise<RouteAnswer> => {
    const found = await findCurrent(request);
    if (!isList(found)) return found;
    const frames = request.params['frames'];
    const numbers = frames === undefined ? [0] : parseFrameList(frames);
    if (numbers === null) return problem(400, 'frames-invalid', 'The frames are a list of numbers from 1, with commas between.');
    if (numbers.length > 1) return problem(406, 'rendering-unavailable', 'One frame is rendered at a time.');
    const pictured = found.filter((each) => each.rows !== null);
    const one = pictured[Math.floor(pictured.length / 2)] ?? found[0]!;
    await access(request, [one], size);
    return answerPicture(dependencies, request, one, numbers[0]!, size);
  };

  return [
    ...[study, series, instance].flatMap((url) => [
      route('GET', url, retrieveInstances), route('HEAD', url, retrieveInstances), route('GET', `${url}/metadata`, retrieveMetadata),
      route('GET', `${url}/rendered`, retrievePicture('rendered')), route('GET', `${url}/thumbnail`, retrievePicture('thumbnail')),
    ]),
    route('GET', `${instance}/frames/:frames`, retrieveFrames),
    route('GET', `${instance}/frames/:frames/rendered`, retrievePicture('rendered')),
    route('GET', `${instance}/frames/:frames/thumbnail`, retrievePicture('thumbnail')),
    route('GET', `${instance}/bulkdata/:range`, retrieveBulkData),
  ];
}

/** Bytes of one value of VRs whose values have a byte order (PS3.5 §6.2). */
const widths: Readonly<Record<string, number>> = { OW: 2, US: 2, SS: 2, OF: 4, OL: 4, FL: 4, UL: 4, SL: 4, OD: 8, OV: 8, FD: 8, UV: 8, SV: 8 };

function isList(found: readonly StoredInstance[] | RouteAnswer): found is readonly StoredInstance[] {
  return Array.isArray(found);
}

/** The element whose value is this range: only ranges that the inspection reported are bulk data. */
function bulkElement(dataSet: JSONDataSet, range: string): { tag: string; vr: string; top: boolean } | null {
  const open: { item: JSONDataSet; top: boolean }[] = [{ item: dataSet, top: true }];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const [tag, attribute] of Object.entries(one.item)) {
      if (attribute?.BulkDataURI === range) return { tag, vr: String(attribute.vr), top: one.top };
      if (attribute?.vr === 'SQ' && Array.isArray(attribute.Value)) for (const item of attribute.Value) if (typeof item === 'object' && item !== null) open.push({ item: item as JSONDataSet, top: false });
    }
  }
  return null;
}
