/**
 * On access: what has a stale verdict is inspected again before any byte of it is served (DESIGN, "On access"). What is quick is done within the
 * request; for more, the user agent is told how far it is and when to ask again (RFC 9110 §10.2.3), and what was done stays done.
 */
import { Failure } from '@lazaret/system/failure.ts';
import { problem, type RouteAnswer } from '../../access/routes.ts';
import type { StoredInstance } from '../../archive/instances.ts';
import type { ArchiveReader } from '../../archive/reading.ts';

/** Verdicts that are renewed at the same time for one request: others arrive meanwhile and are to be inspected too. */
const renewedMax = 4;
/** A person waits so long without a word. */
const renewalMs = 8_000;
const retryAfterSecondsMax = 60;

/** How an instance left the lookup that named it: look again. */
const changes: ReadonlySet<string> = new Set(['verdict-stale', 'object-replaced', 'object-withdrawn', 'object-unknown']);

/**
 * `current`: all of them may be served as they were found. `changed`: verdicts were renewed, look them up again. Otherwise the answer: not yet.
 * Throws `verdict-stale` where not one of them may be served any more.
 */
export async function renewVerdicts(reader: ArchiveReader, acceptable: (epoch: string) => boolean, found: readonly StoredInstance[], limitMs = renewalMs): Promise<'current' | 'changed' | RouteAnswer> {
  const stale = found.filter((one) => !acceptable(one.epoch));
  if (stale.length === 0) return 'current';
  const started = performance.now();
  let [next, done] = [0, 0];
  let held: Failure | null = null;
  let heldCount = 0;
  let problemMet: Failure | null = null;
  const work = async (): Promise<void> => {
    while (next < stale.length && problemMet === null && performance.now() - started < limitMs) {
      const one = stale[next++]!;
      try {
        await reader.admit(one);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (!changes.has(error.code)) {
          problemMet = error;
          return;
        }
        if (error.code === 'verdict-stale') [held, heldCount] = [error, heldCount + 1];
      }
      done += 1;
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => { timer = setTimeout(resolve, limitMs); });
  const working = Promise.all(Array.from({ length: Math.min(renewedMax, stale.length) }, work));
  working.catch(() => {});
  await Promise.race([working, over]);
  clearTimeout(timer);
  if (done === stale.length) {
    if (held !== null && heldCount === found.length) throw held as Failure;
    return 'changed';
  }
  const met = problemMet as Failure | null;
  const seconds = (performance.now() - started) / 1000;
  const left = done === 0 ? retryAfterSecondsMax / 4 : ((stale.length - done) * seconds) / done;
  const text = `Signatures have changed: ${done} of ${stale.length} ${stale.length === 1 ? 'object' : 'objects'} were inspected again before they are opened${met === null || met.code === 'verdict-pending' ? '' : ` (${met.message})`}. What was done stays done; ask again.`;
  return problem(503, met?.code ?? 'verdict-pending', text, { 'retry-after': Math.max(1, Math.min(retryAfterSecondsMax, Math.ceil(left))) });
}
