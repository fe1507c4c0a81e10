/**
 * ClamAV's daemon (clamd), asked over its socket by the inspector: it gets the original bytes of each object, and each part of it as a stream of its own.
 *
 * By default clamd answers OK for what is over one of its limits and was therefore not scanned. A probe finds out whether this one does: a file
 * packed into itself more often than any limit permits must raise an alert. Without `AlertExceedsMax yes` its OK means nothing, so the engine is
 * `failing` and nothing is clean. Time-outs, errors and old signatures are findings as well.
 *
 * Seen with clamd 1.4.6: one switch, AlertExceedsMax, is behind the alerts about MaxFileSize, MaxScanSize, MaxFiles, MaxRecursion and MaxScanTime alike,
 * so that the probe of one of them speaks for all; what is longer than StreamMaxLength is an error whatever the switch says. It tells no setting
 * over the socket, so a probe, again every 30 s, is the only proof. Limits on normalised HTML and scripts raise no alert; they concern second readings of
 * files that begin as a page, which no DICOM object does.
 */
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Finding } from '../../quarantine/contract.ts';
import { findingTextMax, type EngineStatus, type PartHead } from '../assignment.ts';
import type { Engine } from './engine.ts';
import { Slots } from './slots.ts';

export interface ClamdTarget {
  readonly path: string;
  readonly bytes: number;
  /** Not the object but this part of it; without `chunks` it is a range of the file. */
  readonly part?: Omit<PartHead, 'verbatim'> & { readonly chunks: AsyncIterable<Buffer> | null };
}
export type ClamdAddress = { readonly host: string; readonly port: number } | { readonly socket: string };
export interface ClamdOptions {
  /** ClamAV publishes daily; a week without is a broken updater. Configurable as `clamd.signatureDays`. */
  readonly signatureAgeMsMax?: number;
  /** Connecting, and the wait for an answer after the last byte. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

export const clamdName = 'clamd';
const dayMs = 24 * 60 * 60 * 1000;
const weekMs = 7 * dayMs;
const defaultTimeoutMs = 60_000;
/**
 * Streams at a time, of all objects together. clamd has ten threads unless it is told otherwise; what is more would wait there, as if it were clamd that
 * did not answer. Here it waits without a limit of time.
 */
export const streamsMax = 8;
/** The version and the probe are asked for again at this pace: every conclusion names the signatures. */
const statusMs = 30_000;
/** Nobody sets StreamMaxLength below a mebibyte. */
const streamLimitBytesMin = 1024 * 1024;
/** One INSTREAM chunk. */
const chunkBytes = 256 * 1024;
/** Longest answer that makes sense: a signature name. */
const answerBytesMax = 4096;
/** Of what it answers about a part: where that is must have room behind it. */
const answeredMax = 250;
/** ClamAV's own hard limit for MaxRecursion is 100. */
const probeDepth = 110;

/** What the configuration says of it beside its address. */
export function clamdOptions({ signatureDays }: { readonly signatureDays?: number }): ClamdOptions {
  return signatureDays === undefined ? {} : { signatureAgeMsMax: signatureDays * dayMs };
}

export function clamdEngine(address: ClamdAddress, options: ClamdOptions = {}): Engine<ClamdTarget> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const now = options.now ?? Date.now;
  let known: { readonly at: number; readonly status: Promise<EngineStatus> } | null = null;
  const version = (): Promise<EngineStatus> => {
    if (known === null || now() - known.at > statusMs) known = { at: now(), status: statusOf(address, timeoutMs, options.signatureAgeMsMax ?? weekMs, now()) };
    return known.status;
  };
  const slots = new Slots(streamsMax);
  return {
    name: clamdName,
    version,
    async scan(target) {
      const status = await version();
      if (status.state !== 'ready') return [finding(status.state === 'missing' ? 'engine-missing' : status.text.includes('older') ? 'engine-outdated' : 'engine-failed', target, status.text)];
      await slots.take();
      const sent = { bytes: 0, isWhole: false };
      try {
        return judge(await inStream(address, counted(chunksOf(target), sent), timeoutMs), target);
      } catch (error) {
        known = null;
        const { message } = error as Error;
        if (message !== timedOut && await stoppedListening(address, timeoutMs, sent)) return [finding('engine-limit', target, `clamd stopped listening after some ${sent.bytes} bytes, as it does with a stream that is longer than its StreamMaxLength`)];
        return [finding(message === timedOut ? 'engine-timed-out' : 'engine-failed', target, `clamd: ${message}`)];
      } finally {
        slots.give();
      }
    },
  };
}

/** About the object, or about what the part came out of. */
function finding(code: string, { bytes, part }: ClamdTarget, text: string): Finding {
  if (part === undefined) return { code, offset: 0, length: bytes, tag: '', engine: clamdName, text: text.slice(0, findingTextMax) };
  return { code, offset: part.offset, length: part.length, tag: part.tag, engine: clamdName, text: `${text.slice(0, answeredMax)}, in ${part.name}`.slice(0, findingTextMax) };
}

/** Only the exact answer OK is clean. */
function judge(answer: string, target: ClamdTarget): Finding[] {
  if (answer === 'stream: OK') return [];
  const found = /^stream: (.+) FOUND$/.exec(answer)?.[1];
  if (found === undefined) return [finding(/size limit exceeded/i.test(answer) ? 'engine-limit' : 'engine-failed', target, `clamd answers: ${printable(answer)}`)];
  if (found.startsWith('Heuristics.Limits.Exceeded')) return [finding('engine-limit', target, `clamd did not scan all of it: ${printable(found)}`)];
  if (found.startsWith('Heuristics.Encrypted')) return [finding('container-content', target, `clamd found something encrypted: ${printable(found)}`)];
  return [finding('malware-signature', target, `clamd recognises ${printable(found)}`)];
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}

