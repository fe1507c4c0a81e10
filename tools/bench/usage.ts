/** What processes cost, from /proc. */
import { closeSync, fdatasyncSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { proportionalBytes } from '../../system/memory.ts';

/** Clock ticks in a second: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly seconds: number;
}

function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // utime, stime and those of children that have ended and been waited for (proc(5), fields 14 to 17).
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    return { pid, parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
  } catch {
    return null;
  }
}

/** A process and all that it started. */
export function treeOf(root: number): number[] {
  const stats = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => statOf(Number(name))).filter((stat) => stat !== null);
  const tree = [root];
  for (let at = 0; at < tree.length; at++) tree.push(...stats.filter((stat) => stat.parent === tree[at]).map((stat) => stat.pid));
  return tree;
}

/** CPU seconds that a process and all that it started have used so far. */
export function cpuSeconds(root: number): number {
  return treeOf(root).reduce((sum, pid) => sum + (statOf(pid)?.seconds ?? 0), 0);
}

/** Name of each process of a tree and the CPU seconds that it has used. */
export function cpuByProcess(root: number): Map<string, number> {
  return byProcess(root, (pid) => statOf(pid)?.seconds ?? 0);
}

/** Name of each process of a tree and its memory, what it shares counted by its part. */
export function memoryByProcess(root: number): Map<string, number> {
  return byProcess(root, (pid) => proportionalBytes(pid) ?? 0);
}

/** Sums what `used` says of each process of a tree under the name of its program. */
function byProcess(root: number, used: (pid: number) => number): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of treeOf(root)) {
    let name = '';
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      // npm gives itself its whole command line as a name; a sandbox's own process has that of what it confines.
      const program = words[0]!.split(' ')[0]!.split('/').at(-1)!;
      const main = words.findLast((word) => /(^|\/)(main\.ts|setup\.mjs)$/.test(word));
      if (main === undefined || program === 'bwrap') name = program;
      else name = main.endsWith('.mjs') ? 'setup' : main.split('/').at(-2)!;
    } catch {
      continue;
    }
    found.set(name, (found.get(name) ?? 0) + used(pid));
  }
  return found;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Ticks of all cores since the machine started: all, and those in which they had nothing to do or waited for a disk (proc(5), /proc/stat). */
export function machineTicks(): { readonly all: number; readonly idle: number } {
  const fields = readFileSync('/proc/stat', 'latin1').split('\n')[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: fields.reduce((sum, ticks) => sum + ticks, 0), idle: fields[3]! + fields[4]! };
}

const durableWrites = 64;
/** Milliseconds that one small write takes until the disk has it: what each answer waits for at least. */
export function durableWriteMs(folder: string): number {
  const file = openSync(join(folder, 'durable'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: durableWrites }, () => {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return median(times);
}
