/** What must hold for any input: nothing thrown, a whole file map, a report that passes the guard, the same answer twice. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { checkSpans } from '@lazaret/dicom/filemap/check.ts';
import { brokenInvariant } from '@lazaret/dicom/filemap/fuzz.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { packReport } from '@lazaret/pacs/inspection/assignment.ts';
import type { YaraEngine } from '@lazaret/pacs/inspection/engines/yara.ts';
import { examine } from '@lazaret/pacs/inspection/examiner/examine.ts';
import { inflateRaw } from '@lazaret/pacs/inspection/examiner/inflate.ts';
import { checkReport } from '@lazaret/pacs/inspection/report.ts';
import { verdictOf } from '@lazaret/pacs/inspection/verdict.ts';
import type { Work } from '@lazaret/pacs/quarantine/contract.ts';
import { archivedOf } from '../../tools/variants/judging.ts';

/** Finds nothing: what is tried here is the reader and the rules, and rules over bytes have tests of their own. */
const silent: YaraEngine = { name: 'silent', version: () => ({ name: 'silent', version: '', signatures: '', state: 'ready', text: '' }), scan: () => [] };
const nobody = { objectId: '', sha256: '', sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', peer: '' };
/** Every so many inputs the costly checks are made as well. */
const everyTwice = 8;
const everyValues = 4;

export interface Checked {
  /** What does not hold, or null. */
  readonly broken: string | null;
  /** The bytes that would be archived, where the object is clean. */
  readonly archived: Buffer | null;
  readonly verdict: string;
}

const failed = (broken: string): Checked => ({ broken, archived: null, verdict: '' });

export type Mapper = typeof mapObject;

export class Checks {
  readonly #folder = mkdtempSync(join(statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true ? '/dev/shm' : tmpdir(), 'lazaret-fuzz-'));
  readonly #path = join(this.#folder, 'object');
  readonly #mapper: Mapper;

  /** `mapper`: the reader that is tried, or one with a bug put in. */
  constructor(mapper: Mapper = mapObject) {
    this.#mapper = mapper;
  }

  check(bytes: Buffer, number: number): Checked {
    if (bytes.length === 0) return { broken: null, archived: null, verdict: 'malformed' };
    let first;
    try {
      first = this.#examined(bytes);
    } catch (error) {
      return failed(`examine threw ${(error as Error).stack?.split('\n').slice(0, 3).join(' ') ?? String(error)}`);
    }
    if ('problem' in first) return failed(`the report does not pass the guard: ${first.problem}`);
    const spans = this.#brokenSpans(bytes);
    if (spans !== null) return failed(spans);
    if (number % everyTwice === 0) {
      const second = this.#examined(bytes);
      if ('problem' in second || second.text !== first.text) return failed('a second inspection of the same bytes says something else');
    }
    if (number % everyValues === 0) {
      const broken = brokenInvariant(bytes, this.#mapper as never);
      if (broken !== null) return failed(broken);
    }
    return { broken: null, verdict: first.verdict, archived: first.verdict === 'clean' ? archivedOf(bytes, first.report.disarmed) : null };
  }

  #brokenSpans(bytes: Buffer): string | null {
    try {
      const mapped = this.#mapper(new BytesSource(bytes), { inflateRaw });
      return checkSpans(mapped.spans, bytes.length) ?? (mapped.dataSetSpans === undefined ? null : checkSpans(mapped.dataSetSpans, mapped.dataSetSource.length));
    } catch (error) {
      return `the reader threw ${String(error)}`;
    }
  }

  #examined(bytes: Buffer) {
    writeFileSync(this.#path, bytes);
    const work = { ...nobody, bytes: bytes.length } as unknown as Work;
    const { report, spans } = examine({ id: 1, path: this.#path, work, dataSetDigest: true, map: null }, silent);
    const { header, payload } = packReport(report, spans);
    const checked = checkReport(JSON.parse(JSON.stringify(header)) as unknown, Buffer.concat(payload), 1, work);
    if ('problem' in checked) return { problem: checked.problem };
    // What is no instance is not archived (inspection.ts).
    const found = verdictOf(report.findings);
    return { report, text: JSON.stringify(report), verdict: found === 'clean' && report.instance === null ? 'malformed' : found };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
