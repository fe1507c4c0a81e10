/** tar: v7, ustar, GNU and pax (POSIX.1-1988, -2001). Every header's checksum counts; links, devices and names that lead elsewhere are told. */
import { printable, solidBytes, type Inner, type Opening } from './contract.ts';

const blockBytes = 512;
const entriesMax = 10_000;

export function* openTar({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  let at = 0;
  let longName = '';
  for (let count = 0; at + blockBytes <= bytes.length; count += 1) {
    budget.step();
    const header = bytes.subarray(at, at + blockBytes);
    if (header.every((byte) => byte === 0)) break;
    if (count >= entriesMax) return say('part-limit', `has more than ${entriesMax} entries`);
    if (!hasChecksum(header)) {
      say('container-unscannable', 'has a damaged entry');
      yield { name: 'what cannot be read of it', bytes: bytes.subarray(at) };
      return;
    }
    const size = numberOf(header.subarray(124, 136));
    const end = at + blockBytes + size;
    if (!Number.isSafeInteger(size) || end > bytes.length) {
      say('container-unscannable', 'ends inside an entry');
      yield { name: 'what is left of it', bytes: bytes.subarray(at + blockBytes) };
      return;
    }
    const content = bytes.subarray(at + blockBytes, end);
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textOf(header.subarray(345, 500)) : '';
    const name = longName || (prefix === '' ? '' : `${prefix}/`) + textOf(header.subarray(0, 100));
    const shown = printable(name);
    const type = String.fromCharCode(header[156]!);
    longName = '';
    switch (type) {
      case '0': case '\0': case '7': case '5':
        if (name.split(/[/\\]/).includes('..') || /^[/\\]|^[A-Za-z]:/.test(name)) say('container-unscannable', `has an entry that would be put elsewhere (${shown})`);
        if (content.length > 0) yield { name: `part ${shown}`, bytes: content };
        break;
      case 'L': case 'K':
        longName = type === 'L' ? textOf(content.subarray(0, 4096)) : '';
        break;
      case 'x': case 'g':
        longName = type === 'x' ? paxPath(content) : '';
        yield { name: 'the description of an entry', bytes: content };
        break;
      case '1': case '2':
        say('container-unscannable', `has an entry that is a link (${shown})`);
        break;
      default:
        say('container-unscannable', `has an entry that is no file (${shown})`);
        if (content.length > 0) yield { name: `part ${shown}`, bytes: content };
    }
    const padded = at + blockBytes + Math.ceil(size / blockBytes) * blockBytes;
    const slack = bytes.subarray(end, Math.min(padded, bytes.length));
    if (solidBytes(slack) > 0) {
      say('part-unaccounted', `has bytes behind an entry (${shown})`);
      yield { name: `what follows ${shown}`, bytes: slack };
    }
    at = padded;
  }
  const rest = bytes.subarray(Math.min(at, bytes.length));
  if (solidBytes(rest) === 0) return;
  say('part-unaccounted', `is followed by ${rest.length} bytes that do not belong to it`);
  yield { name: 'what follows', bytes: rest };
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function hasChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < blockBytes; at += 1) sum += at >= 148 && at < 156 ? 0x20 : header[at]!;
  return numberOf(header.subarray(148, 156)) === sum;
}

/** Octal digits, or base 256 where the first bit is set (GNU). */
function numberOf(field: Buffer): number {
  if ((field[0]! & 0x80) !== 0) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
  const text = textOf(field).trim();
  return text === '' ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

/** `path` of "NN path=value\n" records. */
function paxPath(content: Buffer): string {
  const found = /(?:^|\n)\d{1,7} path=([^\n]{1,4096})\n/.exec(content.toString('latin1', 0, Math.min(content.length, 65_536)));
  return found?.[1] ?? '';
}
