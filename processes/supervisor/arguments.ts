/** What `npm start -- …` takes (DESIGN §7) and the configuration file, together as the settings of the processes. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { refused } from '@lazaret/system/failure.ts';
import { dataDirectory, layoutOf } from '@lazaret/system/layout.ts';
import type { Settings } from '@lazaret/system/process.ts';

export const usage = `Usage: npm start -- [--data DIR] [--host H] [--dimse-port N] [--https-port N] [--config FILE]

  --data DIR         everything that Lazaret keeps (default: LAZARET_DATA, else a folder in your data home)
  --host H           address to listen on (default 127.0.0.1: this machine only)
  --dimse-port N     DIMSE port (default 11112; 0 takes a free one)
  --dimse-tls-port N DICOM TLS port (default 2762; used once certificates for it are there)
  --https-port N     HTTPS port (default 8443; 0 takes a free one)
  --config FILE      JSON with any of: ${'host, dimsePort, dimseTlsPort, httpsPort, aeTitle, sandbox, clamd, examiners, decode, privateSOPClasses, worklist'}
`;

/** Keys that a configuration file may have, with the test that its value must pass. */
const configurable: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  host: [(value) => typeof value === 'string' && value !== '', 'an address'],
  dimsePort: [isPort, 'a port'],
  dimseTlsPort: [isPort, 'a port'],
  httpsPort: [isPort, 'a port'],
  aeTitle: [isAETitle, 'an AE Title of 1 to 16 characters'],
  sandbox: [(value) => value === 'required' || value === 'available', '"required" or "available"'],
  clamd: [isClamd, '"none", { "socket": path } or { "host": address, "port": port }, both perhaps with "signatureDays": 1 to 90'],
  examiners: [(value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 64, 'a number from 1 to 64'],
  decode: [(value) => value === 'never' || value === 'always' || (Array.isArray(value) && value.every((peer) => typeof peer === 'string')), '"never", "always" or a list of names of peers'],
  privateSOPClasses: [(value) => Array.isArray(value) && value.every((uid) => typeof uid === 'string' && /^[0-9.]{1,64}$/.test(uid)), 'a list of UIDs'],
  worklist: [isWorklist, 'null or { "host": address, "port": port, "calledAETitle": AE Title, "callingAETitle": AE Title }, perhaps with "tls": true or { "name": name in its certificate }'],
};

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65535;
}

/** PS3.5 §6.2: VR AE is at most 16 characters without backslash and control characters. */
function isAETitle(value: unknown): boolean {
  return typeof value === 'string' && /^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$/.test(value);
}

function isWorklist(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { host, port, calledAETitle, callingAETitle, tls, ...more } = value as Record<string, unknown>;
  const named = typeof tls === 'object' && tls !== null && typeof (tls as Record<string, unknown>)['name'] === 'string' && Object.keys(tls).length === 1;
  return typeof host === 'string' && host !== '' && isPort(port) && port !== 0 && isAETitle(calledAETitle) && isAETitle(callingAETitle) && (tls === undefined || typeof tls === 'boolean' || named) && Object.keys(more).length === 0;
}

function isClamd(value: unknown): boolean {
  if (value === null || value === 'none') return true;
  if (typeof value !== 'object') return false;
  const clamd = value as Record<string, unknown>;
  const { signatureDays } = clamd;
  if (signatureDays !== undefined && !(Number.isInteger(signatureDays) && (signatureDays as number) >= 1 && (signatureDays as number) <= 90)) return false;
  return typeof clamd['socket'] === 'string' || (typeof clamd['host'] === 'string' && isPort(clamd['port']));
}

/**
 * Settings from the words of the command line and the configuration file that they name; words win over the file.
 * Throws `refused` (`argument-invalid`, `configuration-invalid`) with the text for the person at the terminal.
 */
export function settingsOf(words: readonly string[], environment: Readonly<Record<string, string | undefined>>): Settings {
  const values = parse(words);
  const file = values.config === undefined ? {} : readConfiguration(resolve(values.config));
  const port = (name: string, word: string | undefined, key: string, fallback: number): number => {
    if (word === undefined) return (file[key] as number | undefined) ?? fallback;
    if (!/^\d{1,5}$/.test(word) || Number(word) > 65535) throw refused('argument-invalid', `--${name} must be a port from 0 to 65535, not '${word}'`);
    return Number(word);
  };
  return {
    layout: layoutOf(dataDirectory(values.data, environment)),
    host: values.host ?? (file['host'] as string | undefined) ?? '127.0.0.1',
    dimsePort: port('dimse-port', values['dimse-port'], 'dimsePort', 11112),
    dimseTlsPort: port('dimse-tls-port', values['dimse-tls-port'], 'dimseTlsPort', 2762),
    httpsPort: port('https-port', values['https-port'], 'httpsPort', 8443),
    aeTitle: (file['aeTitle'] as string | undefined) ?? 'LAZARET',
    sandbox: (file['sandbox'] as Settings['sandbox'] | undefined) ?? 'available',
    clamd: file['clamd'] === 'none' ? null : ((file['clamd'] as Settings['clamd'] | undefined) ?? null),
    ...(file['clamd'] === 'none' ? { withoutClamd: true } : {}),
    examiners: (file['examiners'] as number | undefined) ?? Math.min(availableParallelism(), 8),
    decode: (file['decode'] as Settings['decode'] | undefined) ?? 'never',
    privateSOPClasses: (file['privateSOPClasses'] as string[] | undefined) ?? [],
    worklist: (file['worklist'] as Settings['worklist'] | undefined) ?? null,
  };
}

function parse(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        data: { type: 'string' }, host: { type: 'string' }, config: { type: 'string' },
        'dimse-port': { type: 'string' }, 'dimse-tls-port': { type: 'string' }, 'https-port': { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    throw refused('argument-invalid', `${(error as Error).message}\n\n${usage}`);
  }
}

function readConfiguration(path: string): Record<string, unknown> {
  let file: unknown;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refused('configuration-invalid', `The configuration file ${path} cannot be read: ${(error as Error).message}`);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) throw refused('configuration-invalid', `The configuration file ${path} must hold one JSON object`);
  for (const [key, value] of Object.entries(file)) {
    const rule = Object.hasOwn(configurable, key) ? configurable[key] : undefined;
    if (rule === undefined) throw refused('configuration-invalid', `${path}: there is no setting '${key}'; known are ${Object.keys(configurable).join(', ')}`);
    if (!rule[0](value)) throw refused('configuration-invalid', `${path}: '${key}' must be ${rule[1]}`);
  }
  return file as Record<string, unknown>;
}
