/** `./lazaret [--data DIR] COMMAND …`: finds the command and gives it its words. Exit 0 done, 1 failed, 2 wrong use, 3 done but something is held. */
import { dataDirectory } from '@lazaret/system/layout.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { commands } from './commands.ts';
import type { Run } from './command.ts';

function usage(): string {
  const width = Math.max(...commands.map((command) => command.usage.length));
  return [
    'Usage: ./lazaret [--data DIR] COMMAND [--json]',
    '',
    ...commands.map((command) => `  ${command.usage.padEnd(width)}  ${command.does}`),
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but something is held.',
    '',
  ].join('\n');
}

async function main(words: readonly string[]): Promise<number> {
  let given: string | undefined;
  let rest = [...words];
  // --data may stand before the command or anywhere after it.
  const at = rest.findIndex((word) => word === '--data' || word.startsWith('--data='));
  if (at >= 0) {
    const word = rest[at]!;
    given = word === '--data' ? rest[at + 1] : word.slice('--data='.length);
    if (given === undefined || given === '') {
      process.stderr.write('--data needs a folder\n');
      return 2;
    }
    rest = [...rest.slice(0, at), ...rest.slice(at + (word === '--data' ? 2 : 1))];
  }
  const [name, ...args] = rest;
  if (name === undefined || name === '--help' || name === 'help' || name === '-h') {
    process.stdout.write(usage());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    process.stderr.write(`There is no command '${name}'.\n\n${usage()}`);
    return 2;
  }
  const { run } = (await import(command.module)) as { run: Run };
  return run(args, { stdout: process.stdout, stderr: process.stderr, data: dataDirectory(given, process.env) });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Failure) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`This is a bug in Lazaret, not something you did wrong.\n${(error as Error)?.stack ?? String(error)}\n`);
  process.exitCode = 1;
}
// Sockets and workers of a command that is done must not keep the terminal waiting, but what it wrote must get out first.
process.stdout.write('', () => process.exit());
