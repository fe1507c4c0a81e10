/** `./lazaret rules`: the rule pack in use, tested, updated and rolled back; with a server, without a restart of it, and without one. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import { refused } from '@lazaret/system/failure.ts';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { prepareSandboxes } from '@lazaret/system/sandbox.ts';
import { rulesVersion } from '@lazaret/pacs/inspection/inspection.ts';
import { builtInSigner, packOf, rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { choosePack, type CurrentPack, type PackName } from '@lazaret/pacs/inspection/rulepack/choice.ts';
import { packBytesMax, sourceOf, type Pack } from '@lazaret/pacs/inspection/rulepack/contract.ts';
import { readNamed, type NamedPack } from '@lazaret/pacs/inspection/rulepack/loading.ts';
import { readPack } from '@lazaret/pacs/inspection/rulepack/pack.ts';
import { keyID, signersOf } from '@lazaret/pacs/inspection/rulepack/signers.ts';
import { rulesIn } from '@lazaret/pacs/inspection/rulepack/trial.ts';
import type { StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { momentOf, sizeOf } from './amounts.ts';
import type { Terminal } from './command.ts';
import { foundIn, visibleTo, type Found } from './files.ts';
import { withKeeper } from './keeper.ts';
import { withKeeperAnyway } from './offline.ts';
import { printable, tryInSandbox, type Tried } from './trial.ts';

const usage = [
  'Usage: ./lazaret rules list [--json]',
  '       ./lazaret rules test [FOLDER] [--pack FILE] [--json]',
  '       ./lazaret rules update FILE [--clean FOLDER] [--json]',
  '       ./lazaret rules rollback [--json]',
  'test runs the tests of the pack in use, or of FILE, and counts what its rules find in the clean files of FOLDER.',
  'update takes a pack that a trusted signer has signed, that is newer than any before, passes its tests and finds nothing in FOLDER.',
  '',
].join('\n');

/** Whether a server runs is known at once; that its examiners are renewed takes some seconds. */
const answerMs = 500;
const renewedMs = 30_000;
const matchesShown = 20;

interface Asked {
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly settings: Settings;
}

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean', default: false }, pack: { type: 'string' }, clean: { type: 'string' } } });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [what, named, ...more], values: { json, pack, clean } } = parsed;
  const asked: Asked = { json, terminal, settings: settingsFor(terminal.data) };
  const fits = more.length === 0 && (pack === undefined || what === 'test') && (clean === undefined || what === 'update');
  if (fits && what === 'list' && named === undefined) return list(asked);
  if (fits && what === 'test') return test(asked, named, pack);
  if (fits && what === 'update' && named !== undefined) return update(asked, named, clean);
  if (fits && what === 'rollback' && named === undefined) return rollback(asked);
  terminal.stderr.write(usage);
  return 2;
}

function settingsFor(data: string): Settings {
  return {
    layout: layoutOf(data), host: '127.0.0.1', dimsePort: 0, dimseTlsPort: 0, httpsPort: 0, aeTitle: '', sandbox: 'available', clamd: null,
    examiners: availableParallelism(), decode: 'never', privateSOPClasses: [],
  };
}

const builtIn = (): Pack => packOf(rulesFolder);

interface InUse {
  readonly pack: Pack | null;
  readonly named: NamedPack | null;
  readonly current: CurrentPack | null;
  /** Why the pack that was chosen cannot be read, or "". */
  readonly problem: string;
}

/** From the data directory alone, so that it is told with and without a server. */
function inUse({ settings: { layout } }: Asked): InUse {
  const own = builtIn();
  const { named, current } = choosePack(layout, own.manifest.version);
  if (named === null) return { pack: own, named, current, problem: '' };
  try {
    return { pack: readNamed(named), named, current, problem: '' };
  } catch (error) {
    return { pack: null, named, current, problem: (error as Error).message };
  }
}

/** What the running inspector says, or null where none runs. */
async function running(data: string): Promise<NonNullable<StatusAnswer['inspector']> | null> {
  try {
    return (await withKeeper(data, (channel) => channel.request<StatusAnswer>('status', null), answerMs)).inspector;
  } catch {
    return null;
  }
}

