/**
 * Files of a built page (viewer, sign-in). Their names are listed once at start; a request is answered only by exact match with a name of
 * the list, so no path that somebody sends ever reaches the file system.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import type { RouteAnswer, RouteRequest } from '@lazaret/pacs/access/routes.ts';

interface PageFile {
  readonly path: string;
  /** Of a small file: what was listed is what is served, whatever happens to the folder. */
  readonly content: Buffer | null;
  readonly bytes: number;
  readonly type: string;
  readonly etag: string;
  /** The same compressed with gzip beforehand, where the packager made it (`name.gz`). */
  readonly gzip: { readonly path: string; readonly bytes: number } | null;
}
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Kept in memory. Of the viewer's files all but twenty are smaller, 5 MB together. */
const smallBytesMax = 256 * 1024;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg', '.ico': 'image/x-icon', '.woff': 'font/woff', '.woff2': 'font/woff2', '.ttf': 'font/ttf',
  '.wasm': 'application/wasm', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json', '.gif': 'image/gif', '.cur': 'image/x-icon',
};

/** Lists the files of a folder. An absent folder gives none. Files of unknown type are left out. */
export function listFiles(folder: string): PageFiles {
  const files = new Map<string, PageFile>();
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return files;
  }
  const sizes = new Map(entries.filter((entry) => entry.isFile()).map((entry) => [join(entry.parentPath, entry.name), 0]));
  for (const path of sizes.keys()) sizes.set(path, statSync(path).size);
  for (const [path, bytes] of sizes) {
    const type = types[extname(path).toLowerCase()];
    if (type === undefined) continue;
    const gzip = sizes.get(`${path}.gz`);
    const content = bytes <= smallBytesMax ? readFileSync(path) : null;
    files.set(relative(folder, path).split(sep).join('/'), {
      path, content, bytes: content?.length ?? bytes, type, etag: etagOf(path, bytes, content), gzip: gzip === undefined ? null : { path: `${path}.gz`, bytes: gzip },
    });
  }
  return files;
}

/** Of the content for what is small; names of the big ones carry a digest already. */
function etagOf(path: string, bytes: number, content: Buffer | null): string {
  const hash = createHash('sha256').update(content ?? `${path}\n${bytes}\n${statSync(path).mtimeMs}`);
  return `"${hash.digest('base64url').slice(0, 22)}"`;
}

/** The answer with one file, or null where there is none of that name. */
export function answerFile(files: PageFiles, name: string, request: RouteRequest, headers: Readonly<Record<string, string>>): RouteAnswer | null {
  const file = files.get(name);
  if (file === undefined) return null;
  const common = { ...headers, 'content-type': file.type, etag: file.etag, 'cache-control': headers['cache-control'] ?? 'no-cache', vary: 'accept-encoding' };
  if (request.headers['if-none-match'] === file.etag) return { status: 304, headers: common };
  if (file.gzip !== null && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    return { status: 200, headers: { ...common, 'content-encoding': 'gzip', 'content-length': file.gzip.bytes }, body: createReadStream(file.gzip.path) };
  }
  return { status: 200, headers: { ...common, 'content-length': file.bytes }, body: file.content ?? createReadStream(file.path) };
}
