/**
 * The one SQLite file of ledger, index, access and assets. The keeper owns it; web opens it read-only.
 *
 * `synchronous=NORMAL` in WAL mode: a COMMIT does not sync the WAL; commits.ts does before an answer goes out. Neither can tear a transaction.
 */
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { makeFolder } from '@lazaret/system/durable.ts';
import { unavailable } from '@lazaret/system/failure.ts';

/** 16 MiB of WAL before it is copied into the database: copying less often costs less, and readers look through it quickly. */
const walPagesMax = 4_000;

/** One step of the schema: run once, inside a transaction. Never change one that was published, add another. */
export interface Migration {
  /** Part and number, such as "ledger-0001". */
  readonly name: string;
  readonly sql: string;
}

/** Opens (and makes) the database and brings the tables of each part up to date. Rejects with `database-migration`. */
export async function openDatabase(path: string, parts: readonly (readonly Migration[])[]): Promise<DatabaseSync> {
  await makeFolder(dirname(path));
  const database = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  chmodSync(path, 0o600);
  database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=${walPagesMax}; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;`);
  database.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL) STRICT');
  for (const migration of parts.flat()) migrate(database, migration);
  return database;
}

function migrate(database: DatabaseSync, migration: Migration): void {
  if (database.prepare('SELECT 1 FROM migration WHERE name = ?').get(migration.name) !== undefined) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(migration.sql);
    database.prepare('INSERT INTO migration (name, at) VALUES (?, ?)').run(migration.name, Date.now());
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw unavailable('database-migration', `the database cannot be brought up to date by ${migration.name}: ${String(error)}`, error);
  }
}

/** Statements of a table of texts, prepared once: preparing costs more than running. */
export function prepareAll<Name extends string>(database: DatabaseSync, texts: Readonly<Record<Name, string>>): Readonly<Record<Name, StatementSync>> {
  return Object.fromEntries(Object.entries<string>(texts).map(([name, text]) => [name, database.prepare(text)])) as unknown as Readonly<Record<Name, StatementSync>>;
}

/** Queries built by kysely on the same connection: for slow requests, since building one takes longer than many a statement runs. */
export function queries<Tables>(database: DatabaseSync): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: new SqliteDialect({
      database: {
        prepare: (text) => {
          const statement = database.prepare(text);
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...values(parameters)),
            run: (parameters) => statement.run(...values(parameters)),
            iterate: (parameters) => statement.iterate(...values(parameters)),
          };
        },
        close: () => {},
      },
    }),
  });
}

function values(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters as SQLInputValue[];
}
