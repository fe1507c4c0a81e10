/** For tests and benches: an archive in a folder of its own and its routes, called without a network. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { DatabaseSync } from 'node:sqlite';
import { parseMediaType } from '@lazaret/dicom/web/mediatype.ts';
import { MultipartReader } from '@lazaret/dicom/web/multipart.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Method, Route, RouteAnswer } from '../../access/routes.ts';
import { makeIndex } from '../../archive/sample.ts';
import type { RetrievalDependencies } from './dependencies.ts';
import { retrievalRoutes } from './routes.ts';

export interface SampleService {
  readonly archive: string;
  readonly database: DatabaseSync;
  readonly routes: readonly Route[];
  /** What went on the record, in order; "record" and "bytes" tell what came first. */
  readonly recorded: AuditMessage[];
  readonly damaged: [digest: string, found: string][];
  get(url: string, headers?: Readonly<Record<string, string>>, method?: Method): Promise<Reply>;
  close(): void;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The failure that broke the answer off, after `body`. */
  readonly broken: Error | null;
}

export function makeService(overrides: Partial<RetrievalDependencies> = {}): SampleService {
  const archive = mkdtempSync(join(tmpdir(), 'lazaret-dicomweb-'));
  const database = makeIndex();
  const recorded: AuditMessage[] = [];
  const damaged: [string, string][] = [];
  const routes = retrievalRoutes({
    archive, database, now: () => 1_767_000_000_000, acceptable: () => true, recheck: async () => ({ verdict: 'clean' }),
    render: async (_, { type }) => ({ outcome: 'impossible', text: 'The object has no pixels.', type, width: 0, height: 0, frames: 0, base64: '' }),
    record: async (message) => { recorded.push(message); }, damage: async (digest, found) => { damaged.push([digest, found]); }, ...overrides,
  });
  return {
    archive, database, routes, recorded, damaged,
    get: async (url, headers = {}, method = 'GET') => collect(await callRoute(routes, method, url, headers)),
    close() {
      database.close();
      rmSync(archive, { recursive: true, force: true });
    },
  };
}

/** Calls the route that a URL means. Failures of the handler are thrown. */
export async function callRoute(routes: readonly Route[], method: Method, url: string, headers: Readonly<Record<string, string>>): Promise<RouteAnswer> {
  const [path = '', query = ''] = url.split('?');
  for (const route of routes) {
    const match = route.method === method ? new RegExp(`^${route.url.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`).exec(path) : null;
    if (match === null) continue;
    return route.handler({
      actor: { kind: 'person', name: 'reader', roles: ['viewer'], address: '127.0.0.1' }, method, url, origin: 'https://localhost:8443', params: { ...match.groups }, query: new URLSearchParams(query),
      headers, body: undefined, stream: Readable.from([]), signal: new AbortController().signal,
    });
  }
  throw new Error(`no route for ${method} ${path}`);
}

async function collect(answer: RouteAnswer): Promise<Reply> {
  const chunks: Uint8Array[] = [];
  let broken: Error | null = null;
  const { body } = answer;
  if (typeof body === 'string') chunks.push(Buffer.from(body));
  else if (body instanceof Uint8Array) chunks.push(body);
  else if (body !== null && body !== undefined) {
    try {
      for await (const chunk of body) chunks.push(chunk as Uint8Array);
    } catch (error) {
      broken = error as Error;
    }
  }
  const headers = Object.fromEntries(Object.entries(answer.headers ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]));
  return { status: answer.status, headers, body: Buffer.concat(chunks), broken };
}

/** The parts of a multipart reply. */
export function partsOf(reply: Reply): { readonly headers: ReadonlyMap<string, string>; readonly body: Buffer }[] {
  const boundary = parseMediaType(reply.headers['content-type'] ?? '')?.parameters.get('boundary') ?? '';
  const parts: { headers: ReadonlyMap<string, string>; chunks: Uint8Array[] }[] = [];
  const reader = new MultipartReader(boundary, { partBegin: (headers) => void parts.push({ headers, chunks: [] }), partData: (bytes) => void parts.at(-1)!.chunks.push(bytes), partEnd: () => {} });
  reader.push(reply.body);
  reader.end();
  return parts.map(({ headers, chunks }) => ({ headers, body: Buffer.concat(chunks) }));
}
