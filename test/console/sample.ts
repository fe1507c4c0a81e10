/**
 * A night's worth of objects for looking at the console without a whole system: recipes of tools/recipes, mapped by the real reader,
 * with findings written here. Only for tests and pictures; nothing of it is a stand-in for what inspects.
 */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { BytesSource } from '../../dicom/dataset/bytes.ts';
import { attributeOf, tagText } from '../../dicom/dictionary/dictionary.ts';
import { spanKinds } from '../../dicom/filemap/contract.ts';
import { mapObject } from '../../dicom/filemap/map.ts';
import type { DecideAnswer, DecideRequest, GroupBy, GroupsAnswer, ListAnswer, ListRequest, MapAnswer, MapSpan, StatusAnswer, TraceAnswer, TraceRequest } from '../../pacs/quarantine/requests.ts';
import { states, type Finding, type LedgerEntry, type Proposal, type State, type Verdict } from '../../pacs/quarantine/contract.ts';
import type { WithdrawalPreview, WithdrawalStatus, WithdrawRequest } from '../../pacs/quarantine/withdrawalcontract.ts';
import type { Digest, ObjectId, Source } from '../../pacs/reception/contract.ts';
import { refused } from '../../system/failure.ts';
import { recipes } from '../../tools/recipes/all.ts';

interface Sample {
  readonly entry: LedgerEntry;
  readonly bytes: () => Uint8Array;
}

const sources: Readonly<Record<string, Source>> = {
  ct: { door: 'association', peer: 'CT scanner 2, radiology', address: '10.20.4.12', callingAETitle: 'CT_RAD_2', calledAETitle: 'LAZARET', batch: '' },
  import: { door: 'association', peer: 'Import desk, ground floor', address: '10.20.1.77', callingAETitle: 'IMPORT_DESK', calledAETitle: 'LAZARET', batch: '' },
  partner: { door: 'stow', peer: 'St. Elisabeth teleradiology', address: '192.0.2.44', callingAETitle: '', calledAETitle: '', batch: '' },
  us: { door: 'association', peer: 'Ultrasound, emergency room', address: '10.20.7.3', callingAETitle: 'US_ER', calledAETitle: 'LAZARET', batch: '' },
};

const ctClass = '1.2.840.10008.5.1.4.1.1.2';

interface Row {
  readonly recipe: string;
  readonly source: keyof typeof sources;
  readonly batch: string;
  readonly minutesAgo: number;
  readonly state: State;
  readonly verdict: Verdict | null;
  readonly patient: readonly [name: string, id: string];
  readonly study: string;
  readonly modality?: string;
  readonly count?: number;
  readonly disarmed?: readonly string[];
  readonly find?: readonly (readonly [code: string, engine: string, text: string, where: 'preamble' | 'pe' | 'trailing' | 'tag' | 'last', tag?: string])[];
  readonly proposal?: Omit<Proposal, 'proposedAt'>;
}

