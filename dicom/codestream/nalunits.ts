/**
 * NAL units of H.264 (ITU-T H.264 §7.4.1) and HEVC (H.265 §7.4.2): those that pictures are made of, and the sizes that they say; user data is
 * told, other types are room that no decoder looks at. Slices are not decoded.
 */
import { withoutEmulation } from './bits.ts';
import type { Expected, Notes } from './contract.ts';
import { h264Size, hevcSize, type PictureSize } from './parametersets.ts';
import { headBytesMax, type UnitReader } from './startcodes.ts';
import type { UserData } from './userdata.ts';

export type VideoCodec = 'mpeg-2' | 'h264' | 'hevc';

/** Sequence and picture parameter sets: with scaling lists some hundred bytes. */
const parameterBytesMax = 1024;
/** Supplemental information that is no user data: times, film grain, tone maps. */
const supplementalBytesMax = 1024;

type Kind = 'picture' | 'sequence' | 'parameters' | 'supplemental' | 'delimiter' | 'filler' | 'other';

function h264Kind(first: number, isStereo: boolean): Kind {
  const type = first & 31;
  if (type === 1 || type === 5) return 'picture';
  if (type === 7) return 'sequence';
  if (type === 6) return 'supplemental';
  if (type === 8 || type === 13) return 'parameters';
  if (type >= 9 && type <= 11) return 'delimiter';
  if (type === 12) return 'filler';
  if (isStereo && (type === 14 || type === 20)) return 'picture';
  if (isStereo && type === 15) return 'parameters';
  return 'other';
}

function hevcKind(first: number): Kind {
  const type = (first >> 1) & 63;
  if (type <= 9 || (type >= 16 && type <= 21)) return 'picture';
  if (type === 33) return 'sequence';
  if (type === 32 || type === 34) return 'parameters';
  if (type >= 35 && type <= 37) return 'delimiter';
  if (type === 38) return 'filler';
  if (type === 39 || type === 40) return 'supplemental';
  return 'other';
}

export class NALUnits implements UnitReader {
  readonly #notes: Notes;
  readonly #user: UserData;
  readonly #expected: Expected | null;
  readonly #isHEVC: boolean;
  readonly #isStereo: boolean;
  pictures = 0;
  sequences = 0;

  constructor(notes: Notes, user: UserData, expected: Expected | null, codec: 'h264' | 'hevc', isStereo: boolean) {
    this.#notes = notes;
    this.#user = user;
    this.#expected = expected;
    this.#isHEVC = codec === 'hevc';
    this.#isStereo = isStereo;
  }

  kindOf(first: number): Kind {
    return this.#isHEVC ? hevcKind(first) : h264Kind(first, this.#isStereo);
  }

  wanted(first: number): number {
    const kind = this.kindOf(first);
    return kind === 'picture' ? 2 : kind === 'filler' ? headBytesMax : 4096;
  }

  unit(head: Uint8Array, length: number, at: number): void {
    const first = head[0];
    if (first === undefined || length < (this.#isHEVC ? 2 : 1)) return this.#notes.invalid(at, length, 'it has an empty NAL unit');
    if (first >= 0x80) return this.#notes.invalid(at, length, 'it has a NAL unit whose first bit is set');
    // Layers above the base one (H.265 Annex F) are no part of the profiles that DICOM permits: decoders leave them out.
    if (this.#isHEVC && ((first & 1) !== 0 || head[1]! >= 8)) return this.#notes.extra(at, length, 'it has a NAL unit of a layer that is not shown');
    const kind = this.kindOf(first);
    switch (kind) {
      case 'picture':
        this.pictures += 1;
        return undefined;
      case 'sequence':
      case 'parameters':
        this.#user.count(length);
        if (length > parameterBytesMax) return this.#notes.extra(at, length, `a parameter set has ${length} bytes`);
        return kind === 'sequence' ? this.#sequence(head, length, at) : undefined;
      case 'supplemental':
        return this.#supplemental(head, length, at);
      case 'delimiter':
        return length > 3 ? this.#notes.extra(at, length, `a delimiter has ${length} bytes`) : undefined;
      case 'filler': {
        const body = head.subarray(this.#isHEVC ? 2 : 1, length > head.length ? undefined : -1);
        return length > headBytesMax || body.some((byte) => byte !== 0xff) ? this.#notes.extra(at, length, 'filler data holds something') : undefined;
      }
      default:
        return this.#notes.extra(at, length, `it has a NAL unit of type ${this.#isHEVC ? (first >> 1) & 63 : first & 31}, ${length} bytes that no decoder looks at`);
    }
  }

  #sequence(head: Uint8Array, length: number, at: number): void {
    this.sequences += 1;
    const size = this.#isHEVC ? hevcSize(head) : h264Size(head);
    if (size === null) this.#notes.invalid(at, length, 'its sequence parameter set cannot be read');
    else sizeProblem(this.#notes, size, this.#expected, at, length);
  }

  /** SEI messages (H.264 §7.3.2.3, H.265 §7.3.5): type, size, payload, to the stop bit. */
  #supplemental(head: Uint8Array, length: number, at: number): void {
    if (length > head.length) return this.#notes.extra(at, length, `supplemental information has ${length} bytes`);
    const bytes = withoutEmulation(head);
    let position = this.#isHEVC ? 2 : 1;
    while (position < bytes.length && bytes[position] !== 0x80) {
      const [type, size] = [0, 0].map(() => {
        let value = 0;
        while (bytes[position] === 0xff) {
          value += 255;
          position += 1;
        }
        value += bytes[position] ?? 0;
        position += 1;
        return value;
      }) as [number, number];
      if (position + size > bytes.length) return this.#notes.invalid(at, length, 'supplemental information is cut off');
      // User data, registered or not (D.1.6, D.1.7), and what no edition of the standard defines.
      if (type === 4 || type === 5 || type > 205) this.#user.add(`SEI ${type}`, bytes.subarray(position, position + size), size, at);
      else {
        this.#user.count(size);
        if (size > supplementalBytesMax) this.#notes.extra(at, length, `supplemental information of type ${type} has ${size} bytes`);
      }
      position += size;
    }
    if (bytes.length - position > 1) return this.#notes.extra(at, length, `${bytes.length - position} bytes follow supplemental information`);
    return undefined;
  }
}

/** 1,080 lines are coded as 1,088 where the writer does not say that eight are to be cut off: whole macroblocks. */
export function fits(coded: number, said: number): boolean {
  return coded === said || (coded % 16 === 0 && coded > said && coded - said < 16);
}

/** Notes a picture size that is not that of the attributes (which PS3.5 §8.2.7 asks to be consistent). */
export function sizeProblem(notes: Notes, size: PictureSize, expected: Expected | null, at: number, length: number): void {
  if (expected === null) return;
  if (!fits(size.columns, expected.columns) || !fits(size.rows, expected.rows)) notes.invalid(at, length, `it is coded as ${size.columns} × ${size.rows}, the image says ${expected.columns} × ${expected.rows}`);
  else if (size.bits > expected.bitsAllocated) notes.invalid(at, length, `it is coded with ${size.bits} bits, the image has room for ${expected.bitsAllocated}`);
}
