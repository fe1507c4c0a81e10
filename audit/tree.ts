/**
 * The Merkle tree of RFC 6962 §2.1 over the entries of the log: SHA-256, leaf = H(0x00 || entry), node = H(0x01 || left || right).
 *
 * Growing it needs only the roots of the complete subtrees ("peaks"), one for each bit that is set in the number of entries.
 */
import { hash } from 'node:crypto';

const leafPrefix = Buffer.of(0x00);
const nodePrefix = Buffer.of(0x01);
export const hashBytes = 32;

/** RFC 6962: the hash of no entries is the hash of nothing. */
export const emptyRoot: Buffer = hash('sha256', '', 'buffer');

export function leafHash(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([leafPrefix, entry]), 'buffer');
}
function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([nodePrefix, left, right]), 'buffer');
}

export class Tree {
  #size = 0;
  /** Largest subtree first. */
  readonly #peaks: Buffer[] = [];

  /** Continues from the peaks of an earlier tree. */
  static of(size: number, peaks: readonly Buffer[]): Tree {
    const tree = new Tree();
    tree.#size = size;
    tree.#peaks.push(...peaks);
    return tree;
  }

  get size(): number {
    return this.#size;
  }
  get peaks(): readonly Buffer[] {
    return this.#peaks;
  }

  push(leaf: Buffer): void {
    let node = leaf;
    // As many merges as there are trailing ones in the size: a carry in binary counting.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) node = nodeHash(this.#peaks.pop()!, node);
    this.#peaks.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    if (this.#peaks.length === 0) return emptyRoot;
    return this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }

  copy(): Tree {
    return Tree.of(this.#size, this.#peaks);
  }
}

/** How many complete subtrees a tree of `size` entries has. */
export function peakCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