const rows: readonly Row[] = [
  { recipe: 'ct-512', source: 'ct', batch: 'a1', minutesAgo: 0.2, state: 'inspecting', verdict: null, patient: ['MORENO^LUCIA', '20480917'], study: 'CT head without contrast', count: 9 },
  { recipe: 'ct-512', source: 'ct', batch: 'a1', minutesAgo: 0.5, state: 'archived', verdict: 'clean', patient: ['MORENO^LUCIA', '20480917'], study: 'CT head without contrast', count: 52 },
  {
    recipe: 'pedicom', source: 'import', batch: 'b1', minutesAgo: 7, state: 'held', verdict: 'malicious', patient: ['NOVÁK^PETR', 'EXT-77120'], study: 'CT thorax, from disc',
    find: [
      ['executable-start', 'content', 'The file begins with MZ and points to a PE header inside it: on Windows it is also a program.', 'preamble'],
      ['executable-content', 'yara-x', 'A private element holds the body of a Windows program (rule pe_header).', 'pe', '(0009,1001)'],
    ],
  },
  { recipe: 'ct-512', source: 'import', batch: 'b1', minutesAgo: 7.1, state: 'archived', verdict: 'clean', patient: ['NOVÁK^PETR', 'EXT-77120'], study: 'CT thorax, from disc', count: 31 },
  { recipe: 'preamble-tiff', source: 'partner', batch: 'c1', minutesAgo: 22, state: 'archived', verdict: 'clean', patient: ['VAN DER BERG^ANNA^MARIA^^DR', 'TR-5512'], study: 'MR knee left', modality: 'MR', count: 18, disarmed: ['preamble', 'padding'] },
  {
    recipe: 'truncated', source: 'us', batch: 'd1', minutesAgo: 41, state: 'held', verdict: 'malformed', patient: ['OKAFOR^CHIDI', '20481102'], study: 'US abdomen, emergency', modality: 'US',
    find: [['length-exceeds-container', 'structure', 'Pixel Data (7FE0,0010) says that it is longer than what is left of the object: it ends in the middle of the image.', 'last']],
  },
  {
    recipe: 'eicar-private', source: 'import', batch: 'e1', minutesAgo: 95, state: 'held', verdict: 'malicious', patient: ['SCHMIDT^ERIKA', 'EXT-90411'], study: 'CT abdomen, from USB stick',
    find: [['malware-signature', 'yara-x', 'The EICAR test file stands in a private element.', 'tag', '']],
    proposal: { decision: 'destroy', person: 'd.haas', reason: 'Test file from the security audit, agreed with Dr. Lind by phone; the disc is with IT.' },
  },
  {
    recipe: 'fragments-no-end', source: 'partner', batch: 'f1', minutesAgo: 190, state: 'held', verdict: 'unscannable', patient: ['\u202eSNOMMIS\u202c^J\u001b[31mEAN', 'TR-5498'], study: 'XA coronary <script>alert(1)</script>', modality: 'XA',
    find: [['examiner-timed-out', 'examiner', 'Inspection was stopped after 30 s: the object takes longer than any honest one.', 'preamble']],
  },
  { recipe: 'ct-512', source: 'ct', batch: 'g1', minutesAgo: 260, state: 'archived', verdict: 'clean', patient: ['LINDQVIST^OSKAR', '20480855'], study: 'CT polytrauma', count: 64 },
  { recipe: 'report-4k', source: 'partner', batch: 'h1', minutesAgo: 300, state: 'archived', verdict: 'clean', patient: ['PAPADOPOULOU^ELENI=ΠΑΠΑΔΟΠΟΥΛΟΥ^ΕΛΕΝΗ', 'TR-5490'], study: 'Radiology report', modality: 'SR' },
  { recipe: 'trailing-pe', source: 'import', batch: 'i1', minutesAgo: 60 * 27, state: 'destroyed', verdict: 'malicious', patient: ['HORVÁTH^ZSÓFIA', 'EXT-90318'], study: 'CR chest, from disc', modality: 'CR', find: [['executable-content', 'content', 'A Windows program stands after the end of the Data Set.', 'trailing']] },
  {
    recipe: 'overlay-short', source: 'us', batch: 'j1', minutesAgo: 60 * 31, state: 'held', verdict: 'malformed', patient: [`A VERY LONG FAMILY NAME THAT SOMEBODY TYPED INTO THE MODALITY^${'WITH EVERY GIVEN NAME '.repeat(4)}`, '20480012'], study: 'US thyroid', modality: 'US',
    find: [['overlay-length-wrong', 'content', 'Overlay Data (6000,3000) is shorter than its rows and columns say.', 'last']],
  },
];

