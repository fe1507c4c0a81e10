/** `./lazaret user add|list|remove`: people who sign in to the viewer and the console. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { roles, type Role } from '@lazaret/pacs/access/actions.ts';
import { makePassword } from '@lazaret/pacs/access/secrets.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { askAccess, dateOf, table } from './access.ts';
import type { Terminal } from './command.ts';

const usage = `Usage:
  ./lazaret user add NAME --role ${roles.join('|')} [--role …] [--json]
      asks for a password; an empty answer, or input that is no terminal, makes one and prints it
  ./lazaret user list [--json]
  ./lazaret user remove NAME
`;

export async function run(args: readonly string[], io: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { role: { type: 'string', multiple: true }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  } catch (error) {
    io.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { values, positionals: [action, name, ...more] } = parsed;
  if (values.help === true) {
    io.stdout.write(usage);
    return 0;
  }
  try {
    if (action === 'list' && name === undefined) {
      const answer = await askAccess(io.data, { do: 'user-list' });
      const users = answer.outcome === 'users' ? answer.users : [];
      if (values.json === true) io.stdout.write(`${JSON.stringify(users)}\n`);
      else io.stdout.write(users.length === 0 ? 'No users.\n' : table([['NAME', 'ROLES', 'SINCE (UTC)'], ...users.map((user) => [user.name, user.roles.join(' '), dateOf(user.createdAt)])]));
      return 0;
    }
    if (action === 'remove' && name !== undefined && more.length === 0) {
      await askAccess(io.data, { do: 'user-remove', name });
      io.stderr.write(`User ${name} is removed; open sessions end within seconds.\n`);
      return 0;
    }
    if (action === 'add' && name !== undefined && more.length === 0) {
      const wanted = [...new Set(values.role ?? [])];
      const given = wanted.filter((role): role is Role => (roles as readonly string[]).includes(role));
      if (given.length === 0 || given.length !== wanted.length) {
        io.stderr.write(`--role is one or more of ${roles.join(', ')}\n`);
        return 2;
      }
      const typed = process.stdin.isTTY === true && values.json !== true ? await askPassword(name) : '';
      const password = typed === '' ? makePassword() : typed;
      await askAccess(io.data, { do: 'user-add', name, password, roles: given });
      if (values.json === true) io.stdout.write(`${JSON.stringify({ name, roles: given, password })}\n`);
      else if (typed === '') io.stdout.write(`${password}\n`);
      io.stderr.write(`User ${name} can sign in as ${given.join(', ')}.${typed === '' ? ' This is the only time the password is shown.' : ''}\n`);
      return 0;
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.severity === 'broken') throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
  io.stderr.write(usage);
  return 2;
}

/** Reads a password twice without showing it. Throws `password-differs`. */
async function askPassword(name: string): Promise<string> {
  const first = await askHidden(`Password for ${name} (empty: make one): `);
  if (first !== '' && (await askHidden('Again: ')) !== first) throw new Failure('refused', 'password-differs', 'the two passwords differ; nothing was changed');
  return first;
}

function askHidden(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
  return new Promise((resolve) => {
    lines.question(question, (answer) => {
      lines.close();
      process.stderr.write('\n');
      resolve(answer);
    });
    // readline repeats what is typed through this method alone; the question itself is out already.
    (lines as unknown as { _writeToOutput: (text: string) => void })._writeToOutput = () => {};
  });
}
