/** `./lazaret token add|list|remove`: bearer tokens for programs that speak DICOMweb. */
import { parseArgs } from 'node:util';
import { roles } from '@lazaret/pacs/access/actions.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { askAccess, dateOf, table } from './access.ts';
import type { Terminal } from './command.ts';

const usage = `Usage:
  ./lazaret token add NAME --role ${roles.join('|')} [--json]   prints a new token, once
  ./lazaret token list [--json]
  ./lazaret token remove NAME
`;

export async function run(args: readonly string[], io: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { role: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
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
      const answer = await askAccess(io.data, { do: 'token-list' });
      const tokens = answer.outcome === 'tokens' ? answer.tokens : [];
      if (values.json === true) io.stdout.write(`${JSON.stringify(tokens)}\n`);
      else io.stdout.write(tokens.length === 0 ? 'No tokens.\n' : table([['NAME', 'ROLE', 'SINCE (UTC)'], ...tokens.map((token) => [token.name, token.role, dateOf(token.createdAt)])]));
      return 0;
    }
    if (action === 'remove' && name !== undefined && more.length === 0) {
      await askAccess(io.data, { do: 'token-remove', name });
      io.stderr.write(`Token ${name} is removed; it stops working within seconds.\n`);
      return 0;
    }
    if (action === 'add' && name !== undefined && more.length === 0) {
      const role = roles.find((each) => each === values.role);
      if (role === undefined) {
        io.stderr.write(`--role is one of ${roles.join(', ')}. Whatever its role, a token only reads or sends: deciding and administering take a person.\n`);
        return 2;
      }
      const answer = await askAccess(io.data, { do: 'token-add', name, role });
      if (answer.outcome !== 'token') return 1;
      // The token alone goes to stdout, so that a script can take it.
      io.stdout.write(values.json === true ? `${JSON.stringify({ ...answer.row, token: answer.token })}\n` : `${answer.token}\n`);
      io.stderr.write('This is the only time it is shown. DICOMweb takes it as bearer token, or as the password of HTTP Basic with any name.\n');
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
