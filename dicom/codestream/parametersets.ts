/** How large the pictures of a video are, by its sequence parameter set: H.264 §7.3.2.1.1, H.265 §7.3.2.2. */
import { Bits, withoutEmulation } from './bits.ts';

export interface PictureSize {
  readonly columns: number;
  readonly rows: number;
  readonly bits: number;
}

/** Profiles of H.264 whose parameter sets say the chroma format. */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Of a whole NAL unit of type 7 (or 15); null where it cannot be read. */
export function h264Size(unit: Uint8Array): PictureSize | null {
  const bits = new Bits(withoutEmulation(unit), 1);
  const profile = bits.read(8);
  bits.skip(16);
  bits.unsigned();
  let chroma = 1;
  let depth = 8;
  if (highProfiles.has(profile)) {
    chroma = bits.unsigned();
    if (chroma === 3) bits.skip(1);
    depth = 8 + bits.unsigned();
    bits.unsigned();
    bits.skip(1);
    if (bits.read(1) === 1) skipScaling(bits, chroma === 3 ? 12 : 8);
  }
  bits.unsigned();
  const order = bits.unsigned();
  if (order === 0) bits.unsigned();
  else if (order === 1) {
    bits.skip(1);
    bits.signed();
    bits.signed();
    const cycle = bits.unsigned();
    if (cycle > 255) return null;
    for (let left = cycle; left > 0; left -= 1) bits.signed();
  }
  bits.unsigned();
  bits.skip(1);
  const width = (bits.unsigned() + 1) * 16;
  const mapUnits = bits.unsigned() + 1;
  const frameOnly = bits.read(1);
  if (frameOnly === 0) bits.skip(1);
  bits.skip(1);
  const height = mapUnits * 16 * (2 - frameOnly);
  const crop = [0, 0, 0, 0];
  if (bits.read(1) === 1) for (let side = 0; side < 4; side += 1) crop[side] = bits.unsigned();
  if (bits.isOver || width > 16_384 || height > 16_384) return null;
  const across = chroma === 1 || chroma === 2 ? 2 : 1;
  const down = (chroma === 1 ? 2 : 1) * (2 - frameOnly);
  return { columns: width - across * (crop[0]! + crop[1]!), rows: height - down * (crop[2]! + crop[3]!), bits: depth };
}

function skipScaling(bits: Bits, lists: number): void {
  for (let list = 0; list < lists; list += 1) {
    if (bits.read(1) === 0) continue;
    let last = 8;
    let next = 8;
    for (let index = 0; index < (list < 6 ? 16 : 64) && !bits.isOver; index += 1) {
      if (next !== 0) next = (last + bits.signed() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** Of a whole NAL unit of type 33; null where it cannot be read. */
export function hevcSize(unit: Uint8Array): PictureSize | null {
  const bits = new Bits(withoutEmulation(unit), 2);
  bits.skip(4);
  const layers = bits.read(3);
  bits.skip(1);
  // profile_tier_level (§7.3.3)
  bits.skip(88 + 8);
  const present: [boolean, boolean][] = [];
  for (let layer = 0; layer < layers; layer += 1) present.push([bits.read(1) === 1, bits.read(1) === 1]);
  if (layers > 0) bits.skip(2 * (8 - layers));
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
  bits.unsigned();
  const chroma = bits.unsigned();
  if (chroma === 3) bits.skip(1);
  const width = bits.unsigned();
  const height = bits.unsigned();
  const crop = [0, 0, 0, 0];
  if (bits.read(1) === 1) for (let side = 0; side < 4; side += 1) crop[side] = bits.unsigned();
  const depth = 8 + bits.unsigned();
  if (bits.isOver || width > 16_384 || height > 16_384 || chroma > 3) return null;
  const across = chroma === 1 || chroma === 2 ? 2 : 1;
  const down = chroma === 1 ? 2 : 1;
  return { columns: width - across * (crop[0]! + crop[1]!), rows: height - down * (crop[2]! + crop[3]!), bits: depth };
}
