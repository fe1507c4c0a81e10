/** GE's protocol data block: the length that it says, one gzip stream, and nothing in the stream but a protocol (dicom/private/protocol.ts). */
import { crc32 } from 'node:zlib';
import { linesBesideProtocol, readProtocolBlock } from '@lazaret/dicom/private/protocol.ts';
import { restFrom, type Range } from '@lazaret/dicom/private/record.ts';
import { gzipBodyAt } from './concealed.ts';
import { beginsXML, type PrivateValue } from './contentprivatevalue.ts';
import { slackBytesMax } from './inside/contract.ts';
import { inflate } from './inside/deflate.ts';

/** Lines of other kinds that a release may have which nobody described. */
const otherLinesBytesMax = 4096;
/** The header of the stream, with the name of a file in it. */
const headerBytesMax = 256;
/** Checksum and length (RFC 1952). */
const trailerBytes = 8;

/** What comes out of the stream becomes a part of the object in contentbulkpacked.ts, and is searched and scanned there. */
export function checkProtocol(value: PrivateValue): readonly Range[] {
  const { bytes, budget } = value;
  const block = readProtocolBlock(bytes);
  const body = block === null ? -1 : gzipBodyAt(bytes, block.streamAt);
  // A stream that cannot be unpacked at all is said to be broken there.
  if (block === null || body < 0) return [];
  if (body - block.streamAt > headerBytesMax) value.sayUnexplained([{ offset: block.streamAt, length: body - block.streamAt }], headerBytesMax);
  const { output, consumed, ended } = inflate(bytes.subarray(body), 'raw', budget);
  if (ended === 'limit') value.say('part-limit', 'The protocol unpacks to more than is looked at.');
  if (ended === 'truncated') value.say('private-invalid', 'The packed protocol ends before it is complete.');
  if (ended !== 'complete') return [];
  const end = body + consumed + trailerBytes;
  const isWhole = end <= bytes.length && bytes.readUInt32LE(end - trailerBytes) === crc32(output) && bytes.readUInt32LE(end - 4) === output.length % 2 ** 32;
  if (!isWhole) value.say('private-invalid', 'The packed protocol does not have the checksum that it says.');
  // One byte more pads the stream to an even length.
  else if (block.declared !== null && block.declared !== end - block.streamAt && block.declared !== end + 1 - block.streamAt) value.say('private-invalid', `The protocol says that it is packed into ${block.declared} bytes, and is packed into ${end - block.streamAt}.`);
  value.sayUnexplained(restFrom(Math.min(end, bytes.length), bytes.length), slackBytesMax);
  checkText(value, output);
  return [];
}

function checkText(value: PrivateValue, text: Buffer): void {
  if (beginsXML(text)) {
    value.checkXML(text, 'the protocol', slackBytesMax);
    return;
  }
  const beside = linesBesideProtocol(text);
  if (beside === null) return;
  const total = beside.reduce((sum, { length }) => sum + length, 0);
  const controls = beside.reduce((sum, { offset, length }) => sum + controlsIn(text.subarray(offset, offset + length)), 0);
  if (total > otherLinesBytesMax || controls > slackBytesMax) value.sayUnexplainedIn('the protocol', total);
}

/** Characters that no text has. */
function controlsIn(text: Buffer): number {
  let count = 0;
  for (const byte of text) if (byte < 0x20 && byte !== 0 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) count += 1;
  return count;
}
