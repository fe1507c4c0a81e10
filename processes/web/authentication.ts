/** Who is asking? From a session cookie, a bearer token or HTTP Basic to an Actor. What an actor may do is decided elsewhere (pacs/access/decide.ts). */
import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor } from '@lazaret/pacs/access/actions.ts';
import type { AccessAnswer, AccessRequest, Credentials } from '@lazaret/pacs/access/requests.ts';
import { Failures, type FailureLimits } from '@lazaret/pacs/access/failures.ts';
import type { Audience } from '@lazaret/pacs/access/routes.ts';
import { cookies, confirmMs, type Session, type Sessions } from './sessions.ts';

/** The keeper, or anything that answers its requests. */
export interface Keeper {
  request<Answer>(name: string, body: unknown): Promise<Answer>;
}

/** How a request showed who it is from. `session` ones are sent by a browser on its own and so must prove that our page made them. */
export interface Identity {
  readonly actor: Actor;
  readonly by: 'nothing' | 'session' | 'authorization';
  readonly session: Session | null;
  /** Why credentials that were sent are not good. */
  readonly reason: string;
  readonly retryAfterMs: number;
}

/** Credentials that the keeper confirmed are remembered so long at most, so that a viewer's thousand requests are one sign-in on the record. */
const rememberMs = 12 * 60 * 60_000;
const rememberedMax = 10_000;
/** `Authorization` of a user name of 64, a password of 256 characters in base64 and some. */
const authorizationLengthMax = 1024;
/** A cookie header holds our two cookies of 43 characters; a browser may add others of the same host. */
const cookieLengthMax = 4096;

/**
 * Credentials that are not remembered and turn out wrong, from one address: each is an entry of the audit log, so their rate is bounded. Those that
 * are remembered go on working meanwhile.
 */
const wrongFromAddress: FailureLimits = { free: 120, firstWaitMs: 10_000, longestWaitMs: 60_000, forgetMs: 60_000 };

interface Remembered { readonly actor: Actor; readonly stamp: string; readonly since: number; confirmedAt: number }

export class Authentication {
  readonly #keeper: Keeper;
  readonly #sessions: Sessions;
  readonly #now: () => number;
  /** Keyed by an HMAC under a key of this process: no secret stays in memory as a key of a map. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #key = randomBytes(32);
  readonly #wrong: Failures;

  constructor(keeper: Keeper, sessions: Sessions, now: () => number) {
    this.#keeper = keeper;
    this.#sessions = sessions;
    this.#now = now;
    this.#wrong = new Failures(wrongFromAddress, now);
  }

  async identify(headers: IncomingHttpHeaders, audience: Audience, address: string): Promise<Identity> {
    const authorization = headers.authorization;
    if (authorization !== undefined) {
      // The console is for people with a session: a token there would be one that a page could carry off.
      if (audience === 'console') return anonymous(address, 'the console takes no tokens; sign in');
      return this.#authorize(authorization, audience, address);
    }
    const session = this.#sessions.find(cookieOf(headers.cookie, audience), audience === 'console' ? 'console' : 'viewer');
    if (session === null) return anonymous(address, '');
    if (this.#now() - session.confirmedAt > confirmMs) {
      const answer = await this.#ask({ do: 'still', kind: 'person', name: session.actor.name, stamp: session.stamp });
      if (answer.outcome !== 'known') {
        this.#sessions.end(session.id);
        return anonymous(address, 'the account is gone or has changed; sign in again');
      }
      session.confirmedAt = this.#now();
      return { actor: { ...session.actor, roles: answer.actor.roles, address }, by: 'session', session, reason: '', retryAfterMs: 0 };
    }
    return { actor: { ...session.actor, address }, by: 'session', session, reason: '', retryAfterMs: 0 };
  }

  async #authorize(authorization: string, audience: Audience, address: string): Promise<Identity> {
    const credentials = credentialsOf(authorization);
    if (credentials === null) return anonymous(address, 'the Authorization header is neither a bearer token nor HTTP Basic');
    const key = createHmac('sha256', this.#key).update(`${address}\n${authorization}`).digest('base64');
    const now = this.#now();
    const known = this.#remembered.get(key);
    if (known !== undefined && now - known.since < rememberMs) {
      if (now - known.confirmedAt < confirmMs) return identified(known.actor);
      const answer = await this.#ask({ do: 'still', kind: known.actor.kind as 'person' | 'token', name: known.actor.name, stamp: known.stamp });
      if (answer.outcome === 'known') {
        known.confirmedAt = now;
        return identified(known.actor);
      }
    }
    this.#remembered.delete(key);
    const waitMs = this.#wrong.waitMs(address);
    if (waitMs > 0) return { ...anonymous(address, 'too many wrong credentials from this address'), retryAfterMs: waitMs };
    const answer = await this.#ask({ do: 'authenticate', credentials, address, audience });
    if (answer.outcome !== 'known') this.#wrong.failed(address);
    if (answer.outcome !== 'known') return { ...anonymous(address, answer.outcome === 'unknown' ? answer.reason : ''), retryAfterMs: answer.outcome === 'unknown' ? answer.retryAfterMs : 0 };
    this.#remembered.set(key, { actor: answer.actor, stamp: answer.stamp, since: now, confirmedAt: now });
    if (this.#remembered.size > rememberedMax) this.#remembered.delete(this.#remembered.keys().next().value!);
    return identified(answer.actor);
  }

  #ask(request: AccessRequest): Promise<AccessAnswer> {
    return this.#keeper.request<AccessAnswer>('access', request);
  }
}

function identified(actor: Actor): Identity {
  return { actor, by: 'authorization', session: null, reason: '', retryAfterMs: 0 };
}
function anonymous(address: string, reason: string): Identity {
  return { actor: { kind: 'anonymous', name: 'anonymous', roles: [], address }, by: 'nothing', session: null, reason, retryAfterMs: 0 };
}

/** RFC 6750 and RFC 7617. */
function credentialsOf(authorization: string): Credentials | null {
  if (authorization.length > authorizationLengthMax) return null;
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+) *$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: value };
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { kind: 'basic', name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The value of our cookie for an audience. Sent twice, it is nobody's: one of the two was planted. */
function cookieOf(header: string | undefined, audience: Audience): string | undefined {
  if (header === undefined || header.length > cookieLengthMax) return undefined;
  const { name } = cookies[audience === 'console' ? 'console' : 'viewer'];
  const values = header.split(';').map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
