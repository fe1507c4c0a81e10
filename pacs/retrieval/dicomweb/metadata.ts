/** WADO-RS metadata (PS3.18 §10.4.1.1.2): what the inspection reported, with links to the bulk data. Nothing is decoded here. */
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createGzip, gzip } from 'node:zlib';
import type { RouteAnswer, RouteRequest } from '../../access/routes.ts';
import type { Instances, StoredInstance } from '../../archive/instances.ts';
import { instancePath } from './resources.ts';

/** Up to this many instances are composed at once; of more, this many at a time. */
const blockInstances = 256;
/** Metadata with fewer bytes are not worth compressing. */
const compressedBytesMin = 1024;

/** Metadata of an instance as it is served: a BulkDataURI of the index, "offset,length", becomes an absolute path. */
export function linkMetadata(metadata: string, instance: StoredInstance): string {
  // In a JSON string a quote is always escaped, so this matches members only; the index let nothing in but such ranges.
  return metadata.includes('"BulkDataURI"') ? metadata.replace(/"BulkDataURI"\s*:\s*"(\d+),(\d+)"/g, `"BulkDataURI":"${instancePath(instance)}/bulkdata/$1,$2"`) : metadata;
}

/** The answer for these instances, compressed where the user agent takes it. */
export async function answerMetadata(request: RouteRequest, instances: readonly StoredInstance[], from: Instances): Promise<RouteAnswer> {
  const encoding = chooseEncoding(request.headers['accept-encoding']);
  const headers = { 'content-type': 'application/dicom+json', vary: 'accept-encoding' };
  if (instances.length <= blockInstances) {
    const body = Buffer.from(`[${composeBlock(instances, from)}]`);
    if (encoding === null || body.length < compressedBytesMin) return { status: 200, headers, body };
    // Speed over size: metadata of one Series repeat themselves so much that the lowest levels leave a twentieth.
    const packed = encoding === 'br' ? await promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }) : await promisify(gzip)(body, { level: 1 });
    return { status: 200, headers: { ...headers, 'content-encoding': encoding }, body: packed };
  }
  const blocks = Readable.from(composeBlocks(instances, from));
  if (encoding === null) return { status: 200, headers, body: blocks };
  // gzip where it is streamed: every user agent that takes br takes it too.
  if (!acceptsEncoding(request.headers['accept-encoding'], 'gzip')) return { status: 200, headers, body: blocks };
  const packer = createGzip({ level: 1 });
  // Errors of one end the other; the server sees them on the one it was given.
  pipeline(blocks, packer, () => {});
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: packer };
}

function composeBlock(instances: readonly StoredInstance[], from: Instances): string {
  const texts: string[] = [];
  for (const instance of instances) {
    const metadata = from.metadata(instance.instanceKey);
    // Withdrawn since it was looked up.
    if (metadata !== null) texts.push(linkMetadata(metadata, instance));
  }
  return texts.join(',');
}

async function* composeBlocks(instances: readonly StoredInstance[], from: Instances): AsyncGenerator<Uint8Array> {
  let before = '[';
  for (let index = 0; index < instances.length; index += blockInstances) {
    const block = composeBlock(instances.slice(index, index + blockInstances), from);
    if (block === '') continue;
    yield Buffer.from(before + block);
    before = ',';
  }
  yield Buffer.from(before === '[' ? '[]' : ']');
}

/** RFC 9110 §12.5.3, the two that are supported here. */
function chooseEncoding(header: string | readonly string[] | undefined): 'br' | 'gzip' | null {
  return acceptsEncoding(header, 'br') ? 'br' : acceptsEncoding(header, 'gzip') ? 'gzip' : null;
}

function acceptsEncoding(header: string | readonly string[] | undefined, coding: string): boolean {
  return String(header ?? '').toLowerCase().split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim());
    return name === coding && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one));
  });
}