/** A keeper that answers from these rows. `decide` follows the rule of two people well enough to be looked at. */
export function sampleKeeper(now: number): { request<Answer>(name: string, body: unknown): Promise<Answer>; readonly ids: Readonly<Record<string, string>> } {
  const samples = new Map<string, Sample>();
  const ids: Record<string, string> = {};
  for (const row of rows) {
    const recipe = recipes.find((each) => each.name === row.recipe);
    if (recipe === undefined) throw new Error(`no recipe ${row.recipe}`);
    for (let index = 0; index < (row.count ?? 1); index += 1) {
      const sample = sampleOf(row, index, now, () => recipe.bytes());
      samples.set(sample.entry.objectId, sample);
      if (index === 0) ids[row.recipe] ??= sample.entry.objectId;
      if (index === 0 && row.disarmed !== undefined) ids['disarmed'] = sample.entry.objectId;
    }
  }
  const counts = (): Record<State, number> => Object.fromEntries(states.map((state) => [state, [...samples.values()].filter(({ entry }) => entry.state === state).length])) as Record<State, number>;
  const find = (objectId: string): Sample => {
    const sample = samples.get(objectId);
    if (sample === undefined) throw refused('object-unknown', `There is no object ${objectId}.`);
    return sample;
  };
  const answers: Readonly<Record<string, (body: never) => unknown>> = {
    list: ({ states: wanted, text, limit, after }: ListRequest): ListAnswer => {
      const all = [...samples.values()].map(({ entry }) => entry).toSorted((one, other) => other.receivedAt - one.receivedAt)
        .filter((entry) => (wanted.length === 0 || wanted.includes(entry.state)) && JSON.stringify(entry).toLowerCase().includes(text.toLowerCase()));
      const start = after === null ? 0 : Number(after);
      return { entries: all.slice(start, start + limit), next: start + limit < all.length ? String(start + limit) : null, counts: counts() };
    },
    show: ({ objectId }: { objectId: string }): LedgerEntry => find(objectId).entry,
    map: ({ objectId, window }: { objectId: string; window?: { offset: number; length: number } }): MapAnswer => mapAnswer(find(objectId), window ?? null),
    decide: (request: DecideRequest): DecideAnswer => {
      const { entry, bytes } = find(request.objectId);
      const first = entry.proposals?.find((proposal) => proposal.decision === request.decision);
      const isDone = (entry.verdict !== 'malicious' && request.decision === 'release') || (first !== undefined && first.person !== request.person);
      const decided: LedgerEntry = isDone
        ? { ...entry, state: request.decision === 'release' ? 'archived' : 'destroyed', proposals: [] }
        : { ...entry, proposals: [{ decision: request.decision, person: request.person, reason: request.reason, proposedAt: now }] };
      samples.set(entry.objectId, { entry: decided, bytes });
      return { outcome: isDone ? 'done' : 'proposed', entry: decided };
    },
    trace: ({ id, source }: TraceRequest): TraceAnswer => {
      const all = [...samples.values()].map(({ entry }) => entry);
      const subjects = source === '' ? all.filter((entry) => entry.objectId === id || entry.sopInstanceUID === id) : all.filter((entry) => [entry.source.peer, entry.source.callingAETitle, entry.source.address].includes(source));
      const [first] = subjects;
      if (first === undefined && source === '') throw refused('object-unknown', 'There is no object with this id, SOP Instance UID or SHA-256.');
      const batches = [...new Set(subjects.map((entry) => entry.source.batch))];
      const others = all.filter((entry) => batches.includes(entry.source.batch) && !subjects.includes(entry));
      const near = first === undefined || source !== '' ? [] : all.filter((entry) => entry.source.peer === first.source.peer && !batches.includes(entry.source.batch));
      const messages = [...new Set([...subjects, ...near].map((entry) => entry.source.batch))].map((batch) => all.filter((entry) => entry.source.batch === batch));
      return {
        objects: [...subjects.map((entry) => [entry, 'subject'] as const), ...others.map((entry) => [entry, 'message'] as const), ...near.map((entry) => [entry, 'source'] as const)].map(([entry, relation]) => ({
          ...entry, relation, codes: entry.findings.map(({ code }) => code), archivedSha256: '', withdrawn: relation === 'subject' && entry.state === 'held', message: messages.findIndex((of) => of.includes(entry)),
        })),
        messages: messages.map((of) => ({ source: of[0]!.source, first: of.at(-1)!.receivedAt, last: of[0]!.receivedAt, objects: of.length })),
        accesses: first === undefined ? [] : [
          { kind: 'opened', person: 'r.castellanos', address: '10.20.9.14', destination: '', what: 'frames', first: now - 200_000, last: now - 100_000, count: 31, studyInstanceUID: first.studyInstanceUID, objectIds: [first.objectId], auditEntry: 48_107 },
          { kind: 'opened', person: 'ward 4 <script>', address: '10.20.9.40', destination: '', what: 'instances', first: now - 90_000, last: now - 90_000, count: 1, studyInstanceUID: first.studyInstanceUID, objectIds: [first.objectId], auditEntry: 48_150 },
          { kind: 'sent', person: 'lazaret', address: '', destination: 'PACS_MAIN at 10.20.4.1', what: '', first: now - 80_000, last: now - 80_000, count: 1, studyInstanceUID: first.studyInstanceUID, objectIds: [first.objectId], auditEntry: 48_160 },
        ],
        decisions: [], cut: [], repeats: first === undefined ? [] : [{ objectId: first.objectId, source: { ...sources['partner']!, batch: 'z9' }, at: now - 60_000 }],
      };
    },
    groups: ({ by }: { by: GroupBy }): GroupsAnswer => {
      const held = [...samples.values()].map(({ entry }) => entry).filter(({ state }) => state === 'held');
      const keyOf = (entry: LedgerEntry): string => (by === 'medium' ? entry.source.batch : entry.studyInstanceUID);
      return {
        by, held: held.length, more: false,
        groups: [...new Set(held.map(keyOf))].map((key) => {
          const entries = held.filter((entry) => keyOf(entry) === key);
          const count = (verdict: Verdict): number => entries.filter((entry) => entry.verdict === verdict).length;
          const [first] = entries as [LedgerEntry];
          return {
            key, objects: entries.length, malicious: count('malicious'), malformed: count('malformed'), unscannable: count('unscannable'), withdrawn: count('clean'), patients: 1, studies: 1, first: first.receivedAt, last: first.receivedAt,
            patientName: first.patientName, patientID: first.patientID, description: first.studyDescription, modality: first.modality, source: first.source, codes: [...new Set(entries.map(({ findings }) => findings[0]?.code ?? ''))],
          };
        }),
      };
    },
    withdraw: (request: WithdrawRequest): WithdrawalPreview | readonly WithdrawalStatus[] => {
      if (request.do === 'list') return withdrawals(now);
      if (request.do !== 'preview') throw refused('withdrawal-unknown', 'Samples are only looked at.');
      return {
        selection: request.selection, what: 'sample', objects: 31, bytes: 16_400_000, unseen: 0, waiting: 2, held: 1, destroyed: 0, malicious: 0, heldMalicious: 1, known: 0, alsoFrom: 1, patients: 1, studyCount: 1,
        studies: [{ studyInstanceUID: '2.25.1', description: 'CT thorax, from disc', modality: 'CT', patientName: 'NOVÁK^PETR', patientID: 'EXT-77120', objects: 31 }], sources: [], cut: [],
        accesses: [{ kind: 'opened', person: 'r.castellanos', address: '10.20.9.14', destination: '', count: 31, first: now - 200_000, last: now - 100_000 }, { kind: 'sent', person: 'lazaret', address: '', destination: 'PACS_MAIN at 10.20.4.1', count: 1, first: now - 80_000, last: now - 80_000 }],
      };
    },
    status: (): StatusAnswer => ({
      counts: counts(),
      inspector: {
        sandbox: { strength: 'namespaces', text: 'Examiners run in Linux namespaces of their own (bubblewrap) and under Node’s permission model: no network, nothing writable.' },
        engines: [
          { name: 'structure', version: '1', signatures: 'edition 2026c of the standard', state: 'ready', text: '' },
          { name: 'yara-x', version: '1.9.0', signatures: '61 rules, 24 Nov 2026', state: 'ready', text: '' },
          { name: 'clamd', version: '1.4.6', signatures: 'daily 27 841, 9 hours old', state: 'ready', text: '' },
        ],
        epoch: 'structure 1; yara-x 1.9.0 rules 3f9a2c1e; clamd 1.4.6 daily 27841',
        examiners: 2,
      },
      rescan: {
        run: 3, reason: 'signatures', person: '', state: 'running', epoch: 'structure 1; yara-x 1.9.0 rules 3f9a2c1e; clamd 1.4.6 daily 27841', since: 0, study: '', startedAt: now - 3_600_000, finishedAt: null,
        objects: 181_204, bytes: 9.4e10, withdrawn: 1, postponed: 0, remaining: { objects: 402_118, bytes: 2.1e11 }, objectsPerSecond: 51.3, bytesPerSecond: 2.6e7, problem: '',
      },
      audit: { entries: 48_213, root: createHash('sha256').update('root').digest('hex') },
      disk: { freeBytes: 1.42e12, totalBytes: 3.6e12 },
    }),
  };
  return {
    ids,
    async request<Answer>(name: string, body: unknown): Promise<Answer> {
      const answer = answers[name];
      if (answer === undefined) throw refused('request-unknown', name);
      return answer(body as never) as Answer;
    },
  };
}

