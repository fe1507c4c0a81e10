/** Guards of the `access` request: the keeper believes no sender. */
import { refused } from '@lazaret/system/failure.ts';
import { roles as allRoles, type Actor } from './actions.ts';
import type { AccessRequest } from './requests.ts';
import { audiences } from './routes.ts';

/** Names are shown in audit messages, logs and pages; 64 is what a person can still read. */
const nameGrammar = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** Longest secret or claimed name that is looked at; a token has 47 characters. */
const textLengthMax = 256;

export function checkName(name: string): void {
  if (!nameGrammar.test(name)) throw refused('name-invalid', 'a name has 1 to 64 letters, digits, dots, dashes, underscores or @, and begins with a letter or digit');
}

/** The request with its shape checked, or throws `access-invalid` with the field that is wrong. */
export function checkAccessRequest(untrusted: unknown): AccessRequest {
  const request = object(untrusted, 'the request');
  switch (request['do']) {
    case 'authenticate': {
      const credentials = object(request['credentials'], 'credentials');
      const fields = fieldsOf[String(credentials['kind'])];
      if (fields === undefined) throw refused('access-invalid', 'unknown kind of credentials');
      for (const field of fields) text(credentials, field);
      text(request, 'address');
      oneOf(request['audience'], audiences, 'audience');
      break;
    }
    case 'sign-out':
      text(request, 'name');
      text(request, 'address');
      oneOf(request['audience'], audiences, 'audience');
      break;
    case 'still':
      text(request, 'name');
      text(request, 'stamp');
      oneOf(request['kind'], ['person', 'token'], 'kind');
      break;
    case 'first-administrator':
      break;
    case 'user-list':
    case 'token-list':
      actor(request['by']);
      break;
    case 'user-add':
      actor(request['by']);
      checkName(text(request, 'name'));
      text(request, 'password');
      roleList(request['roles']);
      break;
    case 'token-add':
      actor(request['by']);
      checkName(text(request, 'name'));
      oneOf(request['role'], allRoles, 'role');
      break;
    case 'user-remove':
    case 'token-remove':
      actor(request['by']);
      text(request, 'name');
      break;
    default: throw refused('access-invalid', 'unknown access request');
  }
  return request as unknown as AccessRequest;
}

const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  __proto__: null as never,
  password: ['name', 'password'],
  basic: ['name', 'password'],
  code: ['code', 'name', 'password'],
  token: ['token'],
};

function object(untrusted: unknown, what: string): Record<string, unknown> {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) throw refused('access-invalid', `${what} is not an object`);
  return untrusted as Record<string, unknown>;
}
function text(from: Record<string, unknown>, field: string): string {
  const value = from[field];
  if (typeof value !== 'string' || value.length > textLengthMax) throw refused('access-invalid', `${field} is not a text of at most ${textLengthMax} characters`);
  return value;
}
function oneOf(value: unknown, of: readonly string[], field: string): void {
  if (typeof value !== 'string' || !of.includes(value)) throw refused('access-invalid', `${field} is one of ${of.join(', ')}`);
}
function roleList(value: unknown): void {
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) throw refused('access-invalid', 'roles is a list of different roles, at least one');
  for (const role of value) oneOf(role, allRoles, 'each role');
}
function actor(value: unknown): void {
  const by = object(value, 'by') as Partial<Record<keyof Actor, unknown>>;
  oneOf(by.kind, ['person', 'token', 'peer', 'anonymous', 'terminal'], 'by.kind');
  text(by as Record<string, unknown>, 'name');
  text(by as Record<string, unknown>, 'address');
  if (!Array.isArray(by.roles)) throw refused('access-invalid', 'by.roles is not a list');
  for (const role of by.roles) oneOf(role, allRoles, 'by.roles');
}
