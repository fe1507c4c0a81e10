/**
 * What lies in a backup folder: the bytes themselves, or with a passphrase sealed bytes.
 *
 * A sealed file: "LZSEAL01", 32 random bytes (salt), then pieces of 64 KiB, each encrypted by AES-256-GCM and followed by its tag of 16 bytes; the last
 * piece is shorter, or empty. The key of a file is HKDF-SHA-256 of the key of the folder with the salt and the file's name; the nonce is the number of the
 * piece (64 bits, big endian, after 3 zero bytes) and one byte that is 1 for the last piece. So no piece can be left out, moved, or brought from
 * another file. The key of the folder is argon2id of the passphrase with the salt and the costs that stand in the folder's marker.
 *
 * The names of sealed files are HMACs of their digests: who has the folder and not the passphrase cannot ask whether a known file is in it.
 */
import { argon2, createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { refused } from '@lazaret/system/failure.ts';

const argon2Async = promisify(argon2);

const magic = Buffer.from('LZSEAL01', 'latin1');
const saltBytes = 32;
const tagBytes = 16;
const pieceBytes = 64 * 1024;
const headBytes = magic.length + saltBytes;
/** RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes. */
const cost = { memory: 65_536, passes: 3, parallelism: 4 } as const;
/** A folder that asks for more is not one of ours: it would only keep the machine busy. */
const costMax = { memory: 1_048_576, passes: 16, parallelism: 16 } as const;
/** Nothing else protects a folder that was carried away. */
export const passphraseLengthMin = 12;
const passphraseLengthMax = 1_024;

export interface Encryption {
  readonly kdf: 'argon2id';
  readonly salt: string;
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  /** Tells a wrong passphrase from damage. */
  readonly check: string;
}

/** How the files of a folder are written and read. */
export interface Coat {
  nameOf(sha256: string): string;
  /** Length on disk of so many bytes. */
  lengthOf(bytes: number): number;
  seal(name: string, source: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** Throws `backup-damaged` in place of the first byte that is not as it was written. */
  open(name: string, source: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
}

export const bare: Coat = { nameOf: (sha256) => sha256, lengthOf: (bytes) => bytes, seal: (_name, source) => source, open: (_name, source) => source };

/** For a new folder. Throws `passphrase-weak`. */
export async function newEncryption(passphrase: string): Promise<{ readonly encryption: Encryption; readonly coat: Coat }> {
  if (passphrase.length < passphraseLengthMin) throw refused('passphrase-weak', `A passphrase has at least ${passphraseLengthMin} characters: it is all that protects a backup that was carried away.`);
  const salt = randomBytes(16);
  const key = await derive(passphrase, salt, cost);
  return { encryption: { kdf: 'argon2id', salt: salt.toString('base64'), ...cost, check: subkey(key, 'check').toString('base64') }, coat: coatOf(key) };
}

/** For a folder that is there. `untrusted` is what its marker says. Throws `passphrase-wrong` or `backup-damaged`. */
export async function coatFor(untrusted: unknown, passphrase: string): Promise<Coat> {
  const value = untrusted as Partial<Encryption> | null;
  const within = (name: keyof typeof costMax): boolean => Number.isSafeInteger(value?.[name]) && value![name]! >= 1 && value![name]! <= costMax[name];
  if (typeof value !== 'object' || value === null || value.kdf !== 'argon2id' || typeof value.salt !== 'string' || typeof value.check !== 'string' || !within('memory') || !within('passes') || !within('parallelism') || value.memory! < 8 * value.parallelism!) {
    throw refused('backup-damaged', 'The marker of the backup folder does not say how it is encrypted in a way that can be.');
  }
  const salt = Buffer.from(value.salt, 'base64');
  if (salt.length !== 16) throw refused('backup-damaged', 'The marker of the backup folder has a salt of another length.');
  const key = await derive(passphrase, salt, { memory: value.memory!, passes: value.passes!, parallelism: value.parallelism! });
  const check = Buffer.from(value.check, 'base64');
  const own = subkey(key, 'check');
  if (check.length !== own.length || !timingSafeEqual(check, own)) throw refused('passphrase-wrong', 'This is not the passphrase of the backup folder.');
  return coatOf(key);
}

function derive(passphrase: string, salt: Buffer, { memory, passes, parallelism }: { memory: number; passes: number; parallelism: number }): Promise<Buffer> {
  if (passphrase.length > passphraseLengthMax) throw refused('passphrase-wrong', `A passphrase has at most ${passphraseLengthMax} characters.`);
  return argon2Async('argon2id', { message: passphrase.normalize('NFKC'), nonce: salt, memory, passes, parallelism, tagLength: 32 });
}

function subkey(key: Buffer, what: string, salt: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `lazaret backup 1 ${what}`, 32));
}

function coatOf(key: Buffer): Coat {
  const names = subkey(key, 'names');
  const files = subkey(key, 'files');
  const fileKey = (name: string, salt: Uint8Array): Buffer => subkey(files, `file ${name}`, salt);
  return {
    nameOf: (sha256) => createHmac('sha256', names).update(sha256, 'latin1').digest('hex'),
    // There is always a last piece, so that an end that was cut off at a piece is seen.
    lengthOf: (bytes) => headBytes + bytes + tagBytes * (Math.floor(bytes / pieceBytes) + 1),
    async* seal(name, source) {
      const salt = randomBytes(saltBytes);
      const own = fileKey(name, salt);
      yield Buffer.concat([magic, salt]);
      let index = 0;
      for await (const { piece, last } of pieces(source, pieceBytes)) {
        const cipher = createCipheriv('aes-256-gcm', own, nonceOf(index++, last));
        yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
      }
    },
    async* open(name, source) {
      let own: Buffer | null = null;
      let index = 0;
      let rest: Buffer = Buffer.alloc(0);
      const parts = pieces(source, pieceBytes + tagBytes, headBytes);
      for await (const { piece, last, head } of parts) {
        if (own === null) {
          if (head.length !== headBytes || !head.subarray(0, magic.length).equals(magic)) throw damagedPiece(name, 0);
          own = fileKey(name, head.subarray(magic.length));
        }
        if (piece.length < tagBytes) throw damagedPiece(name, index);
        const decipher = createDecipheriv('aes-256-gcm', own, nonceOf(index, last), { authTagLength: tagBytes });
        decipher.setAuthTag(piece.subarray(piece.length - tagBytes));
        try {
          rest = Buffer.concat([decipher.update(piece.subarray(0, piece.length - tagBytes)), decipher.final()]);
        } catch {
          throw damagedPiece(name, index);
        }
        index += 1;
        if (rest.length > 0) yield rest;
      }
    },
  };
}

function damagedPiece(name: string, index: number): Error {
  return refused('backup-damaged', `The sealed file ${name} is not as it was written, at piece ${index} (byte ${headBytes + index * (pieceBytes + tagBytes)}).`);
}

function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(index), 3);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Cuts a stream into pieces of one length after a head; the last is shorter, possibly empty. */
async function* pieces(source: AsyncIterable<Buffer>, length: number, headLength = 0): AsyncGenerator<{ readonly piece: Buffer; readonly last: boolean; readonly head: Buffer }> {
  const waiting = Buffer.alloc(headLength + length);
  let filled = 0;
  let head: Buffer | null = headLength === 0 ? Buffer.alloc(0) : null;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const room = (head === null ? headLength : length) - filled;
      const step = Math.min(room, chunk.length - at);
      chunk.copy(waiting, filled, at, at + step);
      filled += step;
      at += step;
      if (step < room) continue;
      if (head === null) head = Buffer.from(waiting.subarray(0, headLength));
      else yield { piece: Buffer.from(waiting.subarray(0, length)), last: false, head };
      filled = 0;
    }
  }
  yield { piece: Buffer.from(waiting.subarray(0, filled)), last: true, head: head ?? Buffer.from(waiting.subarray(0, filled)) };
}
