/** From what a person drops or chooses to discs: each folder is one, each image or ZIP file is one, loose files together are one. */
import { isImage, isLater } from '@lazaret/pacs/reception/media/contract.ts';

export interface GivenFile {
  /** With / between names, as the browser has it, without the name of the disc. */
  readonly path: string;
  readonly file: File;
}
export interface Disc {
  readonly name: string;
  readonly kind: 'files' | 'image';
  /** What is most likely an image first: that is seen first. */
  readonly files: readonly GivenFile[];
}

const nameCharactersMax = 100;

/** Files of one choice: a folder (they carry its name in their paths), or single ones. */
export function discsOf(files: readonly File[]): Disc[] {
  const folders = new Map<string, GivenFile[]>();
  const loose: File[] = [];
  for (const file of files) {
    const [folder = '', ...rest] = file.webkitRelativePath.split('/');
    if (rest.length === 0) loose.push(file);
    else folders.set(folder, [...(folders.get(folder) ?? []), { path: rest.join('/'), file }]);
  }
  return [...[...folders].map(([name, given]) => disc(name, given)), ...looseDiscs(loose)];
}

function looseDiscs(files: readonly File[]): Disc[] {
  const images = files.filter((file) => isImage(file.name)).map((file): Disc => ({ name: named(file.name), kind: 'image', files: [{ path: file.name, file }] }));
  const rest = files.filter((file) => !isImage(file.name));
  if (rest.length === 0) return images;
  return [...images, disc(rest.length === 1 ? rest[0]!.name : `${rest.length} files`, rest.map((file) => ({ path: file.name, file })))];
}

function disc(name: string, files: readonly GivenFile[]): Disc {
  return { name: named(name), kind: 'files', files: files.toSorted((one, other) => Number(isLater(one.path)) - Number(isLater(other.path))) };
}

/** The root of a drive has no name of its own for some browsers. */
function named(name: string): string {
  return name.replace(/[\\/]+$/, '').trim().slice(0, nameCharactersMax) || 'Disc';
}

/**
 * What was dropped. The entries must be asked for before the event is over, so this is called in the handler and waits afterwards. `found` says how many files have
 * been seen so far: a slow drive takes a while.
 */
export async function dropped(data: DataTransfer, found: (count: number) => void): Promise<Disc[]> {
  const entries = [...data.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
  const plain = [...data.files];
  if (entries.every((entry) => entry === null)) return discsOf(plain);
  const discs: Disc[] = [];
  const loose: File[] = [];
  let count = 0;
  for (const entry of entries) {
    if (entry === null) continue;
    if (!entry.isDirectory) {
      loose.push(await fileOf(entry as FileSystemFileEntry));
      continue;
    }
    const files: GivenFile[] = [];
    for await (const given of walk(entry as FileSystemDirectoryEntry, '')) {
      files.push(given);
      found((count += 1));
    }
    discs.push(disc(entry.name, files));
  }
  return [...discs, ...looseDiscs(loose)];
}

async function* walk(folder: FileSystemDirectoryEntry, path: string): AsyncGenerator<GivenFile> {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a hundred at a time, and none at the end.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      const inside = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory) yield* walk(entry as FileSystemDirectoryEntry, inside);
      else yield { path: inside, file: await fileOf(entry as FileSystemFileEntry) };
    }
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

export function bytesOf({ files }: Disc): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** Knows a disc again when it is given once more: names, lengths and times of all its files. */
export async function keyOf({ name, files }: Disc): Promise<string> {
  const text = files.map(({ path, file }) => `${path}\0${file.size}\0${file.lastModified}`).join('\n');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${name}\n${text}`));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
