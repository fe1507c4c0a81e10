/**
 * The HTTPS server. Every route goes through `mount`: who is it, may they, did our own page ask, and only then the handler.
 * Whatever registers a route past it makes the start fail.
 */
import { Readable } from 'node:stream';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { decide } from '@lazaret/pacs/access/decide.ts';
import { checkRoute, jsonBodyBytesMax, problem, type Method, type Route, type RouteAnswer } from '@lazaret/pacs/access/routes.ts';
import { Failure, broken } from '@lazaret/system/failure.ts';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Authentication, Identity } from './authentication.ts';
import type { ServerCertificate } from './certificate.ts';

export const serverLimits = {
  /** Names, cookies and a long QIDO query; Node counts all header fields together. */
  headerBytesMax: 16 * 1024,
  /** A user agent that has not sent its header by then is not going to. */
  headersTimeoutMs: 15_000,
  /** Silence on a connection in the middle of a request or an answer. */
  idleTimeoutMs: 60_000,
  /** Between two requests of one connection. */
  keepAliveTimeoutMs: 30_000,
  /** A request must be over by then, however slowly it comes: 2 GiB at 10 Mbit/s take half an hour. */
  requestTimeoutMs: 60 * 60_000,
  connectionsMax: 1024,
  /** Requests that are answered before the rest is ended by force. */
  stopTimeoutMs: 3_000,
} as const;

export interface ServerParts {
  readonly certificate: ServerCertificate;
  readonly authentication: Authentication;
  readonly routes: readonly Route[];
  /** One line for the log of this process: our bugs, nothing of a request's content. */
  readonly log: (line: string) => void;
}

const mounted = Symbol('mounted');

/** The server with all its routes, not listening yet. Throws `route-undeclared` for a route that does not say what it does. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const app = fastify({
    https: {
      key: parts.certificate.key,
      cert: parts.certificate.cert,
      // PS3.15 B.12 and BCP 195: TLS 1.2 with forward secrecy and AEAD only, or 1.3.
      minVersion: 'TLSv1.2',
      ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
      honorCipherOrder: true,
      maxHeaderSize: serverLimits.headerBytesMax,
      headersTimeout: serverLimits.headersTimeoutMs,
      insecureHTTPParser: false,
    },
    connectionTimeout: serverLimits.idleTimeoutMs,
    keepAliveTimeout: serverLimits.keepAliveTimeoutMs,
    requestTimeout: serverLimits.requestTimeoutMs,
    bodyLimit: jsonBodyBytesMax,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    trustProxy: false,
    // A UID is at most 64 characters; a list of frames is the longest parameter.
    routerOptions: { maxParamLength: 4096 },
    logger: false,
    return503OnClosing: true,
  }) as unknown as FastifyInstance;
  app.server.maxConnections = serverLimits.connectionsMax;

  app.addHook('onRoute', (route) => {
    if ((route.config as { [mounted]?: true } | undefined)?.[mounted] !== true) throw broken('route-undeclared', `${String(route.method)} ${route.url} was not mounted with a declaration`);
  });
  app.setErrorHandler((error, request, reply) => void send(reply, answerError(error, request, parts.log)));
  app.setNotFoundHandler((_request, reply) => void send(reply, problem(404, 'route-unknown', 'There is nothing at this address.')));
  await app.register(helmet, {
    // Set by whoever serves the page: the viewer, the console and the sign-in page need different ones. This is for all else.
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"], 'base-uri': ["'none'"], 'form-action': ["'none'"] } },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // Of a certificate that people accepted by hand browsers take no HSTS; for localhost it would break every other server there.
    hsts: parts.certificate.selfSigned ? false : { maxAge: 31_536_000 },
  });
  await app.register(rateLimit, { global: false, max: 60, timeWindow: 60_000, cache: 10_000, addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false } });

  for (const kind of ['none', 'json', 'stream'] as const) {
    await app.register(async (scope) => {
      if (kind !== 'json') {
        scope.removeAllContentTypeParsers();
        // Handed over unread; `none` looks at the length before.
        scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      }
      for (const route of parts.routes) if ((route.body ?? 'none') === kind) mount(scope, route, parts);
    });
  }
  return app;
}

/** Declares one route to the server, with everything that comes before its handler. */
function mount(app: FastifyInstance, route: Route, parts: ServerParts): void {
  checkRoute(route);
  const kind = route.body ?? 'none';
  const bodyBytesMax = route.bodyBytesMax ?? jsonBodyBytesMax;
  app.route({
    method: route.method,
    url: route.url,
    bodyLimit: bodyBytesMax,
    config: { [mounted]: true, ...(route.requestsPerMinuteMax === undefined ? {} : { rateLimit: { max: route.requestsPerMinuteMax, timeWindow: 60_000 } }) } as object,
    onRequest: async (request, reply) => {
      const refusal = await admit(route, request, parts);
      if ('answer' in refusal) return send(reply, refusal.answer, request);
      identities.set(request, refusal.identity);
      const declared = Number(request.headers['content-length'] ?? 0);
      if (kind === 'none' && (declared > 0 || request.headers['transfer-encoding'] !== undefined)) return send(reply, problem(413, 'body-unexpected', 'This address takes no body.'), request);
      if (declared > bodyBytesMax) return send(reply, problem(413, 'body-length-exceeded', `The body declares ${declared} bytes; at most ${bodyBytesMax} are taken.`), request);
      return undefined;
    },
    handler: async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => { if (!reply.raw.writableFinished) gone.abort(); });
      const answer = await route.handler({
        actor: identities.get(request)!.actor,
        method: request.method as Method,
        url: request.url,
        origin: `https://${request.headers.host}`,
        params: request.params as Record<string, string>,
        query: new URLSearchParams(request.url.includes('?') ? request.url.slice(request.url.indexOf('?') + 1) : ''),
        headers: request.headers,
        body: kind === 'json' ? request.body : undefined,
        stream: kind === 'stream' ? request.raw : Readable.from([]),
        signal: gone.signal,
      });
      return send(reply, answer, request);
    },
  });
}

