/** A DICOMDIR (PS3.3 Annex F, PS3.10 §8) read as a hint: what it lists, set against what is there. Nothing is opened by what it says. */
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import type { ReaderTools } from '@lazaret/dicom/filemap/contract.ts';
import { multiFrameReaderLimits } from '@lazaret/dicom/filemap/limits.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { directoryTextsMax, type DirectoryReport } from './contract.ts';
import { nameOf } from './volume.ts';

/** 20,000 images with icons are some 200 MB, without them 15 MB. */
export const directoryBytesMax = 64 * 1024 * 1024;
const tags = { records: 0x00041220, fileID: 0x00041500, instanceInFile: 0x00041511 } as const;
const uidBytesMax = 64;
const fileIDBytesMax = 512;

export interface Listed {
  /** Names with / between them, as the directory has them. */
  readonly path: string;
  readonly sopInstanceUID: string;
}
export interface DirectoryContent {
  readonly listed: readonly Listed[];
  readonly problem: string;
}

/** A DICOMDIR is Explicit VR Little Endian (PS3.10 §8.6): nothing in it is inflated. */
const noInflating: ReaderTools = { inflateRaw: () => ({ output: new BytesSource(new Uint8Array(0)), consumed: 0, ended: 'invalid' }) };

/** What it lists, as far as it can be read. Never throws. */
export function readDirectory(bytes: Uint8Array): DirectoryContent {
  let mapped;
  try {
    mapped = mapObject(new BytesSource(bytes), noInflating, multiFrameReaderLimits);
  } catch {
    return { listed: [], problem: 'it cannot be read' };
  }
  const { elements, dataSetSource } = mapped;
  const text = (index: number, max: number): string => {
    const length = elements.valueLengths[index]!;
    if (length > max) return '';
    try {
      return Buffer.from(dataSetSource.read(elements.valueOffsets[index]!, length)).toString('latin1').replace(/[\0 ]+$/, '');
    } catch {
      return '';
    }
  };
  const listed: Listed[] = [];
  let sequence = -1;
  let item = -1;
  let path = '';
  let sopInstanceUID = '';
  const end = (): void => {
    if (path !== '') listed.push({ path, sopInstanceUID });
    path = '';
    sopInstanceUID = '';
  };
  for (let index = 0; index < elements.count; index += 1) {
    if (elements.depths[index] === 0) {
      if (elements.tags[index] === tags.records) sequence = index;
      continue;
    }
    if (sequence < 0 || elements.parents[index] !== sequence) continue;
    if (elements.items[index] !== item) {
      end();
      item = elements.items[index]!;
    }
    if (elements.tags[index] === tags.fileID) path = text(index, fileIDBytesMax).split('\\').map((component) => nameOf(component.trim())).join('/');
    else if (elements.tags[index] === tags.instanceInFile) sopInstanceUID = text(index, uidBytesMax);
  }
  end();
  const severe = mapped.problems.find((problem) => problem.code === 'element-limit' || problem.code === 'object-truncated' || problem.code === 'item-limit');
  return { listed, problem: sequence < 0 ? 'it lists nothing' : (severe?.text ?? '') };
}

/** Names as different systems show the same one: without case, without the version and the dot at its end that ISO 9660 writes. */
export function plainPath(path: string): string {
  return path.split('/').map((name) => name.replace(/;\d+$/, '').replace(/\.$/, '').toLowerCase()).join('/');
}

/** `files`: every file of the medium; `objects`: the SOP Instance UID that the meta information of each object names, "" where there is none. */
export function compareDirectory(path: string, content: DirectoryContent, files: ReadonlySet<string>, objects: ReadonlyMap<string, string>): DirectoryReport {
  // A DICOMDIR speaks of what lies beside and below it; on a stick there may be several.
  const folder = path.includes('/') ? `${plainPath(path.slice(0, path.lastIndexOf('/')))}/` : '';
  const absent: string[] = [];
  const different: string[] = [];
  const listed = new Set<string>();
  for (const each of content.listed) {
    const plain = `${folder}${plainPath(each.path)}`;
    listed.add(plain);
    if (!files.has(plain)) absent.push(each.path);
    else {
      const found = objects.get(plain);
      if (each.sopInstanceUID !== '' && found !== undefined && found !== '' && found !== each.sopInstanceUID) different.push(each.path);
    }
  }
  const unlisted = [...objects.keys()].filter((object) => object.startsWith(folder) && !listed.has(object));
  const some = (paths: readonly string[]): string[] => paths.slice(0, directoryTextsMax);
  return {
    path, listed: content.listed.length, absent: some(absent), absentCount: absent.length, unlisted: some(unlisted), unlistedCount: unlisted.length,
    different: some(different), differentCount: different.length, problem: content.problem,
  };
}
