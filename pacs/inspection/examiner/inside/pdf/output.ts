/** Bytes that grow within the budget of an object. */
import { LimitReached, type Budget } from '../contract.ts';

export class Output {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;
  readonly #max: number;
  readonly #budget: Budget;

  /** Made out of `packed` bytes. */
  constructor(budget: Budget, packed: number) {
    this.#budget = budget;
    this.#max = budget.roomFor(packed);
  }

  get length(): number {
    return this.#length;
  }

  push(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = byte;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  repeat(byte: number, count: number): void {
    if (this.#length + count > this.#bytes.length) this.#grow(count);
    this.#bytes.fill(byte, this.#length, this.#length + count);
    this.#length += count;
  }

  end(): Buffer {
    this.#budget.takeBytes(this.#length);
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(more: number): void {
    if (this.#length + more > this.#max) {
      this.#budget.takeBytes(this.#length);
      throw new LimitReached('unpacks to more than is looked at');
    }
    const grown = Buffer.allocUnsafe(Math.min(this.#max, Math.max(this.#length + more, this.#bytes.length * 2)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
