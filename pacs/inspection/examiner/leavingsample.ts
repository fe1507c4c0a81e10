/** For tests: an object as an export without the patient makes it (quarantine/exportfile.ts does the same as a stream). */
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { PatchedSource } from '@lazaret/dicom/dataset/patched.ts';
import { fills, otherUID, overwrite } from '../../quarantine/overwriting.ts';
import type { Blanking } from '../../quarantine/requests.ts';

const key = Buffer.alloc(32, 7);

/** The bytes as they leave, by a key of the tests. */
export function leaving(bytes: Uint8Array, { unpacked = [], ranges, patches }: Blanking): Buffer {
  const copy = patched(bytes, unpacked);
  for (let at = 0; at < ranges.length; at += 3) {
    const [from, to, fill] = [ranges[at]!, ranges[at]! + ranges[at + 1]!, fills[ranges[at + 2]!]!];
    if (fill === 'uid') copy.set(otherUID(copy.subarray(from, to), key), from);
    else overwrite(copy, from, to, 0, fill);
  }
  return patched(copy, patches);
}

function patched(bytes: Uint8Array, patches: Blanking['patches']): Buffer {
  const source = new PatchedSource(new BytesSource(bytes), patches.map(({ offset, length, bytes: added }) => ({ offset, length, bytes: Buffer.from(added, 'base64') })));
  return Buffer.from(source.read(0, source.length));
}
