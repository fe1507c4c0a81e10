/**
 * Who works in the folder of a backup: two at a time would take away what the other one counts on. A file that names the process, since the folder may lie
 * on a file system that knows neither locks nor sockets.
 */
import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { refused } from '@lazaret/system/failure.ts';

const name = 'busy.json';

interface Holder { readonly host: string; readonly pid: number; readonly started: string; readonly what: string }

/** Takes the folder; answers the function that gives it back. Throws `folder-busy` while another process that is alive has it. */
export async function occupy(folder: string, what: string): Promise<() => Promise<void>> {
  const path = join(folder, name);
  const own: Holder = { host: hostname(), pid: process.pid, started: startOf(process.pid), what };
  for (let tries = 0; ; tries += 1) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(JSON.stringify(own));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw refused('folder-unreadable', `${folder} cannot be written: ${(error as Error).message}`);
    }
    const holder = await holderOf(path);
    if (holder !== null && isAlive(holder)) {
      const elsewhere = holder.host === own.host ? '' : ` If nothing runs there any more, remove ${path}.`;
      throw refused('folder-busy', `${holder.what} is at work in ${folder} (process ${holder.pid} on ${holder.host}). Wait until it is done.${elsewhere}`);
    }
    // It ended without giving the folder back.
    if (tries >= 2) throw refused('folder-busy', `${path} cannot be taken: something else makes it again and again.`);
    await rm(path, { force: true });
  }
}

/** Null for a file that says nothing: its writer ended before it had said who it is. */
async function holderOf(path: string): Promise<Holder | null> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder>;
    return typeof value.host === 'string' && Number.isSafeInteger(value.pid) && typeof value.what === 'string' ? { host: value.host, pid: value.pid!, started: String(value.started ?? ''), what: value.what } : null;
  } catch {
    return null;
  }
}

/** Of another machine nobody here can tell. */
function isAlive({ host, pid, started }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return now === '' || started === '' || now === started;
}

/** When a process was started, as the kernel counts it: another one may have its number by now. "" where that is not known. */
function startOf(pid: number): string {
  try {
    // proc(5): the 22nd field, counted from behind the name, which may hold anything.
    return /^.*\)((?: \S+){20})/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]?.trim().split(' ').at(-1) ?? '';
  } catch {
    return '';
  }
}
