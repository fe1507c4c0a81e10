/** Passwords, tokens and one-time codes: made, hashed, compared. */
import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { refused, unavailable } from '@lazaret/system/failure.ts';

const argon2Async = promisify(argon2);

/** argon2id of RFC 9106 with OWASP's first choice (19 MiB, 2 passes, 1 lane): some 30 ms here. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
/** Long enough that no list of common passwords reaches it (NIST SP 800-63B asks for 8 with a second factor, 15 alone); at most what a person pastes. */
export const passwordLengthMin = 12;
export const passwordLengthMax = 256;

/** One hash at a time: the keeper's thread pool must stay free for fsync. */
const waitingMax = 32;
let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (waiting >= waitingMax) return Promise.reject(unavailable('sign-in-busy', 'too many people are signing in at once; try again'));
  waiting += 1;
  const run = last.then(() => argon2Async('argon2id', { message: password.normalize('NFKC'), nonce: salt, ...cost }));
  last = run.catch(() => null).finally(() => { waiting -= 1; });
  return run;
}

/** Throws `password-weak` unless the password has a length that takes guessing out of reach. */
export function checkPassword(password: string, name: string): void {
  if (password.length < passwordLengthMin || password.length > passwordLengthMax) throw refused('password-weak', `a password has ${passwordLengthMin} to ${passwordLengthMax} characters`);
  if (password.toLowerCase().includes(name.toLowerCase()) && name.length > 3) throw refused('password-weak', 'the password contains the name');
  if (new Set(password).size < 5) throw refused('password-weak', 'the password repeats too few characters');
}

/** `argon2id$<salt>$<hash>` in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `argon2id$${salt.toString('base64')}$${(await derive(password, salt)).toString('base64')}`;
}

/** Takes the same time whether the name is known (`stored`) or not (null), so that names cannot be told apart. */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, salt = '', hash = ''] = (stored ?? `argon2id$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}`).split('$');
  if (password.length > passwordLengthMax) return false;
  const derived = await derive(password, Buffer.from(salt, 'base64'));
  const expected = Buffer.from(hash, 'base64');
  return expected.length === derived.length && timingSafeEqual(expected, derived) && stored !== null;
}

const tokenPrefix = 'lzr_';

/** A random 256-bit token; the prefix lets scanners for leaked secrets know it. */
export function makeToken(): string {
  return `${tokenPrefix}${randomBytes(32).toString('base64url')}`;
}
export function isToken(text: string): boolean {
  return /^lzr_[A-Za-z0-9_-]{43}$/.test(text);
}
/** What is stored of tokens and codes. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Digits and letters that cannot be mistaken for each other when read aloud (Crockford's base 32). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 80 random bits as four groups of four, for typing from a terminal. */
export function makeCode(): string {
  const text = Array.from(randomBytes(16), (byte) => alphabet[byte & 31]).join('');
  return text.match(/.{4}/g)!.join('-');
}
/** The same code however it was typed. */
export function normalizeCode(text: string): string {
  return text.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1').replace(/[^0-9A-Z]/g, '');
}

/** A password for a new user whom someone else will tell it: 100 random bits. */
export function makePassword(): string {
  return Array.from(randomBytes(20), (byte) => alphabet[byte & 31]!.toLowerCase()).join('').match(/.{5}/g)!.join('-');
}
