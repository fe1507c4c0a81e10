/** Tables of users, tokens and the one-time code. The keeper runs the migrations and is the only one that writes. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export interface AccessTables {
  access_user: { name: string; password: string; roles: string; created_at: number };
  /** `sha256` of a random 256-bit token: nothing to guess, so a slow hash would only cost time on each request. */
  access_token: { sha256: string; name: string; role: string; created_at: number };
  /** At most one row: the code that makes the first administrator. */
  access_code: { sha256: string; created_at: number };
}

/** For kysely's Migrator; names sort after those that they build on. */
export const migrations: Readonly<Record<string, Migration>> = {
  'access-001-first': {
    async up(database: Kysely<unknown>): Promise<void> {
      await database.schema.createTable('access_user')
        .addColumn('name', 'text', (column) => column.primaryKey().notNull())
        .addColumn('password', 'text', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .execute();
      await database.schema.createTable('access_token')
        .addColumn('sha256', 'text', (column) => column.primaryKey().notNull())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .execute();
      await database.schema.createTable('access_code')
        .addColumn('sha256', 'text', (column) => column.primaryKey().notNull())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .execute();
    },
  },
};
