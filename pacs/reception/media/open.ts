/** Which reader a medium is for: by its bytes, in the order in which an operating system would try. */
import { Device, MediumError } from './device.ts';
import { openFAT } from './fat.ts';
import { openDisc } from './disc.ts';
import { FolderVolume } from './folder.ts';
import { isObject } from './sniff.ts';
import { entryOf, nameOf, Notes, Unreadable, type Entry, type Piece, type Volume } from './volume.ts';
import { UploadVolume } from './upload.ts';
import { openZIP } from './zip.ts';

/** File systems that are told apart only to say what to do with them. */
const others: readonly (readonly [at: number, magic: string, name: string])[] = [
  [3, 'EXFAT   ', 'an exFAT file system'], [3, 'NTFS    ', 'an NTFS file system'], [32, 'NXSB', 'an APFS file system'], [1024, 'H+', 'an HFS+ file system'], [1024, 'HX', 'an HFS+ file system'],
  [1080, '\x53\xef', 'a Linux file system'], [0, 'Rar!', 'a RAR archive'], [0, '7z\xbc\xaf\x27\x1c', 'a 7z archive'], [0, '\x1f\x8b', 'a gzip archive'], [257, 'ustar', 'a TAR archive'],
];

/** One DICOM file without anything around it. */
class SingleFile implements Volume {
  readonly kind = 'folder';
  readonly label: string;
  readonly identifier = '';
  readonly notes = new Notes();
  readonly #device: Device;

  constructor(device: Device, label: string) {
    this.#device = device;
    this.label = label;
  }

  entries(): Entry[] {
    const { length } = this.#device;
    return [entryOf(nameOf(this.label), length, 0, 'file', [{ offset: 0, length }], '')];
  }

  pieces(entry: Entry): Iterable<Piece> {
    return this.#device.pieces(entry.extents, entry.bytes);
  }

  close(): void {
    this.#device.close();
  }
}

export function openFolder(path: string, label: string): Volume {
  return new FolderVolume(path, label);
}

/** An upload of the desk page (contract.ts), which may still be coming. */
export function openUpload(path: string, label: string): Volume {
  return new UploadVolume(path, label);
}

/** Throws Unreadable with a sentence for people. */
export function openImage(descriptor: number, length: number, label: string): Volume {
  const device = new Device(descriptor, length);
  let start: Buffer;
  try {
    const volume = openZIP(device, label) ?? openDisc(device) ?? openFAT(device);
    if (volume !== null) return volume;
    start = length === 0 ? Buffer.alloc(0) : device.read(0, Math.min(length, 2048));
  } catch (error) {
    if (error instanceof MediumError) throw new Unreadable(`Its beginning cannot be read: ${error.message}.`);
    throw error;
  }
  // A single object that somebody saved: a medium of one file.
  if (isObject(start)) return new SingleFile(device, label);
  const known = others.find(([at, magic]) => start.length >= at + magic.length && start.toString('latin1', at, at + magic.length) === magic);
  if (known !== undefined) throw new Unreadable(`It is ${known[2]}, which cannot be read without mounting or unpacking it: do that, and import the folder.`);
  throw new Unreadable('It is no image of a disc or stick that is known here, and no ZIP file. A medium that the system can mount is imported as a folder.');
}