async function list(asked: Asked): Promise<number> {
  const { settings: { layout }, terminal: { stdout } } = asked;
  const { pack, current, problem } = inUse(asked);
  const server = await running(layout.data);
  const own = builtIn();
  const signers = signersOf(layout.ruleKeys).map(({ name, keys }) => ({ name, keys: keys.map((key) => `${key.asymmetricKeyType} ${keyID(key)}`) }));
  const previous = previousOf(current, pack);
  const rules = pack === null ? [] : rulesIn(sourceOf(pack));
  if (asked.json) {
    stdout.write(`${JSON.stringify({
      inUse: pack === null ? null : { ...pack.manifest, files: pack.manifest.files.length, signer: pack.signer, sha256: pack.sha256, pinned: current?.pinned ?? false }, problem, builtIn: own.manifest.version,
      previous, signers, rules, running: server?.rules ?? null,
    })}\n`);
  } else {
    const lines = pack === null
      ? [`${styleText('red', 'The chosen rule pack cannot be used, so nothing is clean')}: ${printable(problem)}`, '  Go back to the one before: ./lazaret rules rollback']
      : [`In use      ${describe(pack)}${current?.pinned === true && pack.sha256 !== '' ? `; gone back to by ${printable(current.person)}, ${momentOf(current.since)}` : ''}`, ...changesOf(pack)];
    lines.push(`Before      ${previous === null ? 'none to go back to' : `${nameOf(previous)}   (./lazaret rules rollback)`}`);
    lines.push(`Signers     ${signers.length === 0 ? `none is trusted yet: put a public key into ${layout.ruleKeys} (docs/rules.md)` : signers.map(({ name, keys }) => `${name} (${keys.join(', ')})`).join('; ')}`);
    lines.push(`Server      ${server === null ? `none runs on ${layout.data}: these rules are used from its next start on` : serverLine(server)}`, '', `${rules.length} rules:`);
    const width = Math.max(0, ...rules.map(({ name }) => name.length));
    lines.push(...rules.map(({ name, code, text }) => `  ${name.padEnd(width)}  ${styleText('dim', code.padEnd(20))} ${printable(text)}`));
    stdout.write(`${lines.join('\n')}\n`);
  }
  return pack === null || (server?.rules?.problem ?? '') !== '' ? 1 : 0;
}

function serverLine({ rules }: NonNullable<StatusAnswer['inspector']>): string {
  if (rules === undefined) return 'runs, and does not say which rules it uses: it is an older version';
  return rules.problem === '' ? `runs and uses ${rules.text} (${rules.version})` : styleText('red', `runs and still uses ${rules.text} (${rules.version}): ${printable(rules.problem)}`);
}

function describe(pack: Pack): string {
  const { text, version, created, expires, clean } = pack.manifest;
  const whose = pack.signer === builtInSigner ? 'came with Lazaret' : `signed by ${pack.signer}`;
  return `rule pack ${printable(text)} (${version}) of ${created}, ${whose}${expires === null ? '' : `, to be installed until ${expires}`}${clean === null ? '' : `; found nothing in ${clean.files} clean files, ${sizeOf(clean.bytes)}`}`;
}
function changesOf(pack: Pack): string[] {
  return pack.manifest.changelog.slice(0, 3).map(({ version, text }) => `            ${version}: ${printable(text)}`);
}
function nameOf({ sha256, version, text, signer }: PackName): string {
  return sha256 === '' ? 'the rule pack that came with Lazaret' : `rule pack ${printable(text)} (${version}), signed by ${printable(signer)}`;
}
/** Where the program's own pack is in use because it is newer, what is before it is the one that is installed. */
function previousOf(current: CurrentPack | null, pack: Pack | null): PackName | null {
  if (current === null) return null;
  return pack !== null && pack.sha256 === '' && current.sha256 !== '' ? current : current.previous;
}

async function test(asked: Asked, folder: string | undefined, file: string | undefined): Promise<number> {
  const { settings: { layout } } = asked;
  const used = file === undefined ? inUse(asked) : null;
  if (used !== null && used.pack === null) throw refused('rulepack-invalid', `The chosen rule pack cannot be used: ${used.problem}`);
  const named: NamedPack | null = used === null ? { pack: resolve(file!), signers: layout.ruleKeys, sha256: '' } : used.named;
  const pack = used?.pack ?? readFile(file!, layout.ruleKeys);
  const tried = await trial(asked, named, folder);
  return tell(asked, pack, tried, {});
}

function readFile(file: string, keys: string): Pack {
  if (!existsSync(file) || !statSync(file).isFile()) throw refused('path-unreadable', `${file} is not there or is no file`);
  if (statSync(file).size > packBytesMax) throw refused('rulepack-invalid', `${file} has more than ${sizeOf(packBytesMax)}: no rule pack is so large.`);
  return readPack(readFileSync(file), signersOf(keys));
}

async function trial({ settings, terminal: { stderr } }: Asked, named: NamedPack | null, folder: string | undefined): Promise<Tried> {
  const files: Found[] = folder === undefined ? [] : foundIn(folder);
  prepareSandboxes();
  const tried = await tryInSandbox(named, files, folder === undefined ? [] : visibleTo([folder]), settings, (count) => {
    if (stderr.isTTY === true) stderr.write(`\r\u001b[K${count} of ${files.length} files`);
  });
  if (stderr.isTTY === true) stderr.write('\r\u001b[K');
  return tried;
}

