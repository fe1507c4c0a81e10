// Packages OHIF for this server: fetches its published distribution, checks that it is exactly the one we know, leaves out what
// we do not want in a hospital, and writes the two files that make it ours. `node viewer/package.mjs [--from FILE.tgz]`.
//
// Plain JavaScript without dependencies: runs on Node 20 before anything is installed. OHIF is no npm dependency of ours, because
// the dependencies that its package declares are those of its sources, not of the built files that are used here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { appConfig, bootScript, indexHtml } from './pages.mjs';
import { noticesOf } from './notices.mjs';
import { readTar } from './tar.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const name = '@ohif/app';
const version = '3.13.2';
/** Of the published archive. Another one, from whichever registry, is not unpacked. */
const integrity = 'sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==';

const cache = join(here, '.cache');
const archive = join(cache, `ohif-app-${version}.tgz`);
const target = join(here, 'dist');

/** What is left out, and why. */
const leftOut = [
  [/^ort\//, 'ONNX runtime for models that are fetched from elsewhere'],
  [/\.map$/, 'source maps'],
  [/^(?:sw|init-service-worker)\.js$/, 'service worker: old code would outlive an update'],
  [/^(?:google|oidc-client\.min|es6-shim\.min|polyfill\.min)\.js$|^silent-refresh\.html$/, 'sign-in with other servers'],
  [/^customizations\//, 'demonstrations'],
  [/^(?:_headers|_redirects|manifest\.json|app-config\.js|index\.html|\.[^/]*)$/, 'written anew or for another host'],
  [/^assets\/(?:browserconfig\.xml|yandex[^/]*|manifest\.webapp)$/, 'for the start screens of others'],
];
/** Only these kinds of file are served. */
const kept = /\.(?:js|css|wasm|png|jpe?g|svg|ico|gif|cur|woff2?|ttf|json|txt)$/;
/** Compressed beforehand, so that no request costs it. */
const compressed = /\.(?:js|css|wasm|svg|json)$/;

/** The published distribution is some 205 MB unpacked. */
const unpackedBytesMax = 400 * 1024 * 1024;

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function matches(file) {
  return existsSync(file) && `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}` === integrity;
}

function fetchArchive(from) {
  mkdirSync(cache, { recursive: true });
  if (from !== undefined) {
    if (!matches(from)) fail(`${from} is not ${name} ${version} as published.`);
    copyFileSync(from, archive);
    return;
  }
  if (matches(archive)) return;
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, [process.env.npm_execpath]] : ['npm', []];
  const packed = spawnSync(npm[0], [...npm[1], 'pack', `${name}@${version}`, '--pack-destination', cache, '--silent'], { cwd: here, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (packed.status !== 0) fail(`npm could not fetch ${name} ${version}: ${packed.stderr ?? ''}${packed.error ?? ''}`);
  if (!matches(archive)) {
    rmSync(archive, { force: true });
    fail(`What the registry gave for ${name} ${version} is not what was published (its SHA-512 differs). It was not unpacked.`);
  }
}

function main() {
  const at = process.argv.indexOf('--from');
  fetchArchive(at < 0 ? undefined : process.argv[at + 1]);

  const files = new Map();
  for (const [path, bytes] of readTar(gunzipSync(readFileSync(archive), { maxOutputLength: unpackedBytesMax }))) {
    if (path === 'package/LICENSE') files.set('LICENSE.txt', bytes);
    if (!path.startsWith('package/dist/')) continue;
    const inside = path.slice('package/dist/'.length);
    if (kept.test(inside) && !leftOut.some(([pattern]) => pattern.test(inside))) files.set(inside, bytes);
  }
  const bundle = [...files.keys()].filter((path) => /^app\.bundle\.[0-9a-f]+\.js$/.test(path));
  if (bundle.length !== 1 || !files.has('app.bundle.css')) fail('The distribution of OHIF looks other than expected; nothing was written.');
  files.set('index.html', Buffer.from(indexHtml(bundle[0])));
  files.set('app-config.js', Buffer.from(appConfig));
  files.set('boot.js', Buffer.from(bootScript));
  files.set('third-party-notices.txt', Buffer.from(noticesOf(files, name, version)));

  // Whole or not at all: the old folder serves until the new one stands.
  const fresh = `${target}.new`;
  rmSync(fresh, { recursive: true, force: true });
  let bytesTotal = 0;
  for (const [path, bytes] of files) {
    const file = join(fresh, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    bytesTotal += bytes.length;
    if (compressed.test(path) && bytes.length > 1024) {
      const smaller = gzipSync(bytes, { level: 6 });
      if (smaller.length < bytes.length * 0.9) writeFileSync(`${file}.gz`, smaller);
    }
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  process.stderr.write(`OHIF ${version}: ${files.size} files, ${(bytesTotal / 1e6).toFixed(0)} MB\n`);
}

main();
