/**
 * Accounts, tokens and sign-in, inside the keeper: it answers the `access` request of the web process and of the terminal.
 * Hashes never leave it.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import { roles as allRoles, type Actor, type Role } from './actions.ts';
import { decide } from './decide.ts';
import { Failures, forAddress, forName, forNameAtAddress } from './failures.ts';
import { accountChanged, signedIn, signedOut, type SignInWay } from './messages.ts';
import { checkAccessRequest, checkName } from './guard.ts';
import type { AccessAnswer, AccessRequest, Credentials, Token, User } from './requests.ts';
import { checkPassword, hashPassword, isToken, makeCode, makeToken, normalizeCode, sha256, verifyPassword } from './secrets.ts';

/** A code that nobody used in a day has been read by too many eyes. A restart prints a new one. */
const codeValidMs = 24 * 60 * 60_000;

export interface AccessParts {
  /** With the tables of schema.ts. */
  readonly database: DatabaseSync;
  /** Resolves once the message is durable in the audit log. */
  readonly record: (message: AuditMessage) => Promise<unknown>;
  readonly now: () => number;
}

/** The terminal's socket can be opened by the service account alone, so whoever asks through it is this actor. */
export const terminal: Actor = { kind: 'terminal', name: 'terminal', roles: [], address: 'local' };

const statements = {
  user: 'SELECT name, password, roles, createdAt FROM users WHERE name = ?',
  users: 'SELECT name, roles, createdAt FROM users ORDER BY name',
  userSecret: 'SELECT roles, password AS secret FROM users WHERE name = ?',
  addUser: 'INSERT INTO users (name, password, roles, createdAt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  removeUser: 'DELETE FROM users WHERE name = ?',
  tokenBySecret: 'SELECT sha256, name, role, createdAt FROM tokens WHERE sha256 = ?',
  tokenSecret: 'SELECT role AS roles, sha256 AS secret FROM tokens WHERE name = ?',
  tokens: 'SELECT name, role, createdAt FROM tokens ORDER BY name',
  addToken: 'INSERT INTO tokens (sha256, name, role, createdAt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  removeToken: 'DELETE FROM tokens WHERE name = ?',
  code: 'SELECT createdAt FROM oneTimeCodes WHERE sha256 = ?',
  addCode: 'INSERT INTO oneTimeCodes (sha256, createdAt) VALUES (?, ?)',
  forgetCodes: 'DELETE FROM oneTimeCodes',
} as const;
type Statements = Readonly<Record<keyof typeof statements, StatementSync>>;
interface UserRow { readonly name: string; readonly password: string; readonly roles: string; readonly createdAt: number }
interface TokenRow { readonly sha256: string; readonly name: string; readonly role: string; readonly createdAt: number }

type Known = { readonly actor: Actor; readonly stamp: string };

