// Sets up what is missing and runs a job: `npm start`, `npm test`, `npm run bench` and `./lazaret` begin here.
//
// Plain JavaScript without any import from outside Node, because it runs before anything is installed and on the machine's
// own Node (20 or later). All else runs on the Node 26 that comes with the dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const node = join(modules, '.bin', 'node');
const parent = process.ppid;
const [job = 'start', ...args] = process.argv.slice(2);

/**
 * Where Node keeps what it compiled of the supervisor (and `./lazaret` of its commands): from the second start on the TypeScript stripper and its
 * 20 MB stay out. Only for the owner of the program: files of anybody else in it would be in the way of the next npm ci. Sandboxed processes have
 * caches of their own (system/compiled.ts).
 */
const compiled = join(modules, '.cache', 'lazaret', 'commands');
const ownsProgram = () => statSync(modules).uid === process.getuid();

/** Node 26, TypeScript as it is, and no word about features that are experimental there but pinned here. */
const nodeFlags = ['--disable-warning=ExperimentalWarning'];

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

/** One digest over the names and contents of files, to know whether a step must be done again. */
function digestOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths.toSorted()) hash.update(path).update('\0').update(readFileSync(join(here, path))).update('\0');
  return hash.digest('hex');
}

function filesUnder(folder, skip) {
  return readdirSync(join(here, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
    .filter((path) => !skip.some((part) => path.split('/').includes(part)));
}

/** Runs a step unless its inputs are those of the last time that it went well. */
function step(name, inputs, output, command, commandArgs, environment = {}) {
  const stamp = join(modules, '.lazaret', name);
  const digest = digestOf(inputs);
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return true;
  const started = Date.now();
  say(`${name} …`);
  const done = spawnSync(command, commandArgs, { cwd: here, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: { ...process.env, ...environment }, maxBuffer: 64 << 20 });
  if (done.status !== 0) {
    say(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error ?? ''}`);
    return false;
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
  say(`${name}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return true;
}

function npm(commandArgs) {
  // When npm started us it says where it is; its own file then runs with the Node that is running now.
  const path = process.env.npm_execpath;
  return path && path.endsWith('.js') ? [process.execPath, [path, ...commandArgs]] : ['npm', commandArgs];
}

function install() {
  const [command, commandArgs] = npm(['ci', '--no-audit', '--no-fund']);
  const manifests = ['package.json', 'package-lock.json', '.npmrc', ...readdirSync(here).filter((name) => name !== 'node_modules').map((name) => join(name, 'package.json')).filter((path) => existsSync(join(here, path)))];
  // npm ci replaces node_modules, so the stamp it leaves is written after it.
  if (!step('Installing dependencies (npm ci)', manifests, modules, command, commandArgs)) {
    fail('The dependencies could not be installed: see npm\'s message above. Lazaret needs the npm registry (or a mirror of it) once; mend that and run the same command again.');
  }
  if (!existsSync(node)) {
    fail(`No Node 26 for this platform (${process.platform} ${process.arch}) among the dependencies. Lazaret runs on Linux x64 and arm64 with glibc.`);
  }
}

function build() {
  if (existsSync(join(here, 'console', 'vite.config.ts'))) {
    const ok = step('Building the console', ['package-lock.json', ...filesUnder('console', ['dist', 'node_modules']), 'pacs/quarantine/contract.ts', 'pacs/quarantine/requests.ts', 'pacs/inspection/verdict.ts'].filter((path) => existsSync(join(here, path))),
      join(here, 'console', 'dist', 'index.html'), node, [join(modules, 'vite', 'bin', 'vite.js'), 'build', '--config', 'console/vite.config.ts']);
    if (!ok) fail('The console could not be built: see the message above.');
  }
  if (existsSync(join(here, 'viewer', 'package.mjs'))) {
    const ok = step('Fetching and packaging the viewer (OHIF)', filesUnder('viewer', ['dist', 'node_modules', '.cache']), join(here, 'viewer', 'dist', 'index.html'), node, [join(here, 'viewer', 'package.mjs')]);
    if (!ok) fail('The viewer could not be packaged: see the message above. It needs the npm registry (or a mirror of it) once.');
  }
}

/** Runs Node 26 in the foreground and ends as it ends. */
function run(main, mainArgs, environment = {}) {
  const child = spawn(node, [...nodeFlags, ...main, ...mainArgs], { cwd: process.cwd(), stdio: 'inherit', env: { ...process.env, ...environment } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm passes SIGTERM on to its shell only, and the shell ends without telling us: being handed to another parent is how we learn of it.
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (process.ppid !== parent) child.kill('SIGTERM');
    }, 200).unref();
  }
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128))));
}

const checks = [
  ['types', [join(modules, 'typescript', 'bin', 'tsc'), '--noEmit', '-p', here]],
  ['lint', [join(modules, 'oxlint', 'bin', 'oxlint'), '--quiet', here]],
];

async function test() {
  for (const [name, command] of checks) {
    const code = await run(command, []);
    if (code !== 0) fail(`npm test: ${name} failed (exit ${code})`);
    say(`${name}: ok`);
  }
  const chosen = args.filter((arg) => !arg.startsWith('--'));
  const flags = args.filter((arg) => arg.startsWith('--'));
  const files = chosen.length > 0 ? chosen : filesUnder('.', ['node_modules', 'dist', '.git']).filter((path) => path.endsWith('.test.ts')).toSorted();
  return run(['--test', '--test-reporter=spec', ...(process.env.CI ? ['--test-concurrency=1'] : []), ...flags, ...files.map((file) => join(here, file))], []);
}

install();
let exit = 0;
if (job === 'start') {
  build();
  exit = await run([join(here, 'processes', 'supervisor', 'main.ts')], args, ownsProgram() ? { NODE_COMPILE_CACHE: compiled } : {});
} else if (job === 'test') {
  build();
  exit = await test();
} else if (job === 'bench') {
  build();
  exit = await run([join(here, 'tools', 'bench', 'main.ts')], args);
} else if (job === 'bench:inspection') {
  exit = await run([join(here, 'tools', 'inspection', 'main.ts')], args);
} else if (job === 'fuzz') {
  exit = await run([join(here, 'test', 'fuzz', 'main.ts')], args);
} else if (job !== 'install') {
  fail(`setup.mjs: unknown job '${job}': start, test, bench, bench:inspection, fuzz or install`);
}
process.exit(exit);
