/** The one shape of all engines. Failure, time-out and absence are results of their own; nothing else than an explicit `clean` is clean. */
import type { Finding } from '../../quarantine/contract.ts';
import type { EngineStatus } from '../assignment.ts';

export interface Engine<Target> {
  readonly name: string;
  /** Name, version and signatures, for the epoch and for people. Never throws: `missing` and `failing` are states. */
  version(): EngineStatus | Promise<EngineStatus>;
  /** What it finds in one object. An engine that could not look at all of it says so by a finding; it never throws. */
  scan(target: Target): readonly Finding[] | Promise<readonly Finding[]>;
}
