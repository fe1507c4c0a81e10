/** What a payload is packed in before it is hidden, so that its own bytes are not to be seen. */
import { createCipheriv, createHash } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { tarOf, zipOf } from './containers.ts';
import { below, pick, type Payload, type Random } from './payloads.ts';

export interface Wrapping {
  readonly name: string;
  /** Only what is text can be written in another character set. */
  readonly textOnly?: true;
  /**
   * Undone only by who has the key or the recipe, and without a mark that says that there is something to undo: no inspection can tell it from
   * measurements. What limits the harm is that nothing which could undo it gets in either.
   */
  readonly beyond?: true;
  /** Looked for everywhere but among pixels, where too much would be taken for it: beyond inspection there. */
  readonly besidePixels?: true;
  /** A stream without any mark: found where a value begins with it, beyond inspection among other bytes. */
  readonly headerless?: true;
  wrap(bytes: Buffer, payload: Payload, random: Random): Buffer;
}

const base64Lines = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64').replaceAll(/.{76}/g, '$&\r\n'));

export const wrappings: readonly Wrapping[] = [
  { name: 'plain', wrap: (bytes) => bytes },
  { name: 'gzip', wrap: (bytes) => gzipSync(bytes) },
  { name: 'zlib', wrap: (bytes) => deflateSync(bytes) },
  { name: 'zlib-window', besidePixels: true, wrap: (bytes, _, random) => deflateSync(bytes, { windowBits: 9 + below(random, 6) }) },
  { name: 'gzip-hint', wrap: (bytes, _, random) => {
    const packed = gzipSync(bytes);
    packed.set([1 + 2 * below(random, 100), 14 + below(random, 200)], 8);
    return packed;
  } },
  { name: 'zstd', wrap: (bytes) => zstdCompressSync(bytes) },
  { name: 'base64-pieces', besidePixels: true, wrap: (bytes, _, random) => Buffer.from(bytes.toString('base64').replaceAll(new RegExp(`.{${24 + below(random, 30)}}`, 'g'), `$&${pick(random, [' ', '\\', ', ', ' | '])}`)) },
  { name: 'hex-pairs', besidePixels: true, wrap: (bytes, _, random) => Buffer.from(bytes.toString('hex').replaceAll(/../g, pick(random, ['$& ', '0x$&, ', '\\x$&', '%$&']))) },
  { name: 'deflate', headerless: true, wrap: (bytes) => deflateRawSync(bytes) },
  { name: 'base64', wrap: (bytes) => Buffer.from(bytes.toString('base64')) },
  { name: 'base64-lines', wrap: base64Lines },
  { name: 'data-uri', wrap: (bytes) => Buffer.from(`data:application/octet-stream;base64,${bytes.toString('base64')}`) },
  { name: 'hex', wrap: (bytes, _, random) => Buffer.from(random() < 0.5 ? bytes.toString('hex') : bytes.toString('hex').toUpperCase()) },
  { name: 'zip-stored', wrap: (bytes, { file }) => zipOf([{ name: file, bytes }], 'stored') },
  { name: 'zip', wrap: (bytes, { file }) => zipOf([{ name: file, bytes }], 'deflated') },
  { name: 'zip-nested', wrap: (bytes, { file }) => zipOf([{ name: 'inner.zip', bytes: zipOf([{ name: file, bytes }], 'deflated') }], 'stored') },
  { name: 'tar', wrap: (bytes, { file }) => tarOf([{ name: file, bytes }]) },
  { name: 'tar-gzip', wrap: (bytes, { file }) => gzipSync(tarOf([{ name: file, bytes }])) },
  { name: 'gzip-base64', wrap: (bytes) => Buffer.from(gzipSync(bytes).toString('base64')) },
  { name: 'base64-gzip', wrap: (bytes) => gzipSync(base64Lines(bytes)) },
  { name: 'utf-16le', textOnly: true, wrap: (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le') },
  { name: 'utf-16be', textOnly: true, wrap: (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le').swap16() },
  { name: 'xor', beyond: true, wrap: (bytes, _, random) => xored(bytes, 1 + below(random, 255)) },
  { name: 'encrypted', beyond: true, wrap: (bytes, _, random) => encrypted(bytes, random) },
  { name: 'reversed', beyond: true, wrap: (bytes) => Buffer.from(bytes.toReversed()) },
  { name: 'rot13-base64', beyond: true, wrap: (bytes) => Buffer.from(bytes.toString('base64').replaceAll(/[a-z]/gi, (letter) => String.fromCharCode(letter.charCodeAt(0) + (letter.toLowerCase() < 'n' ? 13 : -13)))) },
];

function xored(bytes: Buffer, key: number): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ key));
}

function encrypted(bytes: Buffer, random: Random): Buffer {
  const key = createHash('sha256').update(String(random())).digest();
  const cipher = createCipheriv('aes-256-ctr', key, key.subarray(0, 16));
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** A wrapping that the payload can be put into. */
export function wrappingFor(payload: Payload, random: Random): Wrapping {
  return pick(random, wrappings.filter((wrapping) => wrapping.textOnly !== true || payload.isText));
}