async function statusOf(address: ClamdAddress, timeoutMs: number, ageMsMax: number, now: number): Promise<EngineStatus> {
  const status = { name: clamdName, version: '', signatures: '' };
  let answer: string;
  try {
    answer = await command(address, 'VERSION', timeoutMs);
  } catch (error) {
    return { ...status, state: 'missing', text: `clamd does not answer: ${(error as Error).message}` };
  }
  // "ClamAV 1.4.6/27500/Mon Nov 23 09:20:11 2026", or without the database part where only own signatures are loaded.
  const [, version = '', number = '', date = ''] = /^ClamAV ([^/]+)(?:\/(\d+)\/(.+))?$/.exec(answer) ?? [];
  const named = { name: clamdName, version, signatures: number === '' ? 'own signatures' : number };
  if (version === '') return { ...status, state: 'failing', text: `clamd answers: ${printable(answer)}` };
  const age = now - Date.parse(`${date} UTC`);
  if (number !== '' && !(age <= ageMsMax)) return { ...named, state: 'failing', text: `the signatures of clamd are older than ${Math.round(ageMsMax / 86_400_000)} days (${printable(date)}): is freshclam running?` };
  try {
    const probed = await inStream(address, [probe()], timeoutMs);
    if (!/Heuristics\.Limits\.Exceeded/.test(probed)) {
      return { ...named, state: 'failing', text: 'clamd calls files clean that it did not scan because they are over its limits: set "AlertExceedsMax yes" in clamd.conf' };
    }
  } catch (error) {
    return { ...named, state: 'failing', text: `clamd does not scan: ${(error as Error).message}` };
  }
  return { ...named, state: 'ready', text: number === '' ? 'only own signatures are loaded; their age is not known' : '' };
}

let probed: Buffer | null = null;
/** Nothing, packed into itself more often than clamd unpacks. */
function probe(): Buffer {
  if (probed !== null) return probed;
  let packed = Buffer.from('lazaret probe');
  for (let depth = 0; depth < probeDepth; depth += 1) packed = gzipSync(packed, { level: 1 });
  probed = packed;
  return packed;
}

function chunksOf({ path, part }: ClamdTarget): AsyncIterable<Buffer> {
  if (part === undefined) return readChunks(path, 0, Number.POSITIVE_INFINITY);
  return part.chunks ?? readChunks(path, part.offset, part.bytes);
}

/** A range of a file; an endless one ends with the file, any other must be there. */
async function* readChunks(path: string, offset: number, length: number): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < length;) {
      const wanted = Math.min(chunkBytes, length - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset + at);
      if (bytesRead === 0 && length !== Number.POSITIVE_INFINITY) throw new Error('the file is shorter than it was');
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

const timedOut = 'no answer in time';

/** How much of a stream went out. */
interface Sent {
  bytes: number;
  isWhole: boolean;
}

async function* counted(chunks: AsyncIterable<Buffer>, sent: Sent): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    sent.bytes += chunk.length;
    yield chunk;
  }
  sent.isWhole = true;
}

/**
 * clamd says that a stream is too long and closes its end at once: what it said may be lost with what was still on its way. One that closed in the middle of a
 * stream and is there all the same has not failed.
 */
async function stoppedListening(address: ClamdAddress, timeoutMs: number, sent: Sent): Promise<boolean> {
  if (sent.isWhole || sent.bytes < streamLimitBytesMin) return false;
  try {
    return (await command(address, 'PING', timeoutMs)) === 'PONG';
  } catch {
    return false;
  }
}

function command(address: ClamdAddress, name: string, timeoutMs: number): Promise<string> {
  return converse(address, timeoutMs, async (write) => void (await write(Buffer.from(`z${name}\0`))));
}

/** clamd(8) INSTREAM: chunks with their length before them, then a length of zero. */
function inStream(address: ClamdAddress, chunks: AsyncIterable<Buffer> | Iterable<Buffer>, timeoutMs: number): Promise<string> {
  return converse(address, timeoutMs, async (write) => {
    await write(Buffer.from('zINSTREAM\0'));
    for await (const chunk of chunks) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(chunk.length);
      if (!(await write(Buffer.concat([length, chunk])))) return;
    }
    await write(Buffer.alloc(4));
  });
}

/** One connection, one question, one answer that ends with NUL. `write` gives false once the answer is there: nobody listens any more. */
async function converse(address: ClamdAddress, timeoutMs: number, ask: (write: (bytes: Buffer) => Promise<boolean>) => Promise<void>): Promise<string> {
  const socket: Socket = 'socket' in address ? connect(address.socket) : connect(address.port, address.host);
  socket.setTimeout(timeoutMs);
  let said = '';
  const answer = new Promise<string>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.includes('\0')) resolve(said.slice(0, said.indexOf('\0')).trim());
      else if (said.length > answerBytesMax) reject(new Error('an answer without end'));
    });
    socket.on('timeout', () => reject(new Error(timedOut)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // clamd closes its end as soon as a stream is over its limit: the answer may be there already.
      if (said === '') reject(new Error(error.code ?? error.message));
    });
    socket.on('close', () => reject(new Error('the connection was closed without an answer')));
  });
  const write = async (bytes: Buffer): Promise<boolean> => {
    if (!socket.destroyed && socket.write(bytes)) return true;
    return Promise.race([new Promise<boolean>((resolve) => { socket.once('drain', () => resolve(true)); }), answer.then(() => false)]);
  };
  try {
    const [result] = await Promise.all([answer, ask(write)]);
    return result;
  } finally {
    socket.destroy();
  }
}
