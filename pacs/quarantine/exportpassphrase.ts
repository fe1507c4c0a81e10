/**
 * Passphrases of exports. A ZIP's key is derived with 1,000 rounds of PBKDF2 (WinZip AE-2), which slows nobody down: the passphrase itself must be too long to
 * try. One is made here, or somebody's own is taken where it is long enough.
 */
import { randomInt } from 'node:crypto';
import { refused } from '@lazaret/system/failure.ts';

/** Without what looks alike when it is read out on the phone: I, L, O, 0, 1. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const groups = 5;
const groupLetters = 5;

const charactersMin = 16;
const charactersMax = 128;
/** sixteen times the same letter is no passphrase. */
const distinctMin = 8;

/** 25 letters and digits, 123 bits. */
export function newPassphrase(): string {
  return Array.from({ length: groups }, () => Array.from({ length: groupLetters }, () => alphabet[randomInt(alphabet.length)]!).join('')).join('-');
}

/** Somebody's own; throws `passphrase-weak` with what it lacks. ASCII, since programs differ on how others are encoded in a ZIP. */
export function checkPassphrase(text: string): string {
  const weak = (why: string): never => { throw refused('passphrase-weak', `This passphrase cannot be taken: ${why}. Leave it out, and one is made.`); };
  if (!/^[\x20-\x7e]*$/.test(text)) weak('it has characters that programs for ZIP files read differently; use letters, digits and punctuation of the English keyboard');
  if (text.length < charactersMin || text.length > charactersMax) weak(`it needs at least ${charactersMin} characters (and at most ${charactersMax}), better several words`);
  if (new Set(text.toLowerCase()).size < distinctMin) weak(`it needs at least ${distinctMin} different characters`);
  return text;
}
