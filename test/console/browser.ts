/** Real Chromium on the console: a thin server that mounts its routes, pages in every size and scheme, and what must never be seen in them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { chromium, type Browser, type Page } from 'playwright-core';
import { consoleRoutes, type Keeper } from '../../console/server/routes.ts';
import type { Actor } from '../../pacs/access/actions.ts';
import { decide } from '../../pacs/access/decide.ts';
import { problem, type RouteAnswer } from '../../pacs/access/routes.ts';
import { Readable } from 'node:stream';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** As LIBRARIES of this project found: headless on a machine without a screen, and no request of the browser's own. */
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--force-color-profile=srgb'];

export const sizes = { small: { width: 1366, height: 768 }, large: { width: 1920, height: 1080 } } as const;

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: flags });
}

/** The console's routes on a free port of loopback, for `actor`; everything else about the real server is in processes/web. */
export async function serveConsole(keeper: Keeper, actor: () => Actor): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true });
  for (const route of consoleRoutes({ keeper })) {
    app.route({
      method: route.method, url: route.url,
      handler: async (request, reply) => {
        const answer: RouteAnswer = decide(actor(), route.action).allowed
          ? await route.handler({ actor: actor(), method: route.method, url: request.url, origin: '', params: request.params as Record<string, string>, query: new URLSearchParams(request.url.split('?')[1] ?? ''), headers: request.headers, body: request.body, stream: Readable.from([]), signal: new AbortController().signal })
          : actor().kind === 'anonymous' ? problem(401, 'sign-in-needed', 'Sign in.') : problem(403, 'access-denied', 'This account may not do that.');
        return reply.code(answer.status).headers((answer.headers ?? {}) as Record<string, string>).send(answer.body ?? undefined);
      },
    });
  }
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { origin: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, close: () => app.close() };
}

export interface Watched {
  readonly page: Page;
  /** What must stay empty: violated policies, errors, requests that leave the origin. */
  readonly faults: string[];
  close(): Promise<void>;
}

/** A page in which every violation of the policy, every error and every outside request is written down. */
export async function openPage(browser: Browser, origin: string, options: { readonly size?: keyof typeof sizes; readonly scheme?: 'light' | 'dark' } = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: sizes[options.size ?? 'small'], colorScheme: options.scheme ?? 'light', reducedMotion: 'reduce', ignoreHTTPSErrors: true, locale: 'en-GB', permissions: ['clipboard-write'] });
  const faults: string[] = [];
  const page = await context.newPage();
  await context.exposeBinding('reportViolation', (_source, text: string) => void faults.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => (window as unknown as { reportViolation(text: string): void }).reportViolation(`policy ${event.violatedDirective}: ${event.blockedURI} ${event.sample} ${event.sourceFile}:${event.lineNumber}`));
  });
  page.on('pageerror', (error) => faults.push(`error ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`console ${message.text()}`); });
  page.on('request', (request) => { if (!request.url().startsWith(`${origin}/`)) faults.push(`outside request ${request.url()}`); });
  return { page, faults, close: () => context.close() };
}

/** axe-core's findings in words; empty when there are none. Runs in an isolated world, past the page's policy. */
export async function axeFindings(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  await session.send('Runtime.evaluate', { expression: axeSource, contextId: executionContextId });
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    contextId: executionContextId, awaitPromise: true, returnByValue: true,
    expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((each) => each.id + ': ' + each.help + ' — ' + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | ')))`,
  });
  await session.detach();
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as string[];
}

/** At the sign-in page, wherever it leads. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A page of its own for somebody who begins with what is held. */
export async function openHeld(browser: Browser, origin: string, name: string, password: string): Promise<Watched> {
  const opened = await openPage(browser, origin);
  await opened.page.goto(`${origin}/console/held`);
  await signIn(opened.page, name, password);
  await opened.page.getByRole('heading', { name: 'Held' }).waitFor();
  return opened;
}
