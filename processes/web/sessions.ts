/** Sessions of people who signed in, in the memory of this process: a restart signs everyone out. */
import { randomBytes } from 'node:crypto';
import type { Actor } from '@lazaret/pacs/access/actions.ts';

/** Which page a session is good for. One of the viewer is nothing in the console, nor the other way round. */
export type SessionAudience = 'viewer' | 'console';

export interface Session {
  readonly id: string;
  readonly audience: SessionAudience;
  readonly actor: Actor;
  readonly stamp: string;
  readonly startedAt: number;
  usedAt: number;
  /** When the keeper last said that the account is still there. */
  confirmedAt: number;
}

/** A workstation that nobody touches is left; a shift is over after twelve hours. */
export const idleMs = 60 * 60_000;
export const lifeMs = 12 * 60 * 60_000;
/** An account that was removed stops working this soon. */
export const confirmMs = 15_000;
/** Far more people than one server serves; the one unused longest goes first. */
const sessionsMax = 10_000;

/** `__Host-`: Secure, no Domain, Path=/. The console's goes with requests under /console only, hence `__Secure-` (RFC 6265bis §4.1.3). */
export const cookies: Readonly<Record<SessionAudience, { readonly name: string; readonly path: string }>> = {
  viewer: { name: '__Host-lazaret-viewer', path: '/' },
  console: { name: '__Secure-lazaret-console', path: '/console' },
};

export class Sessions {
  readonly #now: () => number;
  readonly #sessions = new Map<string, Session>();

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(audience: SessionAudience, actor: Actor, stamp: string): Session {
    const now = this.#now();
    const session: Session = { id: randomBytes(32).toString('base64url'), audience, actor, stamp, startedAt: now, usedAt: now, confirmedAt: now };
    this.#sessions.set(session.id, session);
    if (this.#sessions.size > sessionsMax) this.#sessions.delete(this.#sessions.keys().next().value!);
    return session;
  }

  /** The session of a cookie, for this audience only; null when it is over. */
  find(id: string | undefined, audience: SessionAudience): Session | null {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session === undefined || session.audience !== audience) return null;
    const now = this.#now();
    if (now - session.usedAt > idleMs || now - session.startedAt > lifeMs) {
      this.#sessions.delete(session.id);
      return null;
    }
    session.usedAt = now;
    // Last used last: the Map's order is that of use.
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    return session;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }
}

/** `Set-Cookie` for a session that begins, or for one that ends. */
export function setCookie(audience: SessionAudience, id: string | null): string {
  const { name, path } = cookies[audience];
  return `${name}=${id ?? ''}; Path=${path}; HttpOnly; Secure; SameSite=Strict${id === null ? '; Max-Age=0' : ''}`;
}
