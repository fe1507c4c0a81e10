/**
 * The built pages of the console. All of them are read once, on first use, and served from memory by exact name: no path of a request
 * ever reaches the file system.
 */
import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { problem, type Route, type RouteAnswer } from '@lazaret/pacs/access/routes.ts';

/**
 * Nothing but our own files and our own API; no inline script or style; strings cannot become markup or script (Trusted Types).
 * `data:` for images is left out too: the pages draw with SVG elements.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
/** The console is well under a megabyte; a folder larger than this is not it. */
const pagesBytesMax = 16 * 1024 * 1024;

type Pages = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly type: string }>;

/** GET /console, its files, and its first page for every path below that the pages route by themselves. */
export function pageRoutes(directory = fileURLToPath(new URL('../dist', import.meta.url))): Route[] {
  let pages: Promise<Pages> | null = null;
  const answer = async (path: string): Promise<RouteAnswer> => {
    pages ??= readPages(directory);
    let loaded: Pages;
    try {
      loaded = await pages;
    } catch {
      pages = null;
      return problem(503, 'console-unbuilt', 'The console has not been built here: run `npm start`, which builds it.');
    }
    const file = loaded.get(path);
    if (file === undefined && path.startsWith('assets/')) return problem(404, 'page-unknown', 'There is no such file. Load the page again: the console may have been updated.');
    const found = file ?? loaded.get('index.html');
    if (found === undefined) return problem(503, 'console-unbuilt', 'The console has not been built here: run `npm start`, which builds it.');
    return {
      status: 200,
      headers: {
        'content-type': found.type,
        'content-length': found.bytes.byteLength,
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        // Names of built files carry a digest of their content.
        'cache-control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      },
      body: found.bytes,
    };
  };
  return [
    page('/console', () => ({ status: 308, headers: { location: '/console/' }, body: null })),
    page('/console/', () => answer('index.html')),
    page('/console/*', ({ params }) => answer(params['*'] ?? '')),
  ];
}

function page(url: string, handler: Route['handler']): Route {
  return { method: 'GET', url, action: 'sign-in', audience: 'console', handler };
}

async function readPages(directory: string): Promise<Pages> {
  const pages = new Map<string, { bytes: Uint8Array; type: string }>();
  let bytesTotal = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const type = contentTypes[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    bytesTotal += bytes.byteLength;
    if (bytesTotal > pagesBytesMax) throw new RangeError('the folder of the console is larger than the console');
    pages.set(relative(directory, path), { bytes, type });
  }
  return pages;
}