const identities = new WeakMap<FastifyRequest, Identity>();

const host = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** Everything that is checked before a byte of the body is read. */
async function admit(route: Route, request: FastifyRequest, parts: ServerParts): Promise<{ identity: Identity } | { answer: RouteAnswer }> {
  const { headers } = request;
  if (headers.host === undefined || !host.test(headers.host)) return { answer: problem(400, 'host-invalid', 'The Host header is no host name.') };
  const identity = await parts.authentication.identify(headers, route.audience, request.ip);
  const changes = route.method !== 'GET' && route.method !== 'HEAD' && route.method !== 'OPTIONS';
  // A browser sends the cookie on its own. SameSite=Strict keeps it from other sites; that our own page asked is checked here (other ports of this host are the same site).
  if (identity.by !== 'authorization' && (changes || route.audience === 'console') && !fromOurPage(request, changes && (identity.by === 'session' || route.action === 'sign-in'))) {
    return { answer: problem(403, 'origin-refused', 'The request did not come from a page of this server.') };
  }
  const decision = decide(identity.actor, route.action);
  if (decision.allowed) return { identity };
  if (identity.actor.kind !== 'anonymous') return { answer: problem(403, 'access-denied', `${identity.actor.name}: ${decision.reason}.`) };
  const retry = identity.retryAfterMs > 0 ? { 'retry-after': Math.ceil(identity.retryAfterMs / 1000) } : {};
  // A browser would open its own dialogue for Basic; only programs are told of it.
  const browser = headers['sec-fetch-mode'] !== undefined;
  return { answer: problem(identity.retryAfterMs > 0 ? 429 : 401, 'sign-in-needed', identity.reason === '' ? 'Sign in, or send a token.' : `Sign in, or send a token: ${identity.reason}.`, { 'www-authenticate': browser ? 'Bearer realm="Lazaret"' : ['Bearer realm="Lazaret"', 'Basic realm="Lazaret", charset="UTF-8"'], ...retry }) };
}

/** `needed`: a request without any word about its origin is refused too. Browsers always send one with what is not a GET. */
function fromOurPage(request: FastifyRequest, needed: boolean): boolean {
  const origin = request.headers.origin;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined && origin !== `https://${request.headers.host}`) return false;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return request.headers['sec-fetch-mode'] === 'navigate' && !needed;
  return !needed || origin !== undefined || site === 'same-origin';
}

async function send(reply: FastifyReply, answer: RouteAnswer, request?: FastifyRequest): Promise<FastifyReply> {
  reply.code(answer.status);
  if (answer.headers !== undefined) reply.headers(answer.headers as Record<string, string>);
  // Answers name patients unless somebody says that they do not.
  if (reply.getHeader('cache-control') === undefined) reply.header('cache-control', 'no-store');
  // A body that nobody read would be taken for the next request: the connection ends with this answer.
  if (request !== undefined && answer.status >= 400 && !request.raw.complete) reply.header('connection', 'close');
  const { body } = answer;
  if (body === undefined || body === null) return reply.send();
  if (typeof body === 'string' || body instanceof Uint8Array) return reply.send(body);
  return reply.send(body instanceof Readable ? body : Readable.from(body));
}

/** Every failure as problem details. Our own bugs are logged and say nothing. */
export function answerError(error: unknown, request: { readonly method: string; readonly url: string }, log: (line: string) => void): RouteAnswer {
  if (error instanceof Failure) {
    if (error.severity === 'refused') return problem(error.code === 'access-denied' ? 403 : 400, error.code, error.message);
    if (error.severity === 'unavailable') return problem(503, error.code, error.message, { 'retry-after': 3 });
  }
  const status = (error as { statusCode?: number })?.statusCode;
  if (!(error instanceof Failure) && typeof status === 'number' && status >= 400 && status < 500) {
    return problem(status, status === 429 ? 'requests-exceeded' : status === 413 ? 'body-length-exceeded' : 'request-invalid', (error as Error).message, status === 429 ? { 'retry-after': 60 } : {});
  }
  log(`${request.method} ${request.url.split('?')[0]}: ${(error as Error)?.stack ?? String(error)}`);
  return problem(500, 'request-failed', 'Something went wrong here. It is in the log of the web process.');
}

/** Stops taking requests, lets those that run end, and ends what is left after stopTimeoutMs. */
export async function stopServer(app: FastifyInstance): Promise<void> {
  const force = setTimeout(() => (app.server as unknown as { closeAllConnections(): void }).closeAllConnections(), serverLimits.stopTimeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(force);
  }
}