/** One that stands and one that was brought back. */
function withdrawals(now: number): readonly WithdrawalStatus[] {
  const one = { selection: { kind: 'import', import: 'ab'.repeat(16), known: false }, person: 'm.lind', patients: 1, studies: 2, finishedAt: now, problem: '' } as const;
  return [
    { ...one, id: 'c0ffee00'.repeat(4), what: 'medium KLINIK NORD 2001, imported by desk', state: 'withdrawn', reason: 'A signature of today found something on the disc.', at: now - 900_000, fates: { taken: 31, waiting: 2 }, objects: 33, malicious: 0, restore: null },
    {
      ...one, id: 'decade00'.repeat(4), what: 'source CT_RAD_2, 2026-11-20 to 2026-11-21', state: 'restored', reason: 'The wrong patient was chosen at the scanner.', at: now - 9e7, fates: { restored: 120, kept: 1 }, objects: 121, malicious: 1,
      restore: { person: 'd.haas', reason: 'Corrected with the radiographer, see ticket 4711.', at: now - 8e7 },
    },
  ];
}

function sampleOf(row: Row, index: number, now: number, bytes: () => Uint8Array): Sample {
  const hex = (text: string): string => createHash('sha256').update(`${row.recipe} ${row.batch} ${row.state} ${index} ${text}`).digest('hex');
  const length = bytes().byteLength;
  const receivedAt = now - row.minutesAgo * 60_000 - index * 400;
  const source = sources[row.source];
  if (source === undefined) throw new Error(row.source);
  const { proposal, find = [], disarmed = [] } = row;
  const entry: LedgerEntry = {
    objectId: hex('id').slice(0, 32) as ObjectId,
    state: row.state, bytes: length, sha256: hex('digest') as Digest, source: { ...source, batch: row.batch }, receivedAt,
    sopClassUID: { MR: '1.2.840.10008.5.1.4.1.1.4', US: '1.2.840.10008.5.1.4.1.1.6.1', XA: '1.2.840.10008.5.1.4.1.1.12.1', SR: '1.2.840.10008.5.1.4.1.1.88.22', CR: '1.2.840.10008.5.1.4.1.1.1' }[row.modality ?? ''] ?? ctClass,
    sopInstanceUID: `2.25.${BigInt(`0x${hex('uid').slice(0, 30)}`)}`,
    verdict: row.verdict, disarmed, epoch: row.verdict === null ? '' : 'structure 1; yara-x 1.9.0 rules 3f9a2c1e', concludedAt: row.verdict === null ? null : receivedAt + 900,
    patientName: row.patient[0], patientID: row.patient[1], studyInstanceUID: `2.25.${BigInt(`0x${createHash('sha256').update(row.batch).digest('hex').slice(0, 30)}`)}`, studyDescription: row.study, modality: row.modality ?? 'CT',
    conflicts: [],
    findings: find.map((each) => place(each, bytes())),
    ...(proposal === undefined ? {} : { proposals: [{ ...proposal, proposedAt: now - 12 * 60_000 }] }),
  };
  return { entry, bytes };
}

