/**
 * The three kinds of failure (STYLE: closed codes, three severities).
 *
 * - `refused`: the input or the request was wrong; the one who sent it must change it.
 * - `unavailable`: the environment (disk, engine, peer, another process) does not do its part; try again or mend it.
 * - `broken`: our own bug; the process that finds one says so and ends.
 */
export type Severity = 'refused' | 'unavailable' | 'broken';

export class Failure extends Error {
  readonly severity: Severity;
  /** `noun-problem`, from the closed list of the folder that throws it. */
  readonly code: string;
  constructor(severity: Severity, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.severity = severity;
    this.code = code;
  }
}

export function refused(code: string, message: string): Failure {
  return new Failure('refused', code, message);
}
export function unavailable(code: string, message: string, cause?: unknown): Failure {
  return new Failure('unavailable', code, message, { cause });
}
export function broken(code: string, message: string): Failure {
  return new Failure('broken', code, message);
}
