/**
 * One stretch of the fuzz run, in a process of its own that its parent may kill: `worker.ts FROM COUNT JSON`. Says a line of JSON for each
 * thing that it found, and how far it is before every few inputs, so that the parent knows where it was when it says nothing any more.
 */
import { Checks } from './checks.ts';
import { differenceOf, listingOf } from './listing.ts';
import { inputOf } from './mutators.ts';
import { Pydicom } from './pydicom.ts';
import { seedObjects } from './seeds.ts';
import { isTolerated } from './tolerances.ts';

export interface WorkerOptions {
  readonly corpora: boolean;
  /** Of what is clean, every so many is read by pydicom as well; 0 for none. */
  readonly peerEvery: number;
  /** How many inputs pass between two lines about progress. */
  readonly step: number;
}

export type Said =
  | { readonly kind: 'at'; readonly at: number }
  | { readonly kind: 'broken' | 'difference'; readonly number: number; readonly text: string }
  | { readonly kind: 'done'; readonly verdicts: Readonly<Record<string, number>>; readonly compared: number; readonly tolerated: number; readonly cpuMs: number };

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function run(from: number, count: number, options: WorkerOptions): Promise<void> {
  const seeds = seedObjects(options.corpora);
  const checks = new Checks();
  const pydicom = options.peerEvery > 0 ? new Pydicom() : null;
  const verdicts: Record<string, number> = {};
  let clean = 0;
  let compared = 0;
  let tolerated = 0;
  try {
    for (let number = from; number < from + count; number += 1) {
      if ((number - from) % options.step === 0) {
        say({ kind: 'at', at: number });
        // Lets the line leave the process.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const checked = checks.check(inputOf(seeds, number), number);
      verdicts[checked.verdict] = (verdicts[checked.verdict] ?? 0) + 1;
      if (checked.broken !== null) say({ kind: 'broken', number, text: checked.broken });
      if (checked.archived === null || pydicom === null || clean++ % options.peerEvery !== 0) continue;
      compared += 1;
      const difference = differenceOf(listingOf(checked.archived), await pydicom.list(checked.archived));
      if (difference === null) continue;
      if (isTolerated(difference)) tolerated += 1;
      else say({ kind: 'difference', number, text: difference });
    }
    say({ kind: 'done', verdicts, compared, tolerated, cpuMs: Math.round(process.cpuUsage().user / 1000) });
  } finally {
    checks.close();
    pydicom?.close();
  }
}

if (import.meta.main) await run(Number(process.argv[2]), Number(process.argv[3]), JSON.parse(process.argv[4]!) as WorkerOptions);
