/** Makes a failing input small: pieces are taken out, then zeroed, as long as it still fails. */

/** So many attempts at most: each one is a whole inspection. */
const attemptsMax = 1500;

export function minimised(input: Buffer, fails: (bytes: Buffer) => boolean): Buffer {
  const search = new Search(input, fails);
  for (let size = Math.ceil(input.length / 2); size >= 1 && search.attemptsLeft > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < search.bytes.length && search.attemptsLeft > 0;) {
      if (!search.try(Buffer.concat([search.bytes.subarray(0, at), search.bytes.subarray(at + size)]))) at += size;
    }
  }
  for (let at = 0; at < search.bytes.length && search.attemptsLeft > 0; at += 1) {
    if (search.bytes[at] !== 0) search.try(Buffer.concat([search.bytes.subarray(0, at), Buffer.alloc(1), search.bytes.subarray(at + 1)]));
  }
  return search.bytes;
}

class Search {
  bytes: Buffer;
  attemptsLeft = attemptsMax;
  readonly #fails: (bytes: Buffer) => boolean;

  constructor(bytes: Buffer, fails: (bytes: Buffer) => boolean) {
    this.bytes = bytes;
    this.#fails = fails;
  }

  /** Takes the candidate where it fails as well. */
  try(candidate: Buffer): boolean {
    this.attemptsLeft -= 1;
    if (!this.#fails(candidate)) return false;
    this.bytes = candidate;
    return true;
  }
}