/** Exit 0 when all is as the pack says, 1 when a test fails, 3 when a rule finds something in a clean file. */
function tell({ json, terminal: { stdout } }: Asked, pack: Pack, tried: Tried, more: Readonly<Record<string, unknown>>): number {
  const { samples, rules, files, bytes, matches, problems, megabytesPerSecond, sandbox } = tried;
  const code = problems.length > 0 ? 1 : matches.length > 0 ? 3 : 0;
  if (json) {
    stdout.write(`${JSON.stringify({ version: pack.manifest.version, text: pack.manifest.text, signer: pack.signer, rules: rules.length, samples, megabytesPerSecond, problems, files, bytes, matches, ...more })}\n`);
    return code;
  }
  const lines = [describe(pack), `${rules.length} rules, ${samples} samples: ${problems.length === 0 ? styleText('green', 'all as they should be') : styleText('red', 'not as they should be')}   (tried in: ${sandbox})`, ...problems.map((problem) => `  ${problem}`)];
  if (files > 0) lines.push(`${files} clean files, ${sizeOf(bytes)}: ${matches.length === 0 ? styleText('green', 'nothing is found in them') : styleText('red', `something is found in ${matches.length}`)}`);
  for (const { file, found } of matches.slice(0, matchesShown)) lines.push(`  ${printable(file)}`, ...found.map((text) => `    ${text}`));
  stdout.write(`${lines.join('\n')}\n`);
  return code;
}

async function update(asked: Asked, file: string, clean: string | undefined): Promise<number> {
  const { settings, terminal } = asked;
  const { layout } = settings;
  const pack = readFile(file, layout.ruleKeys);
  const { version, expires, rulesVersionMin, name } = pack.manifest;
  const today = new Date().toISOString().slice(0, 10);
  if (name !== builtIn().manifest.name) throw refused('rulepack-invalid', `This is a pack of another name, ${name}: the rules of Lazaret are those of ${builtIn().manifest.name}.`);
  if (expires !== null && expires < today) throw refused('rulepack-expired', `Rule pack ${version} was to be installed until ${expires}. Get a newer one.`);
  if (rulesVersionMin > rulesVersion) throw refused('rulepack-invalid', `Rule pack ${version} needs a newer Lazaret (rules version ${rulesVersionMin}, this one has ${rulesVersion}).`);
  const { pack: used, current } = inUse(asked);
  if (version <= builtIn().manifest.version) throw refused('rulepack-older', `Rule pack ${version} is not newer than ${builtIn().manifest.version}, which came with Lazaret.`);
  const path = resolve(file);
  const tried = await trial(asked, { pack: path, signers: layout.ruleKeys, sha256: pack.sha256 }, clean);
  if (tried.problems.length > 0 || tried.matches.length > 0) {
    tell(asked, pack, tried, { installed: false });
    terminal.stderr.write(`The rule pack is not installed. ${used === null ? '' : `In use stays ${current === null || used.sha256 === '' ? 'the one that came with Lazaret' : used.manifest.text}.`}\n`);
    return 1;
  }
  const bytes = readFileSync(path);
  const body = { do: 'install', person: person(), sha256: pack.sha256, version, text: pack.manifest.text, signer: pack.signer, base64: bytes.toString('base64') };
  const { running: runs } = await withKeeperAnyway(settings, (channel) => channel.request<CurrentPack>('rules', body));
  const taken = runs ? await taking(layout.data, version) : '';
  const code = tell(asked, pack, tried, { installed: true, problem: taken });
  if (!asked.json) terminal.stdout.write(`${styleText('green', 'Installed')}. ${whenUsed(runs, taken, layout.data)}\n`);
  return taken === '' ? code : 1;
}

async function rollback(asked: Asked): Promise<number> {
  const { settings, terminal: { stdout } } = asked;
  const { layout } = settings;
  const own = builtIn().manifest.version;
  const { answer, running: runs } = await withKeeperAnyway(settings, (channel) => channel.request<CurrentPack>('rules', { do: 'rollback', person: person(), builtIn: own }));
  const taken = runs ? await taking(layout.data, answer.sha256 === '' ? own : answer.version) : '';
  if (asked.json) stdout.write(`${JSON.stringify({ inUse: answer, running: runs, problem: taken })}\n`);
  else stdout.write(`${styleText('green', 'Gone back')} to ${nameOf(answer)}. ${whenUsed(runs, taken, layout.data)}\n`);
  return taken === '' ? 0 : 1;
}

function person(): string {
  return `${userInfo().username} (terminal)`;
}

function whenUsed(runs: boolean, taken: string, data: string): string {
  if (!runs) return `No server runs on ${data}: the rules are used from its next start on. The change is on the record.`;
  return taken === '' ? 'The examiners use these rules now; what was archived is inspected again in the background (./lazaret rescan status).' : styleText('red', printable(taken));
}

/** Waits until the inspector says that it uses the version: "" then, else why not. */
async function taking(data: string, version: number): Promise<string> {
  for (const until = Date.now() + renewedMs; ;) {
    const inspector = await running(data);
    if (inspector?.rules?.version === version && inspector.rules.problem === '') return '';
    if (inspector?.rules !== undefined && inspector.rules.problem !== '' && !(inspector.rules.version === version)) return inspector.rules.problem;
    if (Date.now() > until) return inspector === null ? 'No inspector runs: see ./lazaret doctor.' : 'The examiners have not taken the rules yet: see ./lazaret rules list and ./lazaret doctor.';
    await wait(200);
  }
}
