/** Signing in and out: the page, and the requests that it makes. */
import type { AccessAnswer, AccessRequest, Credentials } from '@lazaret/pacs/access/requests.ts';
import { decide } from '@lazaret/pacs/access/decide.ts';
import { json, problem, type Audience, type Route, type RouteAnswer, type RouteRequest } from '@lazaret/pacs/access/routes.ts';
import { z } from 'zod';
import type { Keeper } from './authentication.ts';
import { answerFile, type PageFiles } from './files.ts';
import { signInPolicy } from './pages.ts';
import { cookies, setCookie, type SessionAudience, type Sessions } from './sessions.ts';

/** Beside the keeper's own waits for who fails: bounds the work that one address can cause. A ward behind one address signs in at the change of shift. */
const signInsPerMinuteMax = 60;

const signInBody = z.strictObject({
  page: z.enum(['viewer', 'console']),
  name: z.string().max(64),
  password: z.string().max(256),
  code: z.string().max(64).optional(),
});

export interface SignInParts {
  readonly keeper: Keeper;
  readonly sessions: Sessions;
  readonly files: PageFiles;
}

export function signInRoutes({ keeper, sessions, files }: SignInParts): Route[] {
  const ask = (request: AccessRequest): Promise<AccessAnswer> => keeper.request<AccessAnswer>('access', request);
  const file = (url: string, name: string): Route => ({
    method: 'GET', url, action: 'sign-in', audience: 'viewer',
    handler: (request) => answerFile(files, name, request, { 'content-security-policy': signInPolicy }) ?? problem(404, 'route-unknown', 'There is nothing at this address.'),
  });

  const signIn = async (request: RouteRequest): Promise<RouteAnswer> => {
    const parsed = signInBody.safeParse(request.body);
    if (!parsed.success) return problem(400, 'sign-in-invalid', 'page, name and password are needed.');
    const { page, name, password, code } = parsed.data;
    const credentials: Credentials = code === undefined ? { kind: 'password', name, password } : { kind: 'code', code, name, password };
    const answer = await ask({ do: 'authenticate', credentials, address: request.actor.address, audience: page });
    if (answer.outcome === 'unknown') {
      return problem(answer.retryAfterMs > 0 ? 429 : 403, 'sign-in-refused', sentence(code === undefined ? answer.reason : 'the code is wrong, was used, or is no longer valid; a restart prints a new one'), answer.retryAfterMs > 0 ? { 'retry-after': Math.ceil(answer.retryAfterMs / 1000) } : {});
    }
    if (answer.outcome !== 'known') throw new Error(`unexpected answer ${answer.outcome}`);
    if (!decide(answer.actor, 'read').allowed) return problem(403, 'access-denied', 'This account may not open the viewer or the console.');
    const session = sessions.begin(page, answer.actor, answer.stamp);
    return json(200, { name: answer.actor.name, roles: answer.actor.roles }, { 'set-cookie': setCookie(page, session.id), 'cache-control': 'no-store' });
  };

  const signOut = (audience: SessionAudience) => async (request: RouteRequest): Promise<RouteAnswer> => {
    const id = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim()).find((pair) => pair.startsWith(`${cookies[audience].name}=`))?.slice(cookies[audience].name.length + 1);
    if (id !== undefined) sessions.end(id);
    if (request.actor.kind === 'person') await ask({ do: 'sign-out', name: request.actor.name, address: request.actor.address, audience: audience satisfies Audience });
    return { status: 204, headers: { 'set-cookie': setCookie(audience, null), ...(audience === 'viewer' ? { 'clear-site-data': '"cache"' } : {}) } };
  };

  return [
    file('/sign-in', 'index.html'),
    file('/sign-in/signin.js', 'signin.js'),
    file('/sign-in/signin.css', 'signin.css'),
    file('/sign-in/mark.svg', 'mark.svg'),
    {
      method: 'GET', url: '/sign-in/state', action: 'sign-in', audience: 'viewer',
      handler: async () => {
        const answer = await ask({ do: 'first-administrator' });
        return json(200, { firstAdministratorMissing: answer.outcome === 'first-administrator' && answer.missing }, { 'cache-control': 'no-store' });
      },
    },
    { method: 'POST', url: '/sign-in', action: 'sign-in', audience: 'viewer', body: 'json', bodyBytesMax: 4096, requestsPerMinuteMax: signInsPerMinuteMax, handler: signIn },
    { method: 'POST', url: '/sign-out', action: 'sign-in', audience: 'viewer', handler: signOut('viewer') },
    { method: 'POST', url: '/console/sign-out', action: 'sign-in', audience: 'console', handler: signOut('console') },
    { method: 'GET', url: '/session', action: 'read', audience: 'viewer', handler: ({ actor }) => json(200, { kind: actor.kind, name: actor.name, roles: actor.roles }, { 'cache-control': 'no-store' }) },
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
