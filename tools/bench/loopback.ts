/**
 * DCMTK and Orthanc stall 40 ms a response on loopback: Nagle on one side waits for a delayed acknowledgement of the other. `quickack 1` on
 * the loopback route takes the delay away for everyone, where we may set it.
 */
import { spawnSync } from 'node:child_process';

const route = ['local', '127.0.0.1', 'dev', 'lo', 'proto', 'kernel', 'scope', 'host', 'src', '127.0.0.1', 'table', 'local'];

function ip(args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}

/** Sets it; answers what to say in the report, and how to put it back. */
export function quickAcknowledgements(): { readonly text: string; readonly restore: () => void } {
  if (!ip(['route', 'change', ...route, 'quickack', '1'])) return { text: 'quickack could not be set on the loopback route (no permission): DCMTK and Orthanc may stall 40 ms a response', restore: () => {} };
  let restored = false;
  const restore = (): void => {
    if (!restored) ip(['route', 'change', ...route]);
    restored = true;
  };
  process.once('exit', restore);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => {
    restore();
    process.exit(130);
  });
  return { text: 'quickack 1 on the loopback route, for all peers', restore };
}
