/**
 * From an object to its conclusion: an examiner reads it, engines of other processes look at the same bytes meanwhile, and the verdict
 * table decides. The signature epoch names everything that had a say.
 */
import type { Digest } from '../reception/contract.ts';
import type { Conclusion, Finding, Work } from '../quarantine/contract.ts';
import { patchTextMax, type PatchAnswer, type PatchRequest } from '../quarantine/patch.ts';
import type { MapAnswer } from '../quarantine/requests.ts';
import type { EngineStatus } from './assignment.ts';
import type { Engine } from './engines/engine.ts';
import { clamdName, type ClamdTarget } from './engines/clamd.ts';
import type { Outcome, Pool, Task } from './pool.ts';
import { PartScan, withFound, type FoundInPart } from './parts.ts';
import { mustDecode, type DecodePolicy, type Decoding } from './decoding.ts';
import { verdictOf, worstFirst } from './verdict.ts';

/** Rises when the reader or the content rules judge otherwise than before: what was judged by an older number is judged again. */
export const rulesVersion = 5;
/** Rises with the decoders' packages. */
const decoderVersion = 1;
/** clamd was once shown the object alone, and what was judged then counts no more. */
const partsWord = 'parts';

export class Inspection {
  readonly #pool: Pool;
  readonly #clamd: Engine<ClamdTarget> | null;
  readonly #decoding: { readonly decoder: Decoding; readonly policy: DecodePolicy } | null;
  #told = '';

  constructor(pool: Pool, clamd: Engine<ClamdTarget> | null, decoding: { readonly decoder: Decoding; readonly policy: DecodePolicy } | null = null) {
    this.#pool = pool;
    this.#clamd = clamd;
    this.#decoding = decoding;
  }

  /** All engines that have a say. Where none of them recognises malicious software, each object says so (engine-missing). */
  async engines(): Promise<readonly EngineStatus[]> {
    return this.#clamd === null ? this.#pool.engines : [...this.#pool.engines, await this.#clamd.version()];
  }

  /** "structure 1; content 1; yara-x 0.7.2 rules 2 0123456789ab; clamd 1.4.6 27000 parts" */
  async epoch(): Promise<string> {
    return this.#epochOf(await this.engines());
  }

