/** Checks of what is asked about imports. Whoever asks has heard it from a sandboxed process that may be taken over. */
import { refused } from '@lazaret/system/failure.ts';
import { checkFields, checkObjectId, checkText } from '../quarantine/guards.ts';
import { isDigest, isObjectId, type Digest, type ObjectId } from '../reception/contract.ts';
import { directoryTextsMax, fates, type DirectoryReport, type FileFate, type Medium } from '../reception/media/contract.ts';
import { entriesMax, mediumKinds, Notes, pathCharactersMax } from '../reception/media/volume.ts';

const textMax = 2_000;
/** run.ts sends 200. */
const batchMax = 1_000;
const directoriesMax = 32;
/** run.ts skips a file at the second. */
const stopsMax = 100;

export function count(value: unknown, name: string, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) throw refused('request-invalid', `${name} is not a count`);
  return value as number;
}
export function list(value: unknown, name: string, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw refused('request-invalid', `${name} is not a list of at most ${max}`);
  return value;
}
export function digest(value: unknown): Digest {
  if (typeof value !== 'string' || !isDigest(value)) throw refused('request-invalid', 'no SHA-256');
  return value;
}
/** Ids of imports and uploads are made like those of objects. */
export function checkId(value: unknown): string {
  return checkObjectId(value);
}

export function checkMedium(untrusted: unknown): Medium {
  const value = checkFields(untrusted);
  const kind = mediumKinds.find((each) => each === value['kind']);
  if (kind === undefined) throw refused('request-invalid', 'there is no such kind of medium');
  return { kind, label: plain(value['label'], 'label', 200), identifier: plain(value['identifier'], 'identifier', 200), bytes: count(value['bytes'], 'bytes') };
}

export function checkFiles(untrusted: unknown): FileFate[] {
  return list(untrusted, 'files', batchMax).map((each) => {
    const value = checkFields(each);
    const fate = fates.find((known) => known === value['fate']);
    if (fate === undefined) throw refused('request-invalid', 'there is no such fate');
    const objectId = value['objectId'];
    const object = fate === 'admitted' || fate === 'duplicate';
    if (typeof objectId !== 'string' || object !== isObjectId(objectId) || (!object && objectId !== '')) throw refused('request-invalid', 'an object has an id, nothing else has');
    return {
      index: count(value['index'], 'index', entriesMax), path: plain(value['path'], 'path', pathCharactersMax), bytes: count(value['bytes'], 'bytes'), sha256: value['sha256'] === '' ? '' : digest(value['sha256']),
      fate, objectId: objectId as ObjectId | '', what: plain(value['what'], 'what', 100), text: plain(value['text'], 'text', textMax),
      ...(value['stops'] === undefined ? {} : { stops: count(value['stops'], 'stops', stopsMax) }),
    };
  });
}

export function checkNotes(untrusted: unknown): string[] {
  return list(untrusted, 'notes', Notes.max + 1).map((note) => plain(note, 'note', textMax));
}

export function checkDirectories(untrusted: unknown): DirectoryReport[] {
  return list(untrusted, 'directories', directoriesMax).map((each) => {
    const value = checkFields(each);
    const paths = (name: string): string[] => list(value[name], name, directoryTextsMax).map((path) => plain(path, name, pathCharactersMax));
    return {
      path: plain(value['path'], 'path', pathCharactersMax), listed: count(value['listed'], 'listed'), absent: paths('absent'), absentCount: count(value['absentCount'], 'absentCount'), unlisted: paths('unlisted'),
      unlistedCount: count(value['unlistedCount'], 'unlistedCount'), different: paths('different'), differentCount: count(value['differentCount'], 'differentCount'), problem: plain(value['problem'], 'problem', textMax),
    };
  });
}

/** Text without anything that steers a terminal or a page. */
export function plain(value: unknown, name: string, max: number): string {
  return checkText(value, name, max).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd');
}
