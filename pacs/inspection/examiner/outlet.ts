/**
 * The parts of an object on their way to engines of other processes (assignment.ts, PartFrame): what was made out of its bytes goes as bytes, what stands
 * in the file as it is goes as a range. Writes as it is called, and stands still where nobody takes it, so that nothing is kept.
 */
import type { ByteSource, MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { encodeFrame } from '@lazaret/system/frames.ts';
import { givenBytesMax, givenPartsMax, partFrameBytesMax, partNameMax, type PartFrame } from '../assignment.ts';
import { rangeInObject } from './place.ts';
import type { Part } from './reading.ts';

export type GivenPart = Pick<Part, 'name' | 'at' | 'tag' | 'outside'>;

export class PartOutlet {
  readonly #id: number;
  readonly #mapped: MappedObject;
  readonly #write: (frame: Buffer) => void;
  #count = 0;
  #bytes = 0;

  constructor(id: number, mapped: MappedObject, write: (frame: Buffer) => void) {
    this.#id = id;
    this.#mapped = mapped;
    this.#write = write;
  }

  give(part: GivenPart, bytes: Uint8Array): void {
    if (!this.#begin(part, bytes.length, false)) return;
    for (let at = 0; at < bytes.length; at += partFrameBytesMax) this.#goOn(bytes.subarray(at, at + partFrameBytesMax));
  }

  /** What stands in `source`, the object or its inflated Data Set. */
  giveRange(part: GivenPart, source: ByteSource, offset: number, length: number): void {
    const verbatim = source === this.#mapped.source;
    if (!this.#begin(part, length, verbatim) || verbatim) return;
    for (let at = 0; at < length; at += partFrameBytesMax) this.#goOn(source.read(offset + at, Math.min(partFrameBytesMax, length - at)));
  }

  /** False for what is not given: nothing, and what is over the limits. The first one over them is still named, so that it is known. */
  #begin(part: GivenPart, bytes: number, verbatim: boolean): boolean {
    const isOver = this.#count > givenPartsMax || this.#bytes > givenBytesMax;
    if (bytes === 0 || isOver) return false;
    this.#count += 1;
    this.#bytes += bytes;
    const head = { name: part.name.slice(0, partNameMax), ...rangeInObject(this.#mapped, part), tag: part.tag ?? '', bytes, verbatim };
    this.#tell({ id: this.#id, part: head });
    return this.#count <= givenPartsMax && this.#bytes <= givenBytesMax;
  }

  #goOn(bytes: Uint8Array): void {
    this.#tell({ id: this.#id, part: null }, bytes);
  }

  #tell(frame: PartFrame, bytes?: Uint8Array): void {
    this.#write(encodeFrame(frame, bytes));
  }
}
