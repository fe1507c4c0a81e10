/** What mutations begin with: sound and hostile objects by recipe, one for each Transfer Syntax, variants, and small public files where they are asked for. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import type { MappedObject } from '@lazaret/dicom/filemap/contract.ts';
import { inflateRaw } from '@lazaret/pacs/inspection/examiner/inflate.ts';
import { encode } from '../../tools/recipes/encode.ts';
import { benignRecipes, hostileRecipes } from '../../tools/recipes/all.ts';
import { report, textItem, containerItem, smallReport } from '../../tools/recipes/objects.ts';
import { fileOf as fileOfElements } from '../../tools/recipes/series.ts';
import { bases } from '../../tools/variants/bases.ts';
import { fileOf } from '../../tools/variants/draft.ts';
import { variantOf } from '../../tools/variants/variant.ts';
import { corpusFolder, pydicomFiles } from '../peers.ts';

/** Smaller objects mean more of them an hour; what is large repeats itself. */
const seedBytesMax = 24 * 1024;
const variantSeeds = 60;
/** Recipes of megabytes, or that inflate to them: made only to be left out by their size. */
const large = /bomb|oversized|packets|-far$|-\d{6,}$/;

export interface SeedObject {
  readonly name: string;
  readonly bytes: Buffer;
  /** Where its elements are; of a deflated object those of group 2 only. */
  readonly mapped: MappedObject;
}

function seedOf(name: string, bytes: Uint8Array): SeedObject {
  const copy = Buffer.from(bytes);
  return { name, bytes: copy, mapped: mapObject(new BytesSource(copy), { inflateRaw }) };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted();
}

/** Always the same, in the same order; with `corpora` those of the public folders that are there follow. */
export function seedObjects(corpora: boolean): readonly SeedObject[] {
  const made: [string, Uint8Array][] = [
    ...[...benignRecipes, ...hostileRecipes].filter(({ name }) => !large.test(name)).map((recipe): [string, Uint8Array] => [recipe.name, recipe.bytes()]),
    ...bases.map((base): [string, Uint8Array] => [`base ${base.name}`, fileOf({ base, name: base.name })]),
    ['report', fileOfElements(smallReport('fuzz report'))],
    ['nested', fileOfElements(report('fuzz nested', [containerItem('A', [containerItem('B', [textItem('C', 'D'), textItem('E', 'F')])])]))],
    ['sequences', fileOfElements([...report('fuzz sequences', []), ['FFFA,FFFA', 'SQ', [[['0400,0005', 'US', 1]]], { definedLength: true }]])],
    ...Array.from({ length: variantSeeds }, (_, at): [string, Uint8Array] => [`variant ${at + 1}`, variantOf(at + 1).bytes]),
    ['two elements', encode([['0008,0016', 'UI', '1.2'], ['0008,0018', 'UI', '1.3']])],
  ];
  const folders = corpora ? [pydicomFiles(), corpusFolder()].filter((folder) => folder !== null) : [];
  const found = folders.flatMap(filesUnder).filter((path) => statSync(path).size <= seedBytesMax).map((path): [string, Uint8Array] => [path, readFileSync(path)]);
  // What inflates to much says the same each time, slowly.
  return [...made.filter(([, bytes]) => bytes.length <= seedBytesMax), ...found].map(([name, bytes]) => seedOf(name, bytes)).filter(({ mapped }) => mapped.dataSetSource.length <= 8 * seedBytesMax);
}
