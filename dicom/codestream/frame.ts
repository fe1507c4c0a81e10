/** Which walker is for which Transfer Syntax, and what holds for the frames of all of them. */
import type { TransferSyntax } from '../dataset/transfersyntaxes.ts';
import type { ReaderTools } from '../filemap/contract.ts';
import type { Expected, Walker } from './contract.ts';
import { walkDeflate, walkUncompressed } from './deflate.ts';
import { walkJPEG } from './jpeg.ts';
import { walkJPEG2000 } from './jpeg2000.ts';
import { walkJPEGXL } from './jpegxl.ts';
import { walkRLE } from './rle.ts';
import type { Stream } from './stream.ts';
import { walkVideo } from './video.ts';

/** Frame headers by Transfer Syntax (PS3.5 A.4.1; T.81 Table B.1): the processes that it names. Eight bits of Extended are
 * Baseline with more tables: writers and readers take one for the other. */
// prettier-ignore
const processes: Readonly<Record<string, readonly number[]>> = {
  '50': [0xc0, 0xc1], '51': [0xc0, 0xc1], '52': [0xc9], '53': [0xc2], '54': [0xca], '55': [0xc2], '56': [0xca], '57': [0xc3], '58': [0xcb], '70': [0xc3],
  '59': [0xc0, 0xc1, 0xc5], '60': [0xc9, 0xcd], '61': [0xc2, 0xc6], '62': [0xca, 0xce], '63': [0xc2, 0xc6], '64': [0xca, 0xce], '65': [0xc3, 0xc7], '66': [0xcb, 0xcf],
};
/** Stereo High Profile (PS3.5 A.4.9): the units of the second view are shown. */
const stereo = new Set(['1.2.840.10008.1.2.4.106', '1.2.840.10008.1.2.4.106.1']);
const hierarchical = new Set(['59', '60', '61', '62', '63', '64', '65', '66']);

/** The walker for frames of a Transfer Syntax; null where its frames are not streams of their own. `tools` inflates. */
export function walkerOf(syntax: TransferSyntax, tools: ReaderTools): Walker | null {
  const last = syntax.uid.slice(syntax.uid.lastIndexOf('.') + 1);
  switch (syntax.codec) {
    case 'uncompressed':
      return walkUncompressed;
    case 'deflate':
      return walkDeflate(tools);
    case 'rle':
      return walkRLE;
    case 'jpeg':
    case 'jpeg-lossless':
      return walkJPEG({ frames: processes[last] ?? [], isLS: false, isHierarchical: hierarchical.has(last) });
    case 'jpeg-ls':
      return walkJPEG({ frames: [0xf7], isLS: true, isHierarchical: false });
    case 'jpeg-2000':
    case 'htj2k':
      return walkJPEG2000({ isHT: syntax.codec === 'htj2k' });
    case 'jpeg-xl':
      return walkJPEGXL;
    case 'mpeg-2':
    case 'h264':
    case 'hevc':
      return walkVideo({ codec: syntax.codec, isStereo: stereo.has(syntax.uid) });
    default:
      return null;
  }
}

/** Granted to every frame: headers, tables, a thumbnail. */
const roomBytesFree = 256 * 1024;
/** Noise grows when it is compressed, by an eighth at most. */
const roomRatioMax = 1.5;

/** Null, or that the frame takes more room than its pixels could need: what is not decoded is bounded. */
export function roomProblem(stream: Stream, expected: Expected | null): string | null {
  if (expected === null) return null;
  const native = Math.ceil((expected.rows * expected.columns * expected.samples * expected.bitsAllocated) / 8);
  return stream.length > native * roomRatioMax + roomBytesFree ? `it has ${stream.length} bytes where its pixels have ${native} before compression` : null;
}

