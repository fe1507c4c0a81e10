/** For tests: the server on a free port with the keeper's real access store behind it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Role } from '@lazaret/pacs/access/actions.ts';
import type { Route } from '@lazaret/pacs/access/routes.ts';
import { migrations } from '@lazaret/pacs/access/schema.ts';
import { AccessStore, terminal } from '@lazaret/pacs/access/store.ts';
import { Authentication, type Keeper } from './authentication.ts';
import { serverCertificate } from './certificate.ts';
import { listFiles } from './files.ts';
import { createServer, stopServer } from './server.ts';
import { Sessions } from './sessions.ts';
import { signInRoutes } from './signin.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
export interface SampleServer {
  readonly port: number;
  readonly origin: string;
  readonly cert: string;
  readonly store: AccessStore;
  readonly keeper: Keeper;
  readonly messages: AuditMessage[];
  readonly logged: string[];
  readonly clock: { now: number };
  ask(method: string, path: string, headers?: OutgoingHttpHeaders, body?: string | Uint8Array): Promise<Answer>;
  addUser(name: string, roles: readonly Role[]): Promise<void>;
  addToken(name: string, role: Role): Promise<string>;
  /** Signs in with a password and gives back the cookie header. */
  signIn(page: 'viewer' | 'console', name: string): Promise<string>;
  stop(): Promise<void>;
}

export const samplePassword = 'correct horse battery';

export async function startSampleServer(routes: readonly Route[] | ((parts: { keeper: Keeper }) => readonly Route[]), answers: Readonly<Record<string, (body: unknown) => unknown>> = {}): Promise<SampleServer> {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-web-'));
  const database = new DatabaseSync(':memory:');
  for (const migration of migrations) database.exec(migration.sql);
  const messages: AuditMessage[] = [];
  const logged: string[] = [];
  const clock = { now: Date.now() };
  const store = new AccessStore({ database, record: async (message) => messages.push(message), now: () => clock.now });
  const keeper: Keeper = {
    request: async <T>(name: string, body: unknown): Promise<T> => {
      const given = answers[name];
      if (given !== undefined) return (await given(body)) as T;
      if (name !== 'access') throw new Error(`no ${name} in this sample`);
      // As over the socket: what is no JSON does not get through.
      return (await store.handle(JSON.parse(JSON.stringify(body)), 'web')) as T;
    },
  };
  const certificate = serverCertificate(folder, '127.0.0.1', Date.now());
  const sessions = new Sessions(() => clock.now);
  const app = await createServer({
    certificate, authentication: new Authentication(keeper, sessions, () => clock.now), log: (line) => void logged.push(line),
    routes: [...signInRoutes({ keeper, sessions, files: listFiles(fileURLToPath(new URL('./signin', import.meta.url))) }), ...(typeof routes === 'function' ? routes({ keeper }) : routes)],
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;

  const ask: SampleServer['ask'] = (method, path, headers = {}, body) => new Promise((resolve, reject) => {
    const request = httpsRequest({ host: '127.0.0.1', port, path, method, ca: certificate.cert, servername: 'localhost', headers: { host: `localhost:${port}`, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('latin1') }));
    });
    request.on('error', reject);
    request.end(body);
  });

  return {
    port, origin, cert: certificate.cert, store, keeper, messages, logged, clock, ask,
    addUser: async (name, roles) => { await store.handle({ do: 'user-add', by: terminal, name, password: samplePassword, roles }, 'terminal'); },
    addToken: async (name, role) => {
      const answer = await store.handle({ do: 'token-add', by: terminal, name, role }, 'terminal');
      if (answer.outcome !== 'token') throw new Error(answer.outcome);
      return answer.token;
    },
    signIn: async (page, name) => {
      const answer = await ask('POST', '/sign-in', { origin, 'content-type': 'application/json' }, JSON.stringify({ page, name, password: samplePassword }));
      const cookie = answer.headers['set-cookie']?.[0];
      if (answer.status !== 200 || cookie === undefined) throw new Error(`${answer.status} ${answer.text}`);
      return cookie.split(';')[0]!;
    },
    stop: async () => {
      await stopServer(app);
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
