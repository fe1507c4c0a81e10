/** MPEG-2 Video (ITU-T H.262 §6.2): start codes that pictures are made of; user data is told. Slices are not decoded. */
import { Bits } from './bits.ts';
import type { Expected, Notes } from './contract.ts';
import { sizeProblem } from './nalunits.ts';
import type { UnitReader } from './startcodes.ts';
import type { UserData } from './userdata.ts';

// prettier-ignore
const code = { picture: 0x00, sliceLast: 0xaf, userData: 0xb2, sequence: 0xb3, extension: 0xb5, end: 0xb7, group: 0xb8 } as const;
/** Longest content after the start code: a sequence header with two matrices, the quantization matrix extension with four. */
const headerBytesMax: Readonly<Record<number, number>> = { [code.picture]: 64, [code.sequence]: 137, [code.extension]: 262, [code.end]: 1, [code.group]: 9 };

export class MPEG2Units implements UnitReader {
  readonly #notes: Notes;
  readonly #user: UserData;
  readonly #expected: Expected | null;
  pictures = 0;
  sequences = 0;

  constructor(notes: Notes, user: UserData, expected: Expected | null) {
    this.#notes = notes;
    this.#user = user;
    this.#expected = expected;
  }

  wanted(first: number): number {
    return first >= 1 && first <= code.sliceLast ? 1 : 4096;
  }

  unit(head: Uint8Array, length: number, at: number): void {
    const first = head[0] ?? code.picture;
    if (first >= 1 && first <= code.sliceLast) return undefined;
    if (first === code.userData) return this.#user.add('user data', head.subarray(1), length - 1, at);
    const most = headerBytesMax[first];
    if (most === undefined) return this.#notes.invalid(at, length, `it has a start code (${first.toString(16).toUpperCase()}) that does not belong in it`);
    if (length > most) return this.#notes.extra(at, length, `a header of its video has ${length} bytes`);
    if (first === code.picture) this.pictures += 1;
    if (first === code.sequence) {
      this.sequences += 1;
      const bits = new Bits(head, 1);
      const [columns, rows] = [bits.read(12), bits.read(12)];
      // The upper bits are in the sequence extension, for sizes that the profiles of DICOM do not have.
      sizeProblem(this.#notes, { columns, rows, bits: 8 }, this.#expected, at, length);
    }
    return undefined;
  }
}
