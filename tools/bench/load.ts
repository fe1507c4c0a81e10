/** A set of files that can be sent again and again as other objects: between runs their UIDs are rewritten in place, at the same length. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { uidOf } from '../recipes/recipe.ts';

interface Place {
  readonly path: string;
  /** Offsets of the text that names the object, its series, its study and its patient. */
  readonly instance: readonly number[];
  readonly series: readonly number[];
  readonly study: readonly number[];
  readonly patient: readonly number[];
}

export interface Fleet {
  readonly paths: readonly string[];
  readonly bytes: number;
  /** Gives every file new UIDs and the one patient of this run; answers the Patient ID. */
  rename(run: string): string;
}

/** Text that stands in each file and is replaced: as long as what replaces it. */
const uidCharacters = 42;
const patientCharacters = 14;

function fixedUID(name: string): string {
  return uidOf(name).padEnd(uidCharacters, '0').slice(0, uidCharacters);
}

/** What elements have to hold in place of UIDs and Patient ID, so that `fleetOf` finds them again. */
export const marks = {
  instance: (index: number): string => fixedUID(`mark instance ${index}`),
  series: fixedUID('mark series'),
  study: fixedUID('mark study'),
  patient: 'BENCH-'.padEnd(patientCharacters, '0'),
};

/** Looks where the marks are in each file, and renames them together. `groups` files share a series and a study. */
export function fleetOf(paths: readonly string[], groups: number): Fleet {
  let bytes = 0;
  const places = paths.map((path, index): Place => {
    const content = readFileSync(path);
    bytes += content.length;
    // The marks stand before the pixels.
    const head = content.subarray(0, 8192);
    return { path, instance: all(head, marks.instance(index)), series: all(head, marks.series), study: all(head, marks.study), patient: all(head, marks.patient) };
  });
  for (const place of places) if (place.instance.length !== 2 || place.study.length !== 1 || place.patient.length !== 1) throw new Error(`${place.path} does not have its marks`);
  return {
    paths, bytes,
    rename: (run) => {
      const patient = `BENCH-${uidOf(run).slice(-(patientCharacters - 6))}`;
      places.forEach((place, index) => {
        const group = Math.floor((index * groups) / places.length);
        const file = openSync(place.path, 'r+');
        const put = (offsets: readonly number[], text: string): void => offsets.forEach((offset) => writeSync(file, text, offset, 'latin1'));
        put(place.instance, fixedUID(`${run} instance ${index}`));
        put(place.series, fixedUID(`${run} series ${group}`));
        put(place.study, fixedUID(`${run} study ${group}`));
        put(place.patient, patient);
        closeSync(file);
      });
      return patient;
    },
  };
}

function all(bytes: Buffer, text: string): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) offsets.push(at);
  return offsets;
}
