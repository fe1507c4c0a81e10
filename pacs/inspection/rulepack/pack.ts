/** A pack as a file: written, and read back by whoever trusts its signer. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { refused } from '@lazaret/system/failure.ts';
import { packBytesMax, type Pack, type Payload } from './contract.ts';
import { checkPayload, invalid } from './payload.ts';
import { signWith, signerOf, type Signature, type Signer } from './signers.ts';

const firstLine = 'lazaret-rulepack 1';
/** Two signatures; one of ML-DSA-87 has 4,627 bytes. */
const headerBytesMax = 32 * 1024;
const signaturesMax = 4;

/** The file of a pack, signed by each of the keys. Throws `rulepack-invalid` where nobody could read it. */
export function encodePack(payload: Payload, privateKeys: readonly KeyObject[]): Buffer {
  const text = Buffer.from(JSON.stringify(checkPayload(payload), null, 1), 'utf8');
  const signatures = privateKeys.map((key) => signWith(key, createPublicKey(key), text));
  const lines = signatures.map(({ algorithm, key, bytes }) => `signature ${algorithm} ${key} ${bytes.toString('base64')}\n`);
  const file = Buffer.concat([Buffer.from(`${firstLine}\n${lines.join('')}\n`), text]);
  if (file.length > packBytesMax) throw invalid(`it has ${file.length} bytes; at most ${packBytesMax} are taken`);
  return file;
}

/**
 * Reads a pack that one of `signers` has signed. Throws `rulepack-unsigned` where none has or a byte is another one than was signed, and
 * `rulepack-invalid` where it is no pack. Nothing of the payload is looked at before its signatures hold.
 */
export function readPack(file: Uint8Array, signers: readonly Signer[]): Pack {
  const { signatures, payload } = splitPack(file);
  const signer = signerOf(payload, signatures, signers);
  if (signer === null) {
    const why = signatures.length === 0 ? 'It is not signed.' : 'No signer that is trusted here has signed it as it is: it was changed, or the key of its signer is not in rule-keys.';
    throw refused('rulepack-unsigned', `The rule pack is not taken. ${why}`);
  }
  return { ...parsePayload(payload), signer: signer.name, sha256: createHash('sha256').update(file).digest('hex') };
}

function parsePayload(payload: Buffer): Payload {
  const text = payload.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('its payload is no JSON');
  }
  // One spelling only: no key twice, no byte that one reader sees and another does not.
  if (!Buffer.from(JSON.stringify(value, null, 1), 'utf8').equals(payload)) throw invalid('its payload is not written in the one way that is taken');
  return checkPayload(value);
}

/** Signatures and payload, unverified: for what names a pack's keys. */
export function splitPack(file: Uint8Array): { readonly signatures: readonly Signature[]; readonly payload: Buffer } {
  if (file.length > packBytesMax) throw invalid(`it has ${file.length} bytes; at most ${packBytesMax} are taken`);
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const end = bytes.subarray(0, headerBytesMax).indexOf('\n\n');
  const lines = end < 0 ? [] : bytes.toString('latin1', 0, end).split('\n');
  if (lines[0] !== firstLine) throw invalid('it does not begin as a rule pack does');
  if (lines.length > signaturesMax + 1) throw invalid(`it has more than ${signaturesMax} signatures`);
  const signatures = lines.slice(1).map((line): Signature => {
    const [, algorithm, key, base64] = /^signature ([a-z0-9-]{1,16}) ([0-9a-f]{16}) ([A-Za-z0-9+/=]{1,16000})$/.exec(line) ?? [];
    if (base64 === undefined) throw invalid('a line before its payload is no signature');
    return { algorithm: algorithm!, key: key!, bytes: Buffer.from(base64, 'base64') };
  });
  return { signatures, payload: bytes.subarray(end + 2) };
}
