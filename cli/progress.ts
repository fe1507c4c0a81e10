/** One line that says how far long work is, where somebody watches. */
import { constants, setPriority } from 'node:os';
import type { Terminal } from './command.ts';

const everyMs = 250;

export class Progress {
  readonly #out: Terminal['stderr'] | null;
  readonly #began = performance.now();
  #shownAt = 0;
  #width = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#out = terminal.stderr.isTTY === true && !json ? terminal.stderr : null;
  }

  get ms(): number {
    return Math.round(performance.now() - this.#began);
  }

  show(text: () => string): void {
    if (this.#out === null || performance.now() - this.#shownAt < everyMs) return;
    this.#shownAt = performance.now();
    const line = text().slice(0, (this.#out.columns ?? 80) - 1);
    this.#out.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
  }

  /** Takes the line away. */
  end(): void {
    if (this.#out !== null && this.#width > 0) this.#out.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}

/** Whoever treats patients goes first. */
export function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Not permitted everywhere; the pace is what counts.
  }
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
export function size(bytes: number): string {
  if (bytes < 1_000) return count(bytes, 'byte');
  const exponent = Math.min(Math.floor(Math.log10(bytes) / 3), 5);
  return `${(bytes / 1_000 ** exponent).toPrecision(3)} ${['', 'kB', 'MB', 'GB', 'TB', 'PB'][exponent]}`;
}
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
export function rate(bytes: number, ms: number): string {
  return `${size(ms <= 0 ? 0 : Math.round((bytes / ms) * 1_000))}/s`;
}

/** `--rate 50` is 50 MB/s; Infinity where it was not given, null where it is no number. */
export function rateOf(word: string | undefined): number | null {
  if (word === undefined) return Infinity;
  return /^\d{1,6}(\.\d{1,3})?$/.test(word) && Number(word) > 0 ? Number(word) * 1_000_000 : null;
}
