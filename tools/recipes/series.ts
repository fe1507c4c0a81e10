/** Whole series of test objects as files: for the benchmark, demonstrations and load. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode, part10, transferSyntaxes, type Element } from './encode.ts';
import { ctSlice, patients, smallReport } from './objects.ts';
import { renderSlice } from './phantom.ts';
import { uidOf } from './recipe.ts';

export interface SeriesOptions {
  readonly slices: number;
  readonly series?: number;
  /** Rows and Columns. */
  readonly size?: number;
  /** Makes the UIDs: another name, other objects. */
  readonly name?: string;
}

/** Elements as a Part 10 file in Explicit VR Little Endian. */
export function fileOf(elements: readonly Element[]): Buffer {
  const value = (tag: string): string => String(elements.find((element) => element[0] === tag)?.[2]);
  return part10({ transferSyntaxUID: transferSyntaxes.explicit, sopClassUID: value('0008,0016'), sopInstanceUID: value('0008,0018'), dataSet: encode(elements) });
}

/** Different pictures that are rendered for many slices; the rest repeat them under other UIDs. */
const picturesMax = 64;

/** Writes CT series, one folder each; answers the paths. */
export function writeSeries(folder: string, { slices, series = 1, size = 512, name = 'series' }: SeriesOptions): string[] {
  const count = Math.min(slices, picturesMax);
  const pictures = Array.from({ length: count }, (_, index) => renderSlice({ rows: size, columns: size, height: count === 1 ? 0 : 0.75 - (1.35 * index) / (count - 1), seed: index + 1 }));
  const paths: string[] = [];
  for (let each = 0; each < series; each++) {
    const at = join(folder, String(each + 1).padStart(3, '0'));
    mkdirSync(at, { recursive: true });
    for (let index = 0; index < slices; index++) {
      const elements = ctSlice({ name: `${name} ${each}`, index, count: slices, size, patient: patients[each % patients.length]!, description: `Head series ${each + 1}`, pixels: pictures[Math.floor((index * count) / slices)]! });
      const path = join(at, `${String(index + 1).padStart(4, '0')}.dcm`);
      writeFileSync(path, fileOf(elements));
      paths.push(path);
    }
  }
  return paths;
}

/** Writes structured reports of some 4 KB; answers the paths. */
export function writeReports(folder: string, { count, name }: { readonly count: number; readonly name: string }): string[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const path = join(folder, `${String(index + 1).padStart(5, '0')}.dcm`);
    const elements = smallReport(`${name} ${index}`, patients[index % patients.length]!).map((element): Element => (element[0] === '0020,000E' ? [element[0], element[1], uidOf(`${name} series ${Math.floor(index / 100)}`)] : element));
    writeFileSync(path, fileOf(elements));
    return path;
  });
}