  #epochOf(all: readonly EngineStatus[]): string {
    const engines = all.filter((engine) => engine.state === 'ready').map((engine) => [engine.name, engine.version, engine.signatures, engine.name === clamdName ? partsWord : ''].filter(Boolean).join(' '));
    const decoder = this.#decoding === null || this.#decoding.policy === 'never' ? [] : [`decoder ${decoderVersion}`];
    return [`structure ${rulesVersion}`, `content ${rulesVersion}`, ...decoder, ...engines].join('; ');
  }

  /** True when the engines are no longer as they were the last time. */
  async changed(): Promise<boolean> {
    const now = JSON.stringify(await this.engines());
    const before = this.#told;
    this.#told = now;
    return before !== '' && before !== now;
  }

  async conclude(work: Work, path: string): Promise<Conclusion> {
    // Before the object is looked at: signatures that clamd loads meanwhile had no say in it.
    const clamd = await this.#clamd?.version();
    const outcome = await this.examine(work, path, { dataSetDigest: false });
    const findings = [...outcome.findings];
    // A DICOMDIR is sound and clean, but it is no instance: nothing could be archived (PS3.3 Annex F).
    if (verdictOf(findings) === 'clean' && outcome.report?.instance === null) {
      findings.push({ code: 'identity-missing', offset: 0, length: 0, tag: '', engine: 'content', text: 'The object is no SOP Instance that an archive could hold, such as a DICOMDIR.' });
    }
    return {
      objectId: work.objectId,
      // Of the bytes that were read: where they are others than those asked about, whoever asked must see that. Without a report nothing was read.
      sha256: (outcome.report?.sha256 ?? work.sha256) as Digest,
      verdict: verdictOf(findings),
      findings: worstFirst(findings),
      disarmed: outcome.report?.disarmed ?? null,
      // Of the engines that looked, not of those that there are by now: rules may have been updated meanwhile.
      epoch: this.#epochOf(clamd === undefined ? outcome.engines : [...outcome.engines, clamd]),
      ms: outcome.ms,
      instance: outcome.report?.instance ?? null,
    };
  }

  /** With what decoding finds: only of what is clean otherwise, since for the rest it would add nothing but risk. */
  async #decode(work: Work, path: string, outcome: Outcome): Promise<Outcome> {
    const { report } = outcome;
    if (this.#decoding === null || report === null || report.pixels === null || !mustDecode(this.#decoding.policy, work.peer)) return outcome;
    const { instance, disarmed } = report;
    if (instance?.frames?.kind !== 'encapsulated') return outcome;
    // Frames lie where they will be in the archive; here the file as received is read.
    const moved = disarmed === null ? 0 : disarmed.dataSetOffset - instance.dataSetOffset;
    const found = await this.#decoding.decoder.decode(path, report.pixels, instance.frames, moved);
    return { ...outcome, findings: [...outcome.findings, ...found] };
  }

  /** The file map for people. Empty where the object cannot be mapped; the findings say why. */
  async map(work: Work, path: string, window: { readonly offset: number; readonly length: number } | null, blank = false): Promise<MapAnswer> {
    const task = { path, work, dataSetDigest: false, map: { window, ...(blank ? { blank } : {}) } };
    // The tree of parts is drawn from the first answer; those for the bytes of a window come by the dozen.
    const { outcome, inside } = window === null && !blank ? await this.#read(task) : { outcome: await this.#pool.examine(task), inside: [] };
    const map = outcome.report?.map;
    if (map !== undefined && map !== null) return withFound(map, inside.filter(({ finding }) => finding.code === 'malware-signature'));
    return { bytes: work.bytes, spans: [], findings: outcome.findings, window: null, parts: [], partCount: 0 };
  }

  /**
   * How an archived object is served under another identity. Null where the file is not what was archived, or cannot be read. Impossible, too, where an engine
   * does not call clean what would be written into it: that came past no inspection.
   */
  async patch(work: Work, path: string, request: PatchRequest): Promise<PatchAnswer | null> {
    const { report, findings } = await this.#pool.examine({ path, work, dataSetDigest: false, map: null, patch: request });
    if (report !== null) return report.sha256 === work.sha256 && report.patch !== undefined ? this.#patchInspected(path, report.patch, findings) : null;
    const [finding] = findings;
    if (finding?.code === 'object-unreadable') return null;
    return { outcome: 'impossible', text: finding?.text ?? 'The object could not be read.', patches: [], metadata: '' };
  }

  async #patchInspected(path: string, patch: PatchAnswer, own: readonly Finding[]): Promise<PatchAnswer> {
    if (patch.outcome !== 'patched' || patch.patches.length === 0) return patch;
    const added = Buffer.concat(patch.patches.map(({ bytes }) => Buffer.from(bytes, 'base64')));
    const chunks = (async function* () { yield added; })();
    const part = { name: 'what would be written into it', offset: 0, length: 0, tag: '', bytes: added.length, chunks };
    const theirs = (await this.#clamd?.scan({ path, bytes: added.length, part })) ?? [];
    // As with an object: another engine that looked takes the place of one that is missing.
    const missing = this.#clamd === null || theirs.some(({ code }) => code.startsWith('engine-'));
    const [worst] = worstFirst([...own, ...theirs].filter(({ code }) => missing || code !== 'engine-missing'));
    if (worst === undefined || verdictOf([worst]) === 'clean') return patch;
    const text = `What would be written into the object was not found clean${worst.tag === '' ? '' : `, in ${worst.tag}`}: ${worst.text}`;
    return { outcome: 'impossible', text: text.slice(0, patchTextMax), patches: [], metadata: '' };
  }

  /** One object by the examiners, all engines and, where the policy asks for it, the decoders. */
  async examine(work: Work, path: string, wants: { readonly dataSetDigest: boolean; readonly map?: boolean }): Promise<Outcome> {
    const outcome = await this.#examine(work, path, wants);
    return verdictOf(outcome.findings) === 'clean' ? this.#decode(work, path, outcome) : outcome;
  }

  async #examine(work: Work, path: string, wants: { readonly dataSetDigest: boolean; readonly map?: boolean }): Promise<Outcome> {
    const reading = this.#read({ path, work, dataSetDigest: wants.dataSetDigest, map: wants.map === true ? { window: null } : null });
    if (this.#clamd === null) return (await reading).outcome;
    const [{ outcome, inside }, whole] = await Promise.all([reading, this.#clamd.scan({ path, bytes: work.bytes })]);
    // A clamd that is missing says so once.
    const found = [...whole, ...inside.map(({ finding }) => finding).filter(({ code }) => !code.startsWith('engine-') || !whole.some((known) => known.code === code))];
    // The embedded engine may be missing on this platform; another one that looked at all bytes takes its place.
    const own = found.some((finding) => finding.code.startsWith('engine-')) ? outcome.findings : outcome.findings.filter((finding) => finding.code !== 'engine-missing');
    const findings: Finding[] = [...own, ...found];
    if (found.length > 0 && verdictOf(found) !== 'clean') outcome.retire();
    return { ...outcome, findings };
  }

  /** By an examiner, and what it unpacks by clamd where there is one. */
  async #read(task: Task): Promise<{ readonly outcome: Outcome; readonly inside: readonly FoundInPart[] }> {
    const clamd = this.#clamd;
    if (clamd === null) return { outcome: await this.#pool.examine(task), inside: [] };
    // An examiner that is ended for another object leaves this one to the next: its parts come anew.
    const scans: PartScan[] = [];
    const outcome = await this.#pool.examine(task, () => {
      const scan = new PartScan(clamd, task);
      scans.push(scan);
      return scan;
    });
    return { outcome, inside: (await scans.at(-1)?.end()) ?? [] };
  }
}
