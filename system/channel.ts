/**
 * Requests between two of our processes over a Unix socket. The serving side has a short table of permitted requests
 * for each socket; anything else ends the connection (STYLE 9).
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { Failure, broken, refused, unavailable, type Severity } from './failure.ts';
import { FrameReader, encodeFrame } from './frames.ts';

interface RequestHeader {
  readonly id: number;
  readonly name: string;
  readonly body: unknown;
}
type AnswerHeader =
  | { readonly id: number; readonly ok: true; readonly body: unknown }
  | { readonly id: number; readonly ok: false; readonly severity: Severity; readonly code: string; readonly message: string };

/** Ends when the connection of the one who asked closes: work done only for the asker should stop then. */
export interface Call {
  readonly signal: AbortSignal;
}
export type RequestTable = Readonly<Record<string, (body: unknown, call: Call) => Promise<unknown> | unknown>>;

/**
 * Listens on a Unix socket (mode 0600) and answers the requests in `table`. Bodies are untrusted: each handler checks its own.
 * Resolves once listening.
 */
export function serveChannel(path: string, table: RequestTable): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => serveConnection(socket, table));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

function serveConnection(socket: Socket, table: RequestTable): void {
  const reader = new FrameReader();
  const gone = new AbortController();
  socket.on('data', (chunk) => {
    let requests: RequestHeader[];
    try {
      requests = reader.push(chunk as Buffer).map((frame) => checkRequest(frame.header));
    } catch {
      socket.destroy();
      return;
    }
    for (const request of requests) {
      const handler = Object.hasOwn(table, request.name) ? table[request.name] : undefined;
      if (handler === undefined) {
        socket.destroy();
        return;
      }
      void answer(socket, request, handler, gone.signal);
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => gone.abort());
}

async function answer(socket: Socket, request: RequestHeader, handler: RequestTable[string], signal: AbortSignal): Promise<void> {
  let header: AnswerHeader;
  try {
    header = { id: request.id, ok: true, body: (await handler(request.body, { signal })) ?? null };
  } catch (error) {
    const failure = error instanceof Failure ? error : broken('request-failed', `${request.name}: ${(error as Error)?.stack ?? String(error)}`);
    header = { id: request.id, ok: false, severity: failure.severity, code: failure.code, message: failure.message };
  }
  if (!socket.destroyed) writeTogether(socket, encodeFrame(header));
}

/** What is written before the present turn is over goes in one piece: a commit that many wait for answers all of them at once. */
function writeTogether(socket: Socket, frame: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(frame);
}

function checkRequest(header: unknown): RequestHeader {
  const request = header as Partial<RequestHeader> | null;
  if (typeof request !== 'object' || request === null || !Number.isSafeInteger(request.id) || typeof request.name !== 'string') {
    throw refused('request-invalid', 'a request without id or name');
  }
  return request as RequestHeader;
}

/** The asking side of one connection. */
export class Channel {
  readonly #socket: Socket;
  readonly #pending = new Map<number, { resolve: (body: unknown) => void; reject: (failure: Failure) => void }>();
  #next = 1;
  #closed: Failure | null = null;
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk as Buffer)) this.#settle(frame.header as AnswerHeader);
    });
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#closed = unavailable('channel-closed', 'the process at the other end of the channel is gone');
        for (const waiting of this.#pending.values()) waiting.reject(this.#closed);
        this.#pending.clear();
        resolve();
      });
    });
  }

  /** Asks and waits for the answer. Rejects with the Failure of the other side, or `channel-closed`. */
  request<Answer>(name: string, body: unknown): Promise<Answer> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    const id = this.#next++;
    return new Promise<Answer>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (body: unknown) => void, reject });
      writeTogether(this.#socket, encodeFrame({ id, name, body }));
    });
  }

  /** What was asked before is still sent; its answer is not waited for. */
  close(): void {
    if (this.#socket.writableCorked > 0) this.#socket.uncork();
    this.#socket.destroy();
  }

  #settle(answer: AnswerHeader): void {
    const waiting = this.#pending.get(answer.id);
    if (waiting === undefined) return;
    this.#pending.delete(answer.id);
    if (answer.ok) waiting.resolve(answer.body);
    else waiting.reject(new Failure(answer.severity, answer.code, answer.message));
  }
}

/**
 * Connects to a channel, trying again until `timeoutMs` is over: processes start in any order.
 * Rejects with `channel-unavailable`.
 */
export async function connectChannel(path: string, timeoutMs = 10_000): Promise<Channel> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await new Promise<Channel>((resolve, reject) => {
        const socket = connect(path);
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(new Channel(socket));
        });
      });
    } catch (error) {
      if (Date.now() >= until) throw unavailable('channel-unavailable', `nothing answers at ${path}: is Lazaret running?`, error);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
