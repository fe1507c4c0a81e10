/** An optical disc: ISO 9660, UDF, or both over the same files (a bridge). On a bridge both lists of names are read, so that neither can hide a file from us. */
import type { Device } from './device.ts';
import { openISO, type ISOVolume } from './iso.ts';
import { openUDF, type UDFVolume } from './udf.ts';
import { pathCharactersMax, placeOf, Unreadable, type Entry, type MediumKind, type Notes, type Piece, type Volume } from './volume.ts';

/** Null where it is neither. */
export function openDisc(device: Device): Volume | null {
  const iso = openISO(device);
  let udf: UDFVolume | null = null;
  try {
    udf = openUDF(device);
  } catch (error) {
    if (!(error instanceof Unreadable) || iso === null) throw error;
    iso.notes.add('It has a second list of files (UDF) that cannot be read; the first one is.');
  }
  return iso !== null && udf !== null ? new BridgeVolume(iso, udf) : (iso ?? udf);
}

class BridgeVolume implements Volume {
  readonly kind: MediumKind = 'udf';
  readonly label: string;
  readonly identifier: string;
  readonly notes: Notes;
  readonly #iso: ISOVolume;
  readonly #udf: UDFVolume;

  constructor(iso: ISOVolume, udf: UDFVolume) {
    this.#iso = iso;
    this.#udf = udf;
    this.label = udf.label || iso.label;
    this.identifier = iso.identifier;
    this.notes = iso.notes;
  }

  *entries(): Generator<Entry> {
    const seen = new Set<string>();
    for (const entry of this.#udf.entries()) {
      if (entry.kind === 'file' && entry.bytes > 0) seen.add(placeOf(entry));
      yield entry;
    }
    for (const entry of this.#iso.entries()) {
      if (entry.kind !== 'file' || entry.bytes === 0 || seen.has(placeOf(entry))) continue;
      if (!entry.path.startsWith('(')) this.notes.add('Some files are in one of its two lists of names only (ISO 9660); they are read as well.');
      yield entry.path.startsWith('(') ? entry : { ...entry, path: `(ISO 9660 only) ${entry.path}`.slice(0, pathCharactersMax) };
    }
    for (const note of this.#udf.notes.list()) this.notes.add(note);
  }

  pieces(entry: Entry): Iterable<Piece> {
    return this.#iso.pieces(entry);
  }

  close(): void {
    this.#iso.close();
  }
}
