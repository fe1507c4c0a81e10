/**
 * What the keeper's `access` request takes and answers (pacs/quarantine/requests.ts). The web process may ask for `sign-in`,
 * `authenticate`, `session-end` and, for an administrator who is signed in, the same as the terminal.
 */
import type { Actor, Role } from './actions.ts';
import type { Audience } from './routes.ts';

/** Somebody shows a secret. Exactly one of the kinds. */
export type Credentials =
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  /** The one-time code of the terminal with the name and password of the first administrator to be made. */
  | { readonly kind: 'code'; readonly code: string; readonly name: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** HTTP Basic: the password may be a token (any name) or a user's password. */
  | { readonly kind: 'basic'; readonly name: string; readonly password: string };

export type AccessRequest =
  /** Who is it that shows these? Audited as PS3.15 User Authentication (110114), success and failure. */
  | { readonly do: 'authenticate'; readonly credentials: Credentials; readonly address: string; readonly audience: Audience }
  /** A person left: audited as 110114 Logout. */
  | { readonly do: 'sign-out'; readonly name: string; readonly address: string; readonly audience: Audience }
  /** Was the account behind a session or a remembered token removed or changed since? */
  | { readonly do: 'still'; readonly kind: 'person' | 'token'; readonly name: string; readonly stamp: string }
  | { readonly do: 'first-administrator' }
  | { readonly do: 'user-add'; readonly by: Actor; readonly name: string; readonly password: string; readonly roles: readonly Role[] }
  | { readonly do: 'user-list'; readonly by: Actor }
  | { readonly do: 'user-remove'; readonly by: Actor; readonly name: string }
  | { readonly do: 'token-add'; readonly by: Actor; readonly name: string; readonly role: Role }
  | { readonly do: 'token-list'; readonly by: Actor }
  | { readonly do: 'token-remove'; readonly by: Actor; readonly name: string };

export interface User {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdAt: number;
}
export interface Token {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
}

export type AccessAnswer =
  /** `stamp` changes with the secret: who was let in by a secret that is no longer there is not let in again. */
  | { readonly outcome: 'known'; readonly actor: Actor; readonly stamp: string }
  /** `retryAfterMs` is 0 unless the account or address is locked for a while. */
  | { readonly outcome: 'unknown'; readonly reason: string; readonly retryAfterMs: number }
  | { readonly outcome: 'first-administrator'; readonly missing: boolean }
  | { readonly outcome: 'users'; readonly users: readonly User[] }
  | { readonly outcome: 'tokens'; readonly tokens: readonly Token[] }
  /** The only time that the token is shown. */
  | { readonly outcome: 'token'; readonly token: string; readonly row: Token }
  | { readonly outcome: 'done' };
