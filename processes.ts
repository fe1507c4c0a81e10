/**
 * Every process of Lazaret and what it may do (law 3). The supervisor starts from this table, the sandbox confines by it,
 * the tests of test/sandbox try to break out of each row, and ARCHITECTURE.md prints it.
 */
import type { Layout } from './system/layout.ts';

export type ProcessName = 'supervisor' | 'keeper' | 'inspector' | 'examiner' | 'decoder' | 'association' | 'web' | 'importer' | 'media' | 'worklist';

export interface ProcessRow {
  readonly name: ProcessName;
  readonly main: string;
  readonly startedBy: 'person' | 'supervisor' | 'inspector' | 'importer';
  /** What it listens to, in words. */
  readonly hears: string;
  readonly reads: readonly (keyof Layout)[];
  readonly writes: readonly (keyof Layout)[];
  /** Sockets it may connect to. */
  readonly asks: readonly (keyof Layout['sockets'])[];
  readonly network: 'none' | 'listens' | 'clamd' | 'worklist';
  readonly exec: 'none' | 'node and bwrap';
  /** Native code that it loads; voids Node's permission model, so such a row must have namespaces to count as sandboxed. */
  readonly addons: boolean;
  /** It makes files durable. Node's permission model forbids fsync, so such a row runs without it: namespaces are then its one wall. */
  readonly syncs: boolean;
  readonly memoryMiBMax: number;
  /** How sensitive it is and why it may do what it may (STYLE 12). */
  readonly security: string;
}

export const processes: Readonly<Record<ProcessName, ProcessRow>> = {
  supervisor: {
    name: 'supervisor', main: 'processes/supervisor/main.ts', startedBy: 'person', hears: 'signals',
    reads: ['data'], writes: ['data'], asks: [], network: 'none', exec: 'node and bwrap', addons: false, syncs: false, memoryMiBMax: 128,
    security: 'Starts, restarts and stops the rest. Reads no byte that came from outside.',
  },
  keeper: {
    name: 'keeper', main: 'processes/keeper/main.ts', startedBy: 'supervisor', hears: 'one Unix socket for each of association, web, inspector, importer, worklist, terminal',
    reads: ['arriving'], writes: ['arriving', 'quarantine', 'archive', 'database', 'audit', 'rules', 'run'], asks: [], network: 'none', exec: 'none', addons: false, syncs: true, memoryMiBMax: 1024,
    security: 'Owns every object and the record. Decodes nothing: it moves files, keeps the ledger and appends to the audit log.',
  },
  inspector: {
    name: 'inspector', main: 'processes/inspector/main.ts', startedBy: 'supervisor', hears: 'its examiners, through pipes',
    reads: ['quarantine', 'archive', 'rules', 'ruleKeys'], writes: [], asks: ['inspector'], network: 'clamd', exec: 'node and bwrap', addons: false, syncs: false, memoryMiBMax: 512,
    security: 'Hands work to examiners, bounds them in time and memory, checks their reports again and applies the verdict table. Never looks into an object.',
  },
  examiner: {
    name: 'examiner', main: 'processes/examiner/main.ts', startedBy: 'inspector', hears: 'its parent only, through a pipe',
    reads: ['quarantine', 'archive', 'rules', 'ruleKeys'], writes: [], asks: [], network: 'none', exec: 'none', addons: true, syncs: false, memoryMiBMax: 1024,
    security: 'The one place where hostile bytes are decoded. Assume that it can be taken over: it can then lie about one object and do nothing else.',
  },
  decoder: {
    name: 'decoder', main: 'processes/decoder/main.ts', startedBy: 'inspector', hears: 'its parent only, through a pipe',
    reads: ['quarantine', 'archive'], writes: [], asks: [], network: 'none', exec: 'none', addons: false, syncs: false, memoryMiBMax: 1536,
    security: 'Makes pictures of single frames for people, and decodes compressed frames where the policy asks for it. Assume that it can be taken over: it can then show another picture, or lie about one frame.',
  },
  association: {
    name: 'association', main: 'processes/association/main.ts', startedBy: 'supervisor', hears: 'DIMSE 11112, DICOM TLS 2762',
    reads: ['dicomTls'], writes: ['arriving'], asks: ['association'], network: 'listens', exec: 'none', addons: false, syncs: false, memoryMiBMax: 512,
    security: 'Faces the clinical network. Decodes PDUs and command sets, writes Data Sets to files unread.',
  },
  web: {
    name: 'web', main: 'processes/web/main.ts', startedBy: 'supervisor', hears: 'HTTPS 8443',
    reads: ['archive', 'quarantine', 'database', 'tls'], writes: ['arriving', 'uploads', 'tls', 'database'], asks: ['web'], network: 'listens', exec: 'none', addons: false, syncs: false, memoryMiBMax: 1024,
    security: 'Faces people and systems. Serves what is archived, verified; decodes HTTP, multipart headers and JSON, no Data Set. Writes what the desk page sends, unread, under names of its own, and beside the database only what SQLite needs for reading in WAL mode.',
  },
  importer: {
    name: 'importer', main: 'processes/importer/main.ts', startedBy: 'supervisor', hears: 'its media processes, through pipes',
    reads: [], writes: ['arriving', 'uploads'], asks: ['importer'], network: 'none', exec: 'node and bwrap', addons: false, syncs: false, memoryMiBMax: 256,
    security: 'Starts one media process for each upload of the desk page and passes on what it says, checked. Looks at no byte of a medium; removes uploads that were read.',
  },
  media: {
    name: 'media', main: 'processes/media/main.ts', startedBy: 'importer', hears: 'its parent only, through a pipe: the importer, or `./lazaret import`',
    reads: [], writes: ['arriving'], asks: [], network: 'none', exec: 'none', addons: false, syncs: false, memoryMiBMax: 512,
    security: 'Decodes the file systems of media. Sees the one medium that it was started for, by an open descriptor or as one folder, and writes what is on it to a folder of its own inside `arriving`. Assume that it can be taken over.',
  },
  worklist: {
    name: 'worklist', main: 'processes/worklist/main.ts', startedBy: 'supervisor', hears: 'nobody; runs only where a worklist is configured',
    reads: ['worklistTls'], writes: [], asks: ['worklist'], network: 'worklist', exec: 'none', addons: false, syncs: false, memoryMiBMax: 128,
    security: 'Asks the hospital\'s Modality Worklist for orders. Decodes PDUs, command sets and the Data Sets of the answers in this sandbox: it has no object, no database and nothing to write. Assume that it can be taken over by the one system that it asks: it can then name other orders, which a person reads before one is chosen.',
  },
};
