/**
 * Media by recipe: what a hospital hands over, as folders, ISO 9660 (plain, Joliet), UDF, FAT16 and ZIP, in bytes. The writers share nothing with the readers of
 * pacs/reception/media. Nothing on them can run: programs are inert headers, EICAR is put together when asked for.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { encode, part10, transferSyntaxes, type Item } from './encode.ts';
import { eicar, pe } from './inert.ts';
import { ctSlice, patients, sopClasses, type Patient } from './objects.ts';
import { renderSlice } from './phantom.ts';
import { uidOf } from './recipe.ts';
import { fileOf } from './series.ts';

export interface MediumFile {
  /** With / between names. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface SlicesOptions {
  readonly name: string;
  readonly count: number;
  readonly patient?: Patient;
  readonly size?: number;
  readonly folder?: string;
}

/** Slices under names as discs have them: DICOM/PAT00001/IM000001. */
export function slices({ name, count, patient = patients[0]!, size = 64, folder = 'DICOM/PA000001' }: SlicesOptions): MediumFile[] {
  return Array.from({ length: count }, (_, index) => {
    const pixels = renderSlice({ rows: size, columns: size, height: 0.5 - index / count, seed: index + 1 });
    return { path: `${folder}/IM${String(index + 1).padStart(6, '0')}`, bytes: fileOf(ctSlice({ name, index, count, size, patient, pixels })) };
  });
}

/** A DICOMDIR that lists image records, by path and SOP Instance UID. Offsets between records are left at 0: nothing here follows them. */
export function dicomdir(listed: readonly { readonly path: string; readonly sopInstanceUID: string; readonly sopClassUID?: string }[], name = 'directory'): Buffer {
  const records: Item[] = listed.map(({ path, sopInstanceUID, sopClassUID = sopClasses.ct }) => [
    ['0004,1400', 'UL', 0], ['0004,1410', 'US', 0xffff], ['0004,1420', 'UL', 0], ['0004,1430', 'CS', 'IMAGE'], ['0004,1500', 'CS', path.split('/').join('\\')],
    ['0004,1510', 'UI', sopClassUID], ['0004,1511', 'UI', sopInstanceUID], ['0004,1512', 'UI', transferSyntaxes.explicit],
  ]);
  const dataSet = encode([['0004,1130', 'CS', 'LAZARET'], ['0004,1200', 'UL', 0], ['0004,1202', 'UL', 0], ['0004,1212', 'US', 0], ['0004,1220', 'SQ', records]]);
  return part10({ transferSyntaxUID: transferSyntaxes.explicit, sopClassUID: sopClasses.mediaStorageDirectory, sopInstanceUID: uidOf(name), dataSet });
}

/** SOP Instance UID of one of `slices`. */
export function sliceUID(file: MediumFile): string {
  const at = file.bytes.indexOf(Buffer.from([0x08, 0x00, 0x18, 0x00, 0x55, 0x49]));
  return file.bytes.toString('latin1', at + 8, at + 8 + file.bytes.readUInt16LE(at + 6)).replace(/\0$/, '');
}

/** What lies beside the images of nearly every disc. */
export function companions(): MediumFile[] {
  return [
    { path: 'AUTORUN.INF', bytes: Buffer.from('[autorun]\r\nopen=VIEWER\\VIEWER.EXE\r\n') }, { path: 'README.TXT', bytes: Buffer.from('Open the viewer to see the images.\r\n') },
    { path: 'VIEWER/VIEWER.EXE', bytes: Buffer.concat([pe(), Buffer.alloc(4_000, 7)]) }, { path: 'INDEX.HTM', bytes: Buffer.from('<html><script>location="VIEWER"</script></html>') },
  ];
}

/** A disc as it should be: images, a directory that is right, a viewer. */
export function cleanDisc(name: string, count = 6, patient: Patient = patients[0]!): MediumFile[] {
  const images = slices({ name, count, patient });
  return [{ path: 'DICOMDIR', bytes: dicomdir(images.map((image) => ({ path: image.path, sopInstanceUID: sliceUID(image) })), name) }, ...images, ...companions()];
}

/** The disc of 2001: a viewer and an object carry what every engine calls malicious. */
export function infectedDisc(name: string): MediumFile[] {
  const disc = cleanDisc(name);
  const object = slices({ name: `${name} infected`, count: 1, folder: 'DICOM/PA000002' })[0]!;
  // In the preamble, where it would be neutralised if it were only odd.
  object.bytes.set(eicar(), 0);
  return [...disc.filter(({ path }) => path !== 'VIEWER/VIEWER.EXE'), object, { path: 'VIEWER/VIEWER.EXE', bytes: Buffer.concat([pe(), eicar()]) }];
}

/** As files under a folder. */
export function writeFolder(folder: string, files: readonly MediumFile[]): void {
  for (const { path, bytes } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

/** What to get wrong on purpose in one entry of a ZIP file. */
export interface ZIPQuirk {
  readonly encrypted?: boolean;
  readonly method?: number;
  /** Declared in both headers instead of the true length. */
  readonly length?: number;
  readonly crc?: number;
  /** The directory points here instead of at its local header. */
  readonly at?: number;
  /** Another name in the local header. */
  readonly localName?: string;
}

/** A ZIP file, deflated. */
export function zip(files: readonly (MediumFile & { readonly quirk?: ZIPQuirk })[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { path, bytes, quirk = {} } of files) {
    const name = Buffer.from(path, 'utf8');
    const packed = deflateRawSync(bytes);
    const header = (signature: number, lead: number, own: Buffer): Buffer => {
      const head = Buffer.alloc(26 + lead);
      head.writeUInt32LE(signature, 0);
      head.writeUInt16LE(20, lead);
      head.writeUInt16LE(0x800 | (quirk.encrypted === true ? 1 : 0), lead + 2);
      head.writeUInt16LE(quirk.method ?? 8, lead + 4);
      head.writeUInt16LE((44 << 9) | (6 << 5) | 1, lead + 8);
      head.writeUInt32LE(quirk.crc ?? crc32(bytes), lead + 10);
      head.writeUInt32LE(packed.length, lead + 14);
      head.writeUInt32LE(quirk.length ?? bytes.length, lead + 18);
      head.writeUInt16LE(own.length, lead + 22);
      return head;
    };
    const localName = Buffer.from(quirk.localName ?? path, 'utf8');
    const local = Buffer.concat([header(0x04034b50, 4, localName), localName, packed]);
    const tail = Buffer.alloc(16);
    tail.writeUInt32LE(quirk.at ?? at, 12);
    directory.push(header(0x02014b50, 6, name).subarray(0, 32), tail.subarray(2), name);
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
