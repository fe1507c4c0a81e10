/**
 * The shape of every HTTP route. A route says what it does (`action`) and which session it hears; the server (processes/web) asks
 * decide.ts before the handler runs and does not start with a route that leaves it out. Handlers know no server framework.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { broken } from '@lazaret/system/failure.ts';
import { actions, type Action, type Actor } from './actions.ts';

/**
 * The two places where people sign in. Each has its own cookie and path, so that a page of the viewer, even one that was taken over,
 * cannot act in the console. `service` routes (DICOMweb) hear the viewer's session and tokens; `console` routes hear the console's session only.
 */
export const audiences = ['viewer', 'console', 'service'] as const;
export type Audience = (typeof audiences)[number];

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof methods)[number];

/** Requests with a JSON body are small (sign in, decide, query); what is larger is streamed. */
export const jsonBodyBytesMax = 256 * 1024;

export interface Route {
  readonly method: Method;
  /** Path with parameters, such as `/dicomweb/studies/:studyInstanceUID`; `*` at the end takes the rest. */
  readonly url: string;
  readonly action: Action;
  readonly audience: Audience;
  /** `none` (the default): a body is refused. `json`: parsed, at most `bodyBytesMax`. `stream`: handed over unread. */
  readonly body?: 'none' | 'json' | 'stream';
  /** Longest body in bytes; jsonBodyBytesMax where not given. For `stream` it must be given. */
  readonly bodyBytesMax?: number;
  /** Requests a minute from one address, for routes that invite guessing. */
  readonly requestsPerMinuteMax?: number;
  readonly handler: (request: RouteRequest) => Promise<RouteAnswer> | RouteAnswer;
}

export interface RouteRequest {
  readonly actor: Actor;
  readonly method: Method;
  /** Path and query as sent. */
  readonly url: string;
  /** `https://host:port` as the user agent named this server: what RetrieveURL and the like begin with. */
  readonly origin: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON for `body: 'json'`, else undefined. Untrusted: the handler checks it. */
  readonly body: unknown;
  /** The body for `body: 'stream'`, else an empty stream. */
  readonly stream: Readable;
  /** Aborts when the one who asked is gone. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>>;
  /**
   * Text and bytes are sent as they are; other values with a JSON content type of the headers (default application/json) as JSON.
   * A stream (or async iterable) is piped and destroyed when the peer goes away.
   */
  readonly body?: string | Uint8Array | Readable | AsyncIterable<Uint8Array> | null;
}

/** An answer with a JSON body. */
export function json(status: number, value: unknown, headers: RouteAnswer['headers'] = {}): RouteAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body: JSON.stringify(value) };
}

/** An error answer as problem details (RFC 9457). `code` is stable, `detail` is a sentence for a person. */
export function problem(status: number, code: string, detail: string, headers: RouteAnswer['headers'] = {}): RouteAnswer {
  return { status, headers: { 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store', ...headers }, body: JSON.stringify({ type: `urn:lazaret:${code}`, status, title: code, detail }) };
}

/** Throws `route-undeclared` unless a route says everything that must be known before it may start. */
export function checkRoute(untrusted: unknown): asserts untrusted is Route {
  const route = untrusted as Partial<Route>;
  const name = `${String(route.method)} ${String(route.url)}`;
  if (!methods.includes(route.method as Method) || typeof route.url !== 'string' || !route.url.startsWith('/')) throw broken('route-undeclared', `${name}: no method or no path`);
  if (!actions.includes(route.action as Action)) throw broken('route-undeclared', `${name} does not declare what it does (its action)`);
  if (!audiences.includes(route.audience as Audience)) throw broken('route-undeclared', `${name} does not declare whose session it hears (its audience)`);
  if (route.body === 'stream' && !Number.isSafeInteger(route.bodyBytesMax)) throw broken('route-undeclared', `${name} takes a stream without a longest length`);
  if (typeof route.handler !== 'function') throw broken('route-undeclared', `${name} has no handler`);
}
