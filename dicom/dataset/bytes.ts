import type { ByteSource } from '../filemap/contract.ts';

/** A ByteSource over bytes that are in memory already. Its views stay valid as long as the bytes do. */
export class BytesSource implements ByteSource {
  readonly bytes: Uint8Array;
  readonly length: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > this.length) {
      throw new RangeError(`range ${offset}+${length} is not inside ${this.length} bytes`);
    }
    return this.bytes.subarray(offset, offset + length);
  }
}
