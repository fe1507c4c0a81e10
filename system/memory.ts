/** How much memory a process and its descendants have, by /proc. A process inside a sandbox is seen from outside. */
import { readFileSync } from 'node:fs';

const pageBytes = 4096;
/** bwrap, its child that reaps, and the process: deeper than that nothing of ours goes. */
const depthMax = 4;

/** Bytes; 0 where the process is gone or the system has no /proc. */
export function residentBytes(pid: number, depth = 0): number {
  let bytes = 0;
  try {
    bytes = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
    if (depth < depthMax) for (const child of childrenOf(pid)) bytes += residentBytes(child, depth + 1);
  } catch {
    // Gone between two looks: it uses nothing any more.
  }
  return bytes;
}

export interface Memory {
  readonly processes: number;
  /** Sum of the proportional set sizes: a page that n processes share counts as a n-th in each of them, and so once. Null where some of them may not be looked at. */
  readonly proportionalBytes: number | null;
  /** Sum of the resident set sizes: what Node's program and libraries take counts anew in every process. */
  readonly residentBytes: number;
}

/** A process and all that it started, as they are now. */
export function memoryOfTree(root: number): Memory {
  let [processes, resident, proportional]: [number, number, number | null] = [0, 0, 0];
  const tree = [root];
  for (let pid = tree.pop(); pid !== undefined; pid = tree.pop()) {
    try {
      tree.push(...childrenOf(pid));
      resident += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
      processes += 1;
    } catch {
      continue;
    }
    const own = proportionalBytes(pid);
    proportional = own === null || proportional === null ? null : proportional + own;
  }
  return { processes, proportionalBytes: proportional, residentBytes: resident };
}

/** 0 where the process is gone, null where the kernel does not let us look: then it is the process of somebody else. */
export function proportionalBytes(pid: number): number | null {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '') ? null : 0;
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((child) => child !== '').map(Number);
}
