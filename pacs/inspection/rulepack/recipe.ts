/** Samples of a pack's tests, assembled from their parts: only in memory, and only in the sandbox. */
import { refused } from '@lazaret/system/failure.ts';
import { partsMax, sampleBytesMax, type Sample } from './contract.ts';

/** The bytes of a sample. Throws `rulepack-invalid` where it cannot be made or would be larger than any sample has to be. */
export function assemble(sample: Sample): Buffer {
  if (sample.parts.length > partsMax) throw refused('rulepack-invalid', `the sample '${sample.name}' has more than ${partsMax} parts`);
  let bytes = 0;
  const made = sample.parts.map((part) => {
    const piece = pieceOf(part, sampleBytesMax - bytes);
    if (piece === null || (bytes += piece.length) > sampleBytesMax) throw refused('rulepack-invalid', `the sample '${sample.name}' cannot be assembled from '${part.slice(0, 40)}'`);
    return piece;
  });
  return Buffer.concat(made);
}

function pieceOf(part: string, room: number): Buffer | null {
  const at = part.indexOf(':');
  const content = part.slice(at + 1);
  switch (part.slice(0, at)) {
    case 'text': return Buffer.from(content, 'latin1');
    case 'wide': return Buffer.from(content, 'utf16le');
    case 'base64': return Buffer.from(Buffer.from(content, 'latin1').toString('base64'), 'latin1');
    case 'hex': {
      const digits = content.replaceAll(' ', '');
      return /^([0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : null;
    }
    case 'zeros': return /^\d{1,6}$/.test(content) && Number(content) <= room ? Buffer.alloc(Number(content)) : null;
    default: return null;
  }
}
