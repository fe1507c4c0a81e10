/** One line that changes while a medium is read: files, bytes, objects, rate, time left. Scripts see nothing of it. */
import type { ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import type { Progress } from '@lazaret/pacs/reception/media/run.ts';
import { lengthOf, sizeOf } from './amounts.ts';
import type { Terminal } from './command.ts';

const drawMs = 200;

export class ImportProgress {
  id = '';
  readonly #terminal: Terminal;
  /** Somebody looks at it. */
  readonly shown: boolean;
  #start = Date.now();
  #drawnAt = 0;
  #reading: Progress | null = null;
  #status: ImportStatus | null = null;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.shown = !json && terminal.stderr.isTTY === true;
  }

  reading(progress: Progress): void {
    if (this.#reading === null) {
      this.id = progress.id;
      this.#start = Date.now();
      if (this.shown) {
        const { medium, files, bytes } = progress.opened;
        this.#terminal.stderr.write(`${medium.label || 'The medium'}: ${files} files, ${sizeOf(bytes)}${progress.resumed ? `; going on after ${progress.done} of them` : ''}\n`);
      }
    }
    this.#reading = progress;
    this.#draw();
  }

  verdicts(status: ImportStatus): void {
    this.#status = status;
    this.#draw();
  }

  taking(shown: number, all: number): void {
    const now = Date.now();
    if (!this.shown || now - this.#drawnAt < drawMs) return;
    this.#drawnAt = now;
    this.#terminal.stderr.write(`\r\u001b[Kput under the local patient: ${shown} of ${all}`);
  }

  clear(): void {
    if (this.#drawnAt > 0) this.#terminal.stderr.write('\r\u001b[K');
  }

  #draw(): void {
    const now = Date.now();
    const reading = this.#reading;
    if (!this.shown || reading === null || now - this.#drawnAt < drawMs) return;
    this.#drawnAt = now;
    const seconds = Math.max(0.001, (now - this.#start) / 1_000);
    const rate = reading.doneBytes / seconds;
    const left = reading.opened.bytes - reading.doneBytes;
    const status = this.#status;
    const parts = [
      `${reading.done} of ${reading.opened.files} files`, `${sizeOf(reading.doneBytes)} at ${sizeOf(rate)}/s`,
      status === null ? '' : `${status.archived} clean`, status === null || status.held === 0 ? '' : `${status.held} held`, status === null || status.waiting === 0 ? '' : `${status.waiting} being inspected`,
      left > 0 && rate > 0 && seconds > 1 ? `${lengthOf(left / rate)} left` : '',
    ];
    this.#terminal.stderr.write(`\r\u001b[K${parts.filter((part) => part !== '').join(', ').slice(0, (this.#terminal.stderr.columns ?? 120) - 1)}`);
  }
}
