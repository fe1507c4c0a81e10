/**
 * Makes signed rule packs (docs/rules.md):
 *
 *   node tools/rulepack/main.ts key NAME [--ml-dsa]                             NAME.private.pem and NAME.pem, in this folder
 *   node tools/rulepack/main.ts publish FOLDER OUT --key PRIVATE --clean DIR …  tests, looks through the clean files, signs
 *   node tools/rulepack/main.ts synthetic COUNT                                 rules for measurements, on stdout
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { keyID } from '@lazaret/pacs/inspection/rulepack/signers.ts';
import { Failure } from '@lazaret/system/failure.ts';
import { privateKeysOf, publish, publicPEM } from './publish.ts';
import { syntheticRules } from './synthetic.ts';

const usage = `Usage: node tools/rulepack/main.ts key NAME [--ml-dsa]
       node tools/rulepack/main.ts publish FOLDER OUT --key PRIVATE_KEY --clean FOLDER [--clean FOLDER …]
       node tools/rulepack/main.ts synthetic COUNT

FOLDER has pack.json, *.yar, *.tests.json and clean.json as ${rulesFolder} has; "built-in" is that one.
`;

const { positionals: [what, first, second], values } = parseArgs({
  allowPositionals: true, options: { key: { type: 'string' }, clean: { type: 'string', multiple: true }, 'ml-dsa': { type: 'boolean', default: false } },
});
try {
  if (what === 'key' && first !== undefined) makeKey(first, values['ml-dsa']);
  else if (what === 'publish' && first !== undefined && second !== undefined && values.key !== undefined && values.clean !== undefined) {
    const { file, manifest, tried } = await publish(first === 'built-in' ? rulesFolder : first, privateKeysOf(readFileSync(values.key, 'latin1')), values.clean);
    writeFileSync(second, file);
    process.stdout.write(`${second}: rule pack ${manifest.text} (${manifest.version}), ${tried.rules.length} rules, ${tried.samples} samples, nothing found in ${tried.files} clean files, ${file.length} bytes\n`);
  } else if (what === 'synthetic' && Number(first) > 0) process.stdout.write(syntheticRules(Number(first)));
  else {
    process.stderr.write(usage);
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** The private key stays where packs are signed, best on a machine without network; the public one goes to whoever takes the packs. */
function makeKey(name: string, both: boolean): void {
  const pairs = [generateKeyPairSync('ed25519'), ...(both ? [generateKeyPairSync('ml-dsa-65')] : [])];
  const privateKeys = pairs.map(({ privateKey }) => privateKey);
  writeFileSync(`${name}.private.pem`, privateKeys.map((key) => key.export({ type: 'pkcs8', format: 'pem' }) as string).join(''), { mode: 0o600, flag: 'wx' });
  writeFileSync(`${name}.pem`, publicPEM(privateKeys), { flag: 'wx' });
  process.stdout.write(`${name}.private.pem: keep it secret. ${name}.pem: ${pairs.map(({ publicKey }) => `${publicKey.asymmetricKeyType} ${keyID(publicKey)}`).join(', ')}\n`);
}
