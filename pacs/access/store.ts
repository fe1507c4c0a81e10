/**
 * Accounts, tokens and sign-in, inside the keeper: it answers the `access` request of the web process and of the terminal.
 * Hashes never leave it.
 */
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { Kysely } from 'kysely';
import { roles as allRoles, type Actor, type Role } from './actions.ts';
import { decide } from './decide.ts';
import { Failures, forAddress, forName, forNameAtAddress } from './failures.ts';
import { accountChanged, signedIn, signedOut, type SignInWay } from './messages.ts';
import { checkAccessRequest, checkName } from './guard.ts';
import type { AccessAnswer, AccessRequest, Credentials, Token, User } from './requests.ts';
import type { AccessTables } from './schema.ts';
import { checkPassword, hashPassword, isToken, makeCode, makeToken, normalizeCode, sha256, verifyPassword } from './secrets.ts';

/** A code that nobody used in a day has been read by too many eyes. A restart prints a new one. */
const codeValidMs = 24 * 60 * 60_000;

export interface AccessParts {
  readonly database: Kysely<AccessTables>;
  /** Resolves once the message is durable in the audit log. */
  readonly record: (message: AuditMessage) => Promise<unknown>;
  readonly now: () => number;
}

/** The terminal's socket can be opened by the service account alone, so whoever asks through it is this actor. */
export const terminal: Actor = { kind: 'terminal', name: 'terminal', roles: [], address: 'local' };

type Known = { readonly actor: Actor; readonly stamp: string };

export class AccessStore {
  readonly #parts: AccessParts;
  readonly #nameAtAddress: Failures;
  readonly #address: Failures;
  readonly #name: Failures;

