/** The one data directory that holds everything (DESIGN §5), and who owns what in it. */
import { join, resolve } from 'node:path';

export interface Layout {
  readonly data: string;
  /** Doors write here, one file an object, named by its ObjectId. */
  readonly arriving: string;
  /** Keeper: admitted objects, named by ObjectId, in 256 folders by its first two digits; also the vault of bytes as received. */
  readonly quarantine: string;
  /** Keeper: archived objects, named by digest, in 256 folders by its first two digits. Immutable. */
  readonly archive: string;
  /** Keeper: SQLite database of ledger, index, access and assets. web reads it. */
  readonly database: string;
  /** Keeper: the audit log. */
  readonly audit: string;
  /** web: certificate and key. */
  readonly tls: string;
  /** association: certificate and key of DICOM TLS, put there by whoever runs the site. Apart from `tls`, so that neither process can read the other's key. */
  readonly dicomTls: string;
  /** worklist: whom to believe and perhaps who to be when the worklist is asked by DICOM TLS, put there by whoever runs the site. */
  readonly worklistTls: string;
  /** Keeper: the installed rule packs, named by digest, and which one is in use. */
  readonly rules: string;
  /** Public keys of those whose rule packs are taken, put there by whoever runs the site. Apart from `rules`, so that the keeper cannot add one. */
  readonly ruleKeys: string;
  /** One Unix socket for each peer of the keeper. */
  /** web: what the desk page uploads, one folder an import; the importer reads and removes it. */
  readonly uploads: string;
  readonly run: string;
  readonly sockets: { readonly association: string; readonly web: string; readonly inspector: string; readonly importer: string; readonly worklist: string; readonly terminal: string };
}

/** Paths under a data directory. Makes nothing. */
export function layoutOf(data: string): Layout {
  const run = join(data, 'run');
  return {
    data,
    arriving: join(data, 'arriving'),
    quarantine: join(data, 'quarantine'),
    archive: join(data, 'archive'),
    database: join(data, 'database', 'lazaret.sqlite'),
    audit: join(data, 'audit'),
    tls: join(data, 'tls'),
    dicomTls: join(data, 'dicom-tls'),
    worklistTls: join(data, 'worklist-tls'),
    uploads: join(data, 'uploads'),
    rules: join(data, 'rules'),
    ruleKeys: join(data, 'rule-keys'),
    run,
    sockets: {
      association: join(run, 'association', 'keeper.sock'),
      web: join(run, 'web', 'keeper.sock'),
      inspector: join(run, 'inspector', 'keeper.sock'),
      importer: join(run, 'importer', 'keeper.sock'),
      worklist: join(run, 'worklist', 'keeper.sock'),
      terminal: join(run, 'terminal', 'keeper.sock'),
    },
  };
}

/** The file of an object in quarantine or archive: `<area>/<first two digits>/<name>`. */
export function objectPath(area: string, name: string): string {
  return join(area, name.slice(0, 2), name);
}

/** The data directory when none is given on the command line: `LAZARET_DATA`, else a folder in the user's data home. */
export function dataDirectory(given: string | undefined, environment: Readonly<Record<string, string | undefined>>): string {
  if (given !== undefined && given !== '') return resolve(given);
  const named = environment['LAZARET_DATA'];
  if (named !== undefined && named !== '') return resolve(named);
  const home = environment['XDG_DATA_HOME'] ?? join(environment['HOME'] ?? '.', '.local', 'share');
  return resolve(home, 'lazaret');
}
