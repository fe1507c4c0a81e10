/** Tables of users, tokens and the one-time code. The keeper runs the migrations and is the only one that reads or writes them. */

/** One step of the schema; run once, in order, inside a transaction. Never change one that was published, add another. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  {
    name: 'access-0001',
    sql: `
CREATE TABLE users (
  name TEXT PRIMARY KEY NOT NULL,
  -- argon2id (secrets.ts).
  password TEXT NOT NULL,
  -- Roles with blanks between.
  roles TEXT NOT NULL,
  createdAt INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  -- Of a random 256-bit token: nothing to guess, so a slow hash would only cost time on each request.
  sha256 TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  createdAt INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- At most one row: the code that makes the first administrator.
CREATE TABLE oneTimeCodes (
  sha256 TEXT PRIMARY KEY NOT NULL,
  createdAt INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
  },
];
