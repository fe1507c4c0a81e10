/** `./lazaret rescan`: the archive inspected again with current signatures, and how far that is. */
import { userInfo } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import type { RescanRequest, RescanStatus } from '@lazaret/pacs/quarantine/requests.ts';
import type { Channel } from '@lazaret/system/channel.ts';
import { lengthOf, momentOf, parseMoment, sizeOf } from './amounts.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';

const usage = [
  'Usage: ./lazaret rescan [--since DATE] [--study UID] [--background] [--json]',
  '       ./lazaret rescan status | pause | resume | stop [--json]',
  'It goes on when the terminal is closed, and by itself after signatures changed. DATE: 2026-11-24 or "2026-11-24 09:30".',
  '',
].join('\n');

const lookEveryMs = 500;
/** Where there is no terminal to draw on, a line this often. */
const lineEveryMs = 10_000;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, background: { type: 'boolean', default: false }, since: { type: 'string' }, study: { type: 'string' } },
    });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...more], values: { json, background, since, study } } = parsed;
  const what = ([undefined, 'status', 'pause', 'resume', 'stop'] as const).find((each) => each === word);
  const from = since === undefined ? 0 : parseMoment(since);
  const wrong = word !== undefined && what === undefined ? `There is no 'rescan ${word}'.`
    : more.length > 0 ? `'${more[0]}' is one word too many.`
      : what !== undefined && (since !== undefined || study !== undefined || background) ? `'rescan ${what}' takes no --since, --study or --background.`
        : from === null ? '--since takes a date such as 2026-11-24.'
          : study !== undefined && !/^[0-9.]{1,64}$/.test(study) ? '--study takes a Study Instance UID.' : null;
  if (wrong !== null || from === null) {
    terminal.stderr.write(`${wrong}\n${usage}`);
    return 2;
  }
  return withKeeper(terminal.data, async (channel) => {
    const ask = (request: Partial<RescanRequest> & Pick<RescanRequest, 'do'>): Promise<RescanStatus | null> => channel.request('rescan', { since: 0, study: '', person: `${userInfo().username} (terminal)`, ...request } satisfies RescanRequest);
    const status = await ask(what === undefined ? { do: 'start', since: from, study: study ?? '' } : { do: what });
    if (what !== undefined || background || status === null) return tell(status, json, terminal);
    return follow(channel, status, json, terminal);
  });
}

function tell(status: RescanStatus | null, json: boolean, { stdout }: Terminal): number {
  if (json) stdout.write(`${JSON.stringify(status)}\n`);
  else stdout.write(status === null ? 'The archive has not been inspected again yet.\n' : describe(status));
  return status !== null && status.withdrawn > 0 ? 3 : 0;
}

/** Watches one run to its end. The run does not need us: whoever ends this command ends only the watching. */
async function follow(channel: Channel, first: RescanStatus, json: boolean, terminal: Terminal): Promise<number> {
  const { stdout } = terminal;
  const draws = !json && stdout.isTTY === true;
  let saidAt = 0;
  let status = first;
  for (;;) {
    const now = await channel.request<RescanStatus | null>('rescan', { do: 'status', since: 0, study: '', person: '' } satisfies RescanRequest);
    if (now === null || now.run !== first.run) {
      // Ours is over, and an earlier one goes on.
      status = { ...status, state: 'done', remaining: { objects: 0, bytes: 0 } };
      break;
    }
    status = now;
    if (now.state === 'done' || now.state === 'stopped') break;
    if (draws) stdout.write(`\r${progress(now).slice(0, (stdout.columns ?? 80) - 1)}\u001b[K`);
    else if (Date.now() - saidAt >= lineEveryMs) {
      saidAt = Date.now();
      stdout.write(json ? `${JSON.stringify(now)}\n` : `${progress(now)}\n`);
    }
    await wait(lookEveryMs);
  }
  if (draws) stdout.write('\r\u001b[K');
  return tell(status, json, terminal);
}

function describe(status: RescanStatus): string {
  const of = [status.study === '' ? 'the archive' : `Study ${printable(status.study)}`, status.since === 0 ? '' : `received since ${momentOf(status.since)}`].filter((text) => text !== '').join(', ');
  const why = status.reason === 'signatures' ? 'since the signatures changed' : `asked for by ${printable(status.person)}`;
  const head = {
    running: styleText('blue', 'Being inspected again'), paused: styleText('yellow', 'Paused'), done: styleText('green', 'Inspected again'), stopped: styleText('yellow', 'Stopped'),
  }[status.state];
  const lines = [
    `${head}: ${of}, newest first; ${why}, ${momentOf(status.startedAt)}${status.finishedAt === null ? '' : ` to ${momentOf(status.finishedAt)}`}`,
    `  ${progress(status)}`,
    `  ${status.withdrawn === 0 ? 'Nothing was found.' : styleText('red', `${status.withdrawn} ${status.withdrawn === 1 ? 'object was' : 'objects were'} taken out of sight. See: ./lazaret quarantine list; where they came from and who opened them: ./lazaret trace ID`)}`,
  ];
  if (status.problem !== '') lines.push(`  ${styleText('yellow', `It does not get on: ${printable(status.problem)}. It will be tried again by itself.`)}`);
  return `${lines.join('\n')}\n`;
}

function progress(status: RescanStatus): string {
  const { objects, bytes, remaining, objectsPerSecond, bytesPerSecond, withdrawn } = status;
  const done = `${objects} ${objects === 1 ? 'object' : 'objects'}, ${sizeOf(bytes)}`;
  if (status.state === 'done' || status.state === 'stopped') return done;
  if (remaining === null) return `${done} done, counting what is left`;
  const share = bytes + remaining.bytes === 0 ? 100 : Math.floor((100 * bytes) / (bytes + remaining.bytes));
  const left = status.state === 'running' && bytesPerSecond > 0 ? `, about ${lengthOf(remaining.bytes / bytesPerSecond)}` : '';
  const rate = objectsPerSecond > 0 ? `; ${objectsPerSecond.toFixed(objectsPerSecond < 10 ? 1 : 0)} objects/s, ${sizeOf(bytesPerSecond)}/s` : '';
  return `${share} %: ${done} done; ${remaining.objects} objects, ${sizeOf(remaining.bytes)} left${left}${rate}${withdrawn > 0 ? `; ${withdrawn} taken out of sight` : ''}${status.state === 'paused' ? '; paused' : ''}`;
}
