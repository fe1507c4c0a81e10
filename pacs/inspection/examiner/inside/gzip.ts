/**
 * gzip (RFC 1952) inside of documents and containers: every member, every optional field, its checksum, what follows. Packed streams in values
 * of DICOM, where vendors write them in their own ways, are contentbulkpacked.ts's.
 */
import { crc32 } from 'node:zlib';
import { printable, slackBytesMax, solidBytes, type Inner, type Opening } from './contract.ts';
import { inflate } from './deflate.ts';

/** One is usual; pigz and bgzip write one a block of 64 KiB. */
const membersMax = 4096;

const flag = { check: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

export function* openGzip({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  let at = 0;
  for (let member = 0; at + 18 <= bytes.length && bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8; member += 1) {
    budget.step();
    if (member >= membersMax) return say('part-limit', `has more than ${membersMax} members`);
    const flags = bytes[at + 3]!;
    if ((flags & flag.reserved) !== 0) return say('container-unscannable', 'has flags that the format does not know');
    let data = at + 10;
    if ((flags & flag.extra) !== 0) {
      const length = data + 2 <= bytes.length ? bytes.readUInt16LE(data) : 0;
      yield { name: `the extra field of member ${member + 1}`, bytes: bytes.subarray(data + 2, data + 2 + length) };
      data += 2 + length;
    }
    let label = `member ${member + 1}`;
    for (const field of [flag.name, flag.comment]) {
      if ((flags & field) === 0) continue;
      const end = bytes.indexOf(0, data);
      if (end < 0) return say('container-unscannable', 'ends in its header');
      if (field === flag.name) label = `part ${printable(bytes.toString('latin1', data, Math.min(end, data + 300)))}`;
      else yield { name: `the comment of member ${member + 1}`, bytes: bytes.subarray(data, end) };
      data = end + 1;
    }
    if ((flags & flag.check) !== 0) data += 2;
    if (data >= bytes.length) return say('container-unscannable', 'ends in its header');
    const { output, consumed, ended } = inflate(bytes.subarray(data), 'raw', budget);
    if (ended === 'limit') return say('part-limit', 'unpacks to more than is looked at');
    if (output.length > 0) yield { name: label, bytes: output };
    if (ended !== 'complete') return say('container-unscannable', ended === 'truncated' ? 'ends too early' : 'cannot be unpacked');
    const trailer = data + consumed;
    if (trailer + 8 > bytes.length) return say('container-unscannable', 'ends too early');
    if (bytes.readUInt32LE(trailer) !== crc32(output) || bytes.readUInt32LE(trailer + 4) !== output.length % 2 ** 32) return say('container-unscannable', 'does not have the checksum that it says');
    at = trailer + 8;
  }
  yield* behind(bytes.subarray(at), say);
}

function* behind(rest: Buffer, say: Opening['say']): Generator<Inner, void, void> {
  const solid = solidBytes(rest);
  if (solid === 0) return;
  yield { name: 'what follows', bytes: rest };
  if (solid > slackBytesMax) say('part-unaccounted', `is followed by ${rest.length} bytes that do not belong to it`);
}
