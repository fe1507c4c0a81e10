/** How much memory a process and its descendants have resident, by /proc. A process inside a sandbox is seen from outside. */
import { readFileSync } from 'node:fs';

const pageBytes = 4096;
/** bwrap, its child that reaps, and the process: deeper than that nothing of ours goes. */
const depthMax = 4;

/** Bytes; 0 where the process is gone or the system has no /proc. */
export function residentBytes(pid: number, depth = 0): number {
  let bytes = 0;
  try {
    bytes = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
    if (depth < depthMax) {
      for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')) {
        if (child !== '') bytes += residentBytes(Number(child), depth + 1);
      }
    }
  } catch {
    // Gone between two looks: it uses nothing any more.
  }
  return bytes;
}