function place([code, engine, text, where, tag = '']: NonNullable<Row['find']>[number], bytes: Uint8Array): Finding {
  const spans = spansOf(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number, length: number): Finding => ({ code, engine, text, tag: tag || (spans.findLast((span) => span.offset <= offset)?.tag ?? ''), offset, length });
  if (where === 'preamble') return { ...at(0, 128), tag: '' };
  if (where === 'pe') return at(Math.max(buffer.indexOf('PE\0\0'), 0), 64);
  if (where === 'trailing') return at(spans.find((span) => span.kind === 'trailing')?.offset ?? 0, 64);
  const found = where === 'tag' ? spans.find((span) => span.kind === 'private' && span.length > 60) : spans.at(-1);
  return at(found?.offset ?? 0, Math.min(found?.length ?? 1, 68));
}

function spansOf(bytes: Uint8Array): MapSpan[] {
  const mapped = mapObject(new BytesSource(bytes), {
    inflateRaw: (source, offset, length) => ({ output: new BytesSource(new Uint8Array(inflateRawSync(source.read(offset, length)))), consumed: length, ended: 'complete' }),
  });
  const { spans, elements } = mapped;
  const vrs = new Map<number, string>();
  for (let index = 0; index < elements.count; index += 1) vrs.set(elements.headerOffsets[index] ?? 0, String.fromCharCode((elements.vrs[index] ?? 0) >> 8, (elements.vrs[index] ?? 0) & 0xff)).set(elements.valueOffsets[index] ?? 0, String.fromCharCode((elements.vrs[index] ?? 0) >> 8, (elements.vrs[index] ?? 0) & 0xff));
  return Array.from({ length: spans.count }, (_, index) => {
    const tag = spans.tags[index] ?? 0;
    const text = tag === 0 ? '' : tagText(tag);
    return { offset: spans.offsets[index] ?? 0, length: spans.lengths[index] ?? 0, kind: spanKinds[spans.kinds[index] ?? 0] ?? '', tag: text, keyword: attributeOf(tag)?.keyword ?? '', path: text, vr: vrs.get(spans.offsets[index] ?? -1) ?? '' };
  });
}

function mapAnswer({ entry, bytes }: Sample, window: { offset: number; length: number } | null): MapAnswer {
  const all = bytes();
  return {
    bytes: all.byteLength, spans: spansOf(all), findings: entry.findings, parts: [], partCount: 0,
    window: window === null ? null : { offset: window.offset, base64: Buffer.from(all.subarray(window.offset, window.offset + window.length)).toString('base64') },
  };
}
