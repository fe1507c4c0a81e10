/** `./lazaret quarantine look ID --reason TEXT --output FILE.png`: a picture of a held object from the sandbox, the reason on the record first. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { LookAnswer, RenderRequest, RenderedAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';
import { personOf, wholeId } from './held.ts';

const usage = 'Usage: ./lazaret quarantine look ID --reason TEXT --output FILE.png [--frame N] [--window CENTER,WIDTH] [--as PERSON] [--json]\n';

/** Exit 0: the picture is written. 1: it cannot be made, with a sentence why. 2: wrong use. The file is new and only its owner can read it. */
export async function run(args: readonly string[], { data, stdout, stderr }: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      // A window such as -600,1500 begins with a dash: --window=-600,1500.
      options: { reason: { type: 'string' }, output: { type: 'string' }, frame: { type: 'string' }, window: { type: 'string' }, as: { type: 'string' }, json: { type: 'boolean' } },
    });
  } catch (error) {
    stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [word, ...more], values } = parsed;
  const window = windowOf(values.window);
  const wrong = more.length > 0 ? `'${more[0]}' is one word too many.` : word === undefined || !/^[0-9a-f]{4,32}$/i.test(word) ? 'Say which object: its ID has 32 hex digits, the first few are enough.'
    : values.output === undefined || !values.output.endsWith('.png') ? 'Say where to with --output FILE.png.' : (values.reason ?? '').trim() === '' ? 'Say why you must see it with --reason: it goes on the record before there is a picture.'
      : !/^[1-9]\d{0,8}$/.test(values.frame ?? '1') ? '--frame takes a number from 1.' : window === undefined ? '--window takes a center and a width, such as 40,400 or --window=-600,1500.' : null;
  if (wrong !== null) {
    stderr.write(`${wrong}\n${usage}`);
    return 2;
  }
  const path = resolve(values.output!);
  return withKeeper(data, async (channel) => {
    const objectId = await wholeId(channel, word!);
    const person = personOf(values);
    // Who can open the terminal's socket has the service account, as for decisions.
    const { look } = await channel.request<LookAnswer>('look', { do: 'open', objectId, person, address: 'terminal', roles: ['reviewer', 'security'], reason: values.reason });
    try {
      const request: RenderRequest = { frame: Number(values.frame ?? 0), widthMax: 0, heightMax: 0, window: window ?? null, type: 'image/png', quality: 90 };
      const answer = await channel.request<RenderedAnswer>('look', { do: 'frame', look, objectId, person, request });
      if (answer.outcome !== 'rendered') {
        stderr.write(`There is no picture: ${answer.text}\n`);
        return 1;
      }
      await writeFile(path, Buffer.from(answer.base64, 'base64'), { mode: 0o600, flag: 'wx' });
      if (values.json === true) stdout.write(`${JSON.stringify({ output: path, width: answer.width, height: answer.height, frames: answer.frames })}\n`);
      else stdout.write(`${path}: a picture of ${answer.frames === 1 ? 'its frame' : `one of its ${answer.frames} frames`}, marked as held. It may name a patient: remove it when you have decided.\n`);
      return 0;
    } finally {
      await channel.request('look', { do: 'close', look, objectId, person }).catch(() => {});
    }
  });
}

/** Undefined: not a window. */
function windowOf(text: string | undefined): RenderRequest['window'] | undefined {
  if (text === undefined) return null;
  const match = /^(-?\d{1,6}(?:\.\d+)?),(\d{1,6}(?:\.\d+)?)$/.exec(text);
  return match === null || Number(match[2]) < 1 ? undefined : { center: Number(match[1]), width: Number(match[2]) };
}
