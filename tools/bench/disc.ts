/** A disc as a hospital hands it over, of invented data and as long as wanted, again and again with other UIDs: for what is measured at the import desk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withElements } from '../recipes/encode.ts';
import { iso } from '../recipes/images.ts';
import { companions, dicomdir, writeFolder } from '../recipes/media.ts';
import { ctSlice } from '../recipes/objects.ts';
import { renderSlice } from '../recipes/phantom.ts';
import { fileOf } from '../recipes/series.ts';
import { fleetOf, marks } from './load.ts';

export interface Disc {
  /** Slices; what else is on it is some kilobytes. */
  readonly slices: number;
  readonly bytes: number;
  /** Its files under a folder, with new UIDs each time. */
  folder(run: string): string;
  /** The same as an ISO 9660 image. */
  image(run: string): string;
}

/** Pictures that slices share: what is measured does not depend on them, and making 1,400 takes minutes. */
const picturesMade = 24;

/** Slices of 525 KB in one series, a DICOMDIR, and what lies beside the images of nearly every disc. `at` must have room for it twice. */
export function discOf(at: string, slices: number): Disc {
  const folder = join(at, 'disc');
  const pictures = Array.from({ length: picturesMade }, (_, index) => renderSlice({ rows: 512, columns: 512, height: 0.7 - index / 18, seed: index }));
  const names = Array.from({ length: slices }, (_, index) => `DICOM/PA000001/IM${String(index + 1).padStart(6, '0')}`);
  mkdirSync(dirname(join(folder, names[0]!)), { recursive: true });
  for (const [index, name] of names.entries()) {
    const slice = ctSlice({ name: 'bench', index, count: slices, pixels: pictures[index % pictures.length]! });
    writeFileSync(join(folder, name), fileOf(withElements(slice, ['0008,0018', 'UI', marks.instance(index)], ['0020,000D', 'UI', marks.study], ['0020,000E', 'UI', marks.series], ['0010,0020', 'LO', marks.patient])));
  }
  const beside = [{ path: 'DICOMDIR', bytes: dicomdir(names.map((path, index) => ({ path, sopInstanceUID: marks.instance(index) }))) }, ...companions()];
  writeFolder(folder, beside);
  const fleet = fleetOf(names.map((name) => join(folder, name)), 1);
  return {
    slices, bytes: fleet.bytes,
    folder: (run) => {
      fleet.rename(run);
      return folder;
    },
    image: (run) => {
      fleet.rename(run);
      const path = join(at, 'DISC.ISO');
      writeFileSync(path, iso([...beside, ...names.map((name) => ({ path: name, bytes: readFileSync(join(folder, name)) }))], { joliet: false }));
      return path;
    },
  };
}