export class AccessStore {
  readonly #parts: AccessParts;
  readonly #run: Statements;
  readonly #nameAtAddress: Failures;
  readonly #address: Failures;
  readonly #name: Failures;

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#run = Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, parts.database.prepare(sql)])) as Statements;
    this.#nameAtAddress = new Failures(forNameAtAddress, parts.now);
    this.#address = new Failures(forAddress, parts.now);
    this.#name = new Failures(forName, parts.now);
  }

  /** Answers one `access` request. `socket` says through which door it came; `untrusted` is its body. */
  async handle(untrusted: unknown, socket: 'web' | 'terminal'): Promise<AccessAnswer> {
    const request = checkAccessRequest(untrusted);
    switch (request.do) {
      case 'authenticate': return this.#authenticate(request);
      case 'sign-out':
        await this.#parts.record(signedOut({ ...request, time: this.#parts.now() }));
        return { outcome: 'done' };
      case 'still': return this.#still(request);
      case 'first-administrator': return { outcome: 'first-administrator', missing: !this.#hasAdministrator() };
      default: {
        const by = socket === 'terminal' ? terminal : request.by;
        const decision = decide(by, 'administer');
        if (!decision.allowed || (socket === 'web' && by.kind !== 'person')) throw refused('access-denied', decision.reason);
        return this.#administer(request, by);
      }
    }
  }

  /**
   * A fresh one-time code while there is no administrator, else null. Called once at each start; only the newest code works.
   * The caller prints it on the terminal and keeps it nowhere.
   */
  firstAdministratorCode(): string | null {
    this.#run.forgetCodes.run();
    if (this.#hasAdministrator()) return null;
    const code = makeCode();
    this.#run.addCode.run(sha256(normalizeCode(code)), this.#parts.now());
    return code;
  }

  async #authenticate(request: Extract<AccessRequest, { do: 'authenticate' }>): Promise<AccessAnswer> {
    const { credentials, address, audience } = request;
    const name = claimedName(credentials);
    const way: SignInWay = credentials.kind === 'code' ? 'one-time code' : credentials.kind === 'token' || (credentials.kind === 'basic' && isToken(credentials.password)) ? 'token' : 'password';
    // A token of 256 random bits cannot be guessed, and a wrong one must not lock out the right ones behind the same address.
    const keys = way === 'token' ? [] : [[this.#nameAtAddress, `${name}\n${address}`], [this.#address, address], [this.#name, name]] as const;
    const retryAfterMs = Math.max(0, ...keys.map(([failures, key]) => failures.waitMs(key)));
    if (retryAfterMs > 0) {
      await this.#parts.record(signedIn({ time: this.#parts.now(), name, address, way, audience, failure: 'too many failures: refused without a look' }));
      return { outcome: 'unknown', reason: `too many failures; try again in ${Math.ceil(retryAfterMs / 1000)} s`, retryAfterMs };
    }
    const known = await this.#know(credentials, address);
    await this.#parts.record(signedIn({ time: this.#parts.now(), name: known?.actor.name ?? name, address, way, audience, failure: known === null ? 'unknown name or wrong secret' : null }));
    for (const [failures, key] of keys) {
      if (known === null) failures.failed(key);
      else if (failures === this.#nameAtAddress) failures.succeeded(key);
    }
    if (known === null) return { outcome: 'unknown', reason: 'the name or the secret is wrong', retryAfterMs: 0 };
    return { outcome: 'known', actor: known.actor, stamp: known.stamp };
  }

  async #know(credentials: Credentials, address: string): Promise<Known | null> {
    switch (credentials.kind) {
      case 'token': return this.#knowToken(credentials.token, address);
      case 'basic': return isToken(credentials.password) ? this.#knowToken(credentials.password, address) : this.#knowPassword(credentials.name, credentials.password, address);
      case 'password': return this.#knowPassword(credentials.name, credentials.password, address);
      case 'code': return this.#knowCode(credentials, address);
    }
  }

  #knowToken(token: string, address: string): Known | null {
    if (!isToken(token)) return null;
    const row = this.#run.tokenBySecret.get(sha256(token)) as TokenRow | undefined;
    if (row === undefined) return null;
    return { stamp: stampOf(row.sha256), actor: { kind: 'token', name: row.name, roles: knownRoles(row.role), address } };
  }

  async #knowPassword(name: string, password: string, address: string): Promise<Known | null> {
    const row = this.#run.user.get(name) as UserRow | undefined;
    if (!(await verifyPassword(password, row?.password ?? null)) || row === undefined) return null;
    return { stamp: stampOf(row.password), actor: { kind: 'person', name: row.name, roles: knownRoles(row.roles), address } };
  }

  /** The first administrator names itself with the code from the terminal. */
  async #knowCode(credentials: Extract<Credentials, { kind: 'code' }>, address: string): Promise<Known | null> {
    const { now } = this.#parts;
    const digest = sha256(normalizeCode(credentials.code));
    const valid = (): boolean => {
      const row = this.#run.code.get(digest) as { createdAt: number } | undefined;
      return row !== undefined && now() - row.createdAt <= codeValidMs && !this.#hasAdministrator();
    };
    if (!valid()) return null;
    checkName(credentials.name);
    checkPassword(credentials.password, credentials.name);
    if (this.#run.user.get(credentials.name) !== undefined) throw refused('name-taken', `there is already a user ${credentials.name}`);
    const password = await hashPassword(credentials.password);
    // Asked again: somebody else may have used it while the password was hashed. From here on nothing waits. The user is added first: were
    // the code forgotten first and the process killed between, nobody could get in until the next start.
    if (!valid() || this.#run.addUser.run(credentials.name, password, 'administrator', now()).changes !== 1) return null;
    this.#run.forgetCodes.run();
    const actor: Actor = { kind: 'person', name: credentials.name, roles: ['administrator'], address };
    await this.#parts.record(accountChanged({ time: now(), by: actor, what: 'first administrator made with the one-time code', name: actor.name, roles: actor.roles }));
    return { stamp: stampOf(password), actor };
  }

  #still(request: Extract<AccessRequest, { do: 'still' }>): AccessAnswer {
    const row = (request.kind === 'person' ? this.#run.userSecret : this.#run.tokenSecret).get(request.name) as { roles: string; secret: string } | undefined;
    if (row === undefined || stampOf(row.secret) !== request.stamp) return { outcome: 'unknown', reason: 'the account is gone or its secret has changed', retryAfterMs: 0 };
    return { outcome: 'known', stamp: request.stamp, actor: { kind: request.kind, name: request.name, roles: knownRoles(row.roles), address: '' } };
  }

  async #administer(request: Extract<AccessRequest, { by: Actor }>, by: Actor): Promise<AccessAnswer> {
    const { now } = this.#parts;
    const changed = (what: string, name: string, roles: readonly string[]): Promise<unknown> => this.#parts.record(accountChanged({ time: now(), by, what, name, roles }));
    switch (request.do) {
      case 'user-list': {
        const rows = this.#run.users.all() as unknown as readonly UserRow[];
        return { outcome: 'users', users: rows.map((row): User => ({ name: row.name, roles: knownRoles(row.roles), createdAt: row.createdAt })) };
      }
      case 'token-list': {
        const rows = this.#run.tokens.all() as unknown as readonly TokenRow[];
        return { outcome: 'tokens', tokens: rows.map((row): Token => ({ name: row.name, role: row.role as Role, createdAt: row.createdAt })) };
      }
      case 'user-add': {
        checkPassword(request.password, request.name);
        const password = await hashPassword(request.password);
        if (this.#run.addUser.run(request.name, password, request.roles.join(' '), now()).changes !== 1) throw refused('name-taken', `there is already a user ${request.name}`);
        await changed('user added', request.name, request.roles);
        return { outcome: 'done' };
      }
      case 'token-add': {
        const token = makeToken();
        const row: Token = { name: request.name, role: request.role, createdAt: now() };
        if (this.#run.addToken.run(sha256(token), row.name, row.role, row.createdAt).changes !== 1) throw refused('name-taken', `there is already a token ${request.name}`);
        await changed('token added', request.name, [request.role]);
        return { outcome: 'token', token, row };
      }
      case 'user-remove': {
        const administrators = (this.#run.users.all() as unknown as readonly UserRow[]).filter((user) => knownRoles(user.roles).includes('administrator'));
        if (administrators.length === 1 && administrators[0]!.name === request.name) throw refused('administrator-last', `${request.name} is the last administrator; add another one first`);
        if (this.#run.removeUser.run(request.name).changes !== 1) throw refused('name-unknown', `there is no user ${request.name}`);
        await changed('user removed', request.name, []);
        return { outcome: 'done' };
      }
      case 'token-remove': {
        if (this.#run.removeToken.run(request.name).changes !== 1) throw refused('name-unknown', `there is no token ${request.name}`);
        await changed('token removed', request.name, []);
        return { outcome: 'done' };
      }
    }
  }

  #hasAdministrator(): boolean {
    return (this.#run.users.all() as unknown as readonly UserRow[]).some((row) => knownRoles(row.roles).includes('administrator'));
  }
}

/** Names a stored secret without giving anything of it away. */
function stampOf(stored: string): string {
  return sha256(`stamp\n${stored}`).slice(0, 32);
}

function claimedName(credentials: Credentials): string {
  if (credentials.kind === 'token' || (credentials.kind === 'basic' && isToken(credentials.password))) return '(token)';
  return credentials.name;
}

/** Roles as stored; a word that this version does not know gives nothing. */
function knownRoles(text: string): readonly Role[] {
  return text.split(' ').filter((word): word is Role => (allRoles as readonly string[]).includes(word));
}