  constructor(parts: AccessParts) {
    this.#parts = parts;
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
      case 'first-administrator': return { outcome: 'first-administrator', missing: !(await this.#hasAdministrator()) };
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
  async firstAdministratorCode(): Promise<string | null> {
    const { database, now } = this.#parts;
    await database.deleteFrom('access_code').execute();
    if (await this.#hasAdministrator()) return null;
    const code = makeCode();
    await database.insertInto('access_code').values({ sha256: sha256(normalizeCode(code)), created_at: now() }).execute();
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

  #know(credentials: Credentials, address: string): Promise<Known | null> {
    switch (credentials.kind) {
      case 'token': return this.#knowToken(credentials.token, address);
      case 'basic': return isToken(credentials.password) ? this.#knowToken(credentials.password, address) : this.#knowPassword(credentials.name, credentials.password, address);
      case 'password': return this.#knowPassword(credentials.name, credentials.password, address);
      case 'code': return this.#knowCode(credentials, address);
    }
  }

  async #knowToken(token: string, address: string): Promise<Known | null> {
    if (!isToken(token)) return null;
    const row = await this.#parts.database.selectFrom('access_token').selectAll().where('sha256', '=', sha256(token)).executeTakeFirst();
    if (row === undefined) return null;
    return { stamp: stampOf(row.sha256), actor: { kind: 'token', name: row.name, roles: knownRoles(row.role), address } };
  }

  async #knowPassword(name: string, password: string, address: string): Promise<Known | null> {
    const row = await this.#parts.database.selectFrom('access_user').selectAll().where('name', '=', name).executeTakeFirst();
    if (!(await verifyPassword(password, row?.password ?? null)) || row === undefined) return null;
    return { stamp: stampOf(row.password), actor: { kind: 'person', name: row.name, roles: knownRoles(row.roles), address } };
  }

  /** The first administrator names itself with the code from the terminal. The code is used up in the same transaction. */
  async #knowCode(credentials: Extract<Credentials, { kind: 'code' }>, address: string): Promise<Known | null> {
    const { database, now } = this.#parts;
    const digest = sha256(normalizeCode(credentials.code));
    const row = await database.selectFrom('access_code').selectAll().where('sha256', '=', digest).executeTakeFirst();
    if (row === undefined || now() - row.created_at > codeValidMs || (await this.#hasAdministrator())) return null;
    checkName(credentials.name);
    checkPassword(credentials.password, credentials.name);
    if ((await database.selectFrom('access_user').select('name').where('name', '=', credentials.name).executeTakeFirst()) !== undefined) throw refused('name-taken', `there is already a user ${credentials.name}`);
    const password = await hashPassword(credentials.password);
    const made = await database.transaction().execute(async (transaction) => {
      const used = await transaction.deleteFrom('access_code').where('sha256', '=', digest).executeTakeFirst();
      if (used.numDeletedRows !== 1n) return false;
      await transaction.insertInto('access_user').values({ name: credentials.name, password, roles: 'administrator', created_at: now() }).execute();
      return true;
    });
    if (!made) return null;
    const actor: Actor = { kind: 'person', name: credentials.name, roles: ['administrator'], address };
    await this.#parts.record(accountChanged({ time: now(), by: actor, what: 'first administrator made with the one-time code', name: actor.name, roles: actor.roles }));
    return { stamp: stampOf(password), actor };
  }

  async #still(request: Extract<AccessRequest, { do: 'still' }>): Promise<AccessAnswer> {
    const { database } = this.#parts;
    const row = request.kind === 'person'
      ? await database.selectFrom('access_user').select(['roles', 'password as secret']).where('name', '=', request.name).executeTakeFirst()
      : await database.selectFrom('access_token').select(['role as roles', 'sha256 as secret']).where('name', '=', request.name).executeTakeFirst();
    if (row === undefined || stampOf(row.secret) !== request.stamp) return { outcome: 'unknown', reason: 'the account is gone or its secret has changed', retryAfterMs: 0 };
    return { outcome: 'known', stamp: request.stamp, actor: { kind: request.kind, name: request.name, roles: knownRoles(row.roles), address: '' } };
  }

  async #administer(request: Extract<AccessRequest, { by: Actor }>, by: Actor): Promise<AccessAnswer> {
    const { database, now } = this.#parts;
    const changed = (what: string, name: string, roles: readonly string[]): Promise<unknown> => this.#parts.record(accountChanged({ time: now(), by, what, name, roles }));
    switch (request.do) {
      case 'user-list': {
        const rows = await database.selectFrom('access_user').select(['name', 'roles', 'created_at']).orderBy('name').execute();
        return { outcome: 'users', users: rows.map((row): User => ({ name: row.name, roles: knownRoles(row.roles), createdAt: row.created_at })) };
      }
      case 'token-list': {
        const rows = await database.selectFrom('access_token').select(['name', 'role', 'created_at']).orderBy('name').execute();
        return { outcome: 'tokens', tokens: rows.map((row): Token => ({ name: row.name, role: row.role as Role, createdAt: row.created_at })) };
      }
      case 'user-add': {
        checkPassword(request.password, request.name);
        const password = await hashPassword(request.password);
        const result = await database.insertInto('access_user').values({ name: request.name, password, roles: request.roles.join(' '), created_at: now() }).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
        if (result.numInsertedOrUpdatedRows !== 1n) throw refused('name-taken', `there is already a user ${request.name}`);
        await changed('user added', request.name, request.roles);
        return { outcome: 'done' };
      }
      case 'token-add': {
        const token = makeToken();
        const row: Token = { name: request.name, role: request.role, createdAt: now() };
        const result = await database.insertInto('access_token').values({ sha256: sha256(token), name: row.name, role: row.role, created_at: row.createdAt }).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
        if (result.numInsertedOrUpdatedRows !== 1n) throw refused('name-taken', `there is already a token ${request.name}`);
        await changed('token added', request.name, [request.role]);
        return { outcome: 'token', token, row };
      }
      case 'user-remove': {
        const users = await database.selectFrom('access_user').select(['name', 'roles']).execute();
        const administrators = users.filter((user) => knownRoles(user.roles).includes('administrator'));
        if (administrators.length === 1 && administrators[0]!.name === request.name) throw refused('administrator-last', `${request.name} is the last administrator; add another one first`);
        const result = await database.deleteFrom('access_user').where('name', '=', request.name).executeTakeFirst();
        if (result.numDeletedRows !== 1n) throw refused('name-unknown', `there is no user ${request.name}`);
        await changed('user removed', request.name, []);
        return { outcome: 'done' };
      }
      case 'token-remove': {
        const result = await database.deleteFrom('access_token').where('name', '=', request.name).executeTakeFirst();
        if (result.numDeletedRows !== 1n) throw refused('name-unknown', `there is no token ${request.name}`);
        await changed('token removed', request.name, []);
        return { outcome: 'done' };
      }
    }
  }

  async #hasAdministrator(): Promise<boolean> {
    const rows = await this.#parts.database.selectFrom('access_user').select('roles').execute();
    return rows.some((row) => knownRoles(row.roles).includes('administrator'));
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
