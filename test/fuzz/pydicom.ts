/** pydicom as a second reader: a Python process that lives as long as the run and is asked through its pipes. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const python = '/usr/bin/python3';

/** The version of pydicom on this machine, or null. */
export function pydicomVersion(): string | null {
  const { status, stdout } = spawnSync(python, ['-c', 'import pydicom; print(pydicom.__version__)'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

export class Pydicom {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((line: string[]) => void)[] = [];

  constructor() {
    this.#child = spawn(python, [join(import.meta.dirname, 'pydicom_listing.py')], { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.(line.split('\t')));
    // One that ended answers everything that is still asked.
    this.#child.on('exit', () => {
      for (const answer of this.#waiting.splice(0)) answer(['error the reader ended']);
    });
    this.#child.stdin.on('error', () => {});
  }

  /** Its listing; one line that begins with "error" where it reads none. */
  list(bytes: Buffer): Promise<string[]> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      const head = Buffer.alloc(4);
      head.writeUInt32LE(bytes.length);
      this.#child.stdin.write(Buffer.concat([head, bytes]));
    });
  }

  close(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }
}
