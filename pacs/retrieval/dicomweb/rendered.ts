/** Rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.5; §8.3.5 for the query parameters): pictures of single frames. */
import { Failure } from '@lazaret/system/failure.ts';
import { problem, type RouteAnswer, type RouteRequest } from '../../access/routes.ts';
import type { StoredInstance } from '../../archive/instances.ts';
import type { PictureType, RenderRequest } from '../../quarantine/requests.ts';
import type { RetrievalDependencies } from './dependencies.ts';
import { chooseOffer, type Offer } from './mediatypes.ts';
import { notAcceptable, notFound } from './resources.ts';

/** Where nothing else is asked for a thumbnail fits into this. */
const thumbnailSide = 128;
/** As large as any screen; a picture is never larger than its frame. */
const sideMax = 8_192;
const qualityDefault = 90;

/** JPEG is what a client gets that takes anything (Table 8.7.4-1). */
const offers: readonly Offer[] = (['image/jpeg', 'image/png'] as const).map((type) => ({ type, multipart: false, transferSyntaxUIDs: [] }));

export type Size = 'rendered' | 'thumbnail';

/** `frame` from 1; 0 takes the one in the middle. Access is on the record before this is called. */
export async function answerPicture(dependencies: RetrievalDependencies, request: RouteRequest, instance: StoredInstance, frame: number, size: Size): Promise<RouteAnswer> {
  const offer = chooseOffer(offers, request.headers.accept, request.query.get('accept'));
  if (offer === null) return notAcceptable(offers.map(({ type }) => type));
  const wanted = parametersOf(request, size);
  if (typeof wanted === 'string') return problem(400, 'parameter-invalid', wanted);
  try {
    const answer = await dependencies.render(instance.digest, { frame, ...wanted, type: offer.type as PictureType });
    if (answer.outcome === 'impossible') return /^The object has \d+ frames/.test(answer.text) ? notFound(answer.text) : problem(406, 'rendering-unavailable', answer.text);
    return { status: 200, headers: { 'content-type': answer.type, 'cache-control': 'private, no-cache' }, body: Buffer.from(answer.base64, 'base64') };
  } catch (error) {
    if (error instanceof Failure && error.code === 'digest-mismatch') await dependencies.damage(instance.digest, '');
    throw error;
  }
}

function parametersOf({ query }: RouteRequest, size: Size): Omit<RenderRequest, 'frame' | 'type'> | string {
  const viewport = query.get('viewport');
  let [widthMax, heightMax] = size === 'thumbnail' ? [thumbnailSide, thumbnailSide] : [0, 0];
  if (viewport !== null) {
    const match = /^(\d{1,5}),(\d{1,5})$/.exec(viewport);
    if (match === null) return 'viewport is two numbers, width and height; a part of the image cannot be asked for here.';
    [widthMax, heightMax] = [Math.min(Number(match[1]), sideMax), Math.min(Number(match[2]), sideMax)];
  }
  const text = query.get('window');
  let window: RenderRequest['window'] = null;
  if (text !== null) {
    const [center, width, kind, ...more] = text.split(',');
    window = { center: Number(center), width: Number(width) };
    const known = kind === undefined || kind.toLowerCase() === 'linear';
    if (!Number.isFinite(window.center) || !(window.width >= 1) || more.length > 0) return 'window is center, width and function, such as 40,400,linear.';
    if (!known) return 'Of the window functions this server knows linear.';
  }
  const quality = query.get('quality') ?? String(qualityDefault);
  if (!/^\d{1,3}$/.test(quality) || Number(quality) < 1 || Number(quality) > 100) return 'quality is a number from 1 to 100.';
  return { widthMax, heightMax, window, quality: Number(quality) };
}
