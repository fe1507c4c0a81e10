/**
 * The export of held objects for a supplier or a laboratory: a ZIP file in which everything is encrypted with AES-256 (WinZip AE-2), written as a stream.
 *
 * | entry | holds |
 * |---|---|
 * | README.txt | what this is, and how to handle it |
 * | ID/object.quarantined | the bytes as received, or with what says whose it is overwritten |
 * | ID/findings.json, ID/findings.txt | what was found, with offsets, and the file map |
 * | manifest.json | digests of all entries, provenance, what was overwritten |
 *
 * The names of the entries can be read without the passphrase, so they are object ids. Decodes nothing: which bytes are overwritten an examiner has said.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { confidentialityEdition } from '@lazaret/dicom/dictionary/confidentiality.ts';
import { applyPatches } from '@lazaret/dicom/dataset/patched.ts';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { ObjectId } from '../reception/contract.ts';
import type { LedgerEntry } from './contract.ts';
import { fills, otherUID, overwrite } from './overwriting.ts';
import type { Blanking, MapAnswer } from './requests.ts';

/** A laboratory looks at some of a kind, not at a study. */
export const exportObjectsMax = 100;
/** Small, since the cipher runs between two other requests of the same process. */
const pieceBytes = 128 * 1024;
const aes256 = 3;

export interface ExportItem {
  readonly entry: LedgerEntry;
  /** As an examiner made it afresh, with `blank` where the export is de-identified; null where the object cannot be mapped. */
  readonly map: MapAnswer | null;
  /** The file in the vault. */
  readonly path: string;
}
export interface ExportOptions {
  readonly passphrase: string;
  readonly deIdentified: boolean;
  readonly person: string;
  readonly reason: string;
  readonly destination: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What a code means, for people (the verdict table). */
  readonly explain: (code: string) => { readonly title: string; readonly meaning: string; readonly advice: string };
}

/** What is needed of one object, asked of the keeper. Throws `object-unknown`, and what keeps an examiner from saying what is to be overwritten. */
export async function exportItem(ask: <Answer>(name: string, body: unknown) => Promise<Answer>, objectId: ObjectId, deIdentified: boolean, quarantine: string): Promise<ExportItem> {
  const entry = await ask<LedgerEntry>('show', { objectId });
  let map: MapAnswer | null = null;
  try {
    map = await ask<MapAnswer>('map', { objectId, blank: deIdentified });
  } catch (error) {
    // Where it cannot be mapped, what was found says why.
    if (deIdentified || !(error instanceof Failure) || error.severity !== 'unavailable') throw error;
  }
  return { entry, map, path: objectPath(quarantine, objectId) };
}

/** Throws `blanking-impossible` with a sentence where what says whose it is cannot be overwritten in one of them. */
export function checkBlanking(items: readonly Pick<ExportItem, 'entry' | 'map'>[]): void {
  for (const { entry, map } of items) {
    const blank = map?.blank;
    if (blank?.outcome !== 'blanked') {
      throw refused('blanking-impossible', `Object ${entry.objectId.slice(0, 8)} cannot be de-identified. ${blank?.text ?? 'It could not be read.'} Export it whole to somebody who may see it, or not at all.`);
    }
  }
}

/**
 * Writes the export and ends `sink`. Needs memory for some pieces, whatever the objects have. Rejects with `digest-mismatch` where a file of the vault is not
 * what was received; whoever gave the sink then throws away what is in it.
 */
export async function writeExport(items: readonly ExportItem[], options: ExportOptions, sink: Writable): Promise<void> {
  if (options.deIdentified) checkBlanking(items);
  // Only now: it takes 9 MB, and few export anything.
  const { configure, ZipWriter } = await import('@zip.js/zip.js');
  // No worker: a sandboxed process may not start one. Deflate is the platform's.
  configure({ useWebWorkers: false });
  const zip = new ZipWriter(Writable.toWeb(sink) as unknown as WritableStream<Uint8Array>, { password: options.passphrase, encryptionStrength: aes256, zip64: true, dataDescriptor: true, lastModDate: new Date(options.at) });
  const entries: { name: string; bytes: number; sha256: string }[] = [];
  const add = async (name: string, text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    await zip.add(name, new Blob([bytes]).stream());
    entries.push({ name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  };
  const objects: object[] = [];
  // Of this export alone: kept nowhere.
  const uidKey = randomBytes(32);
  await add('README.txt', readme(options));
  for (const item of items) {
    const { entry } = item;
    const name = `${entry.objectId}/object.quarantined`;
    const piped = new Piped(item, options.deIdentified ? item.map!.blank! : null, uidKey);
    await zip.add(name, Readable.toWeb(Readable.from(piped.pieces())) as unknown as ReadableStream<Uint8Array>);
    entries.push({ name, bytes: piped.bytes, sha256: piped.after });
    objects.push({ ...provenance(entry, options.deIdentified), sha256AsReceived: entry.sha256, sha256InThisFile: piped.after, ...(options.deIdentified ? { deIdentification: deIdentification(item) } : {}) });
    await add(`${entry.objectId}/findings.json`, `${JSON.stringify(findings(item, options), null, 2)}\n`);
    await add(`${entry.objectId}/findings.txt`, findingsText(item, options));
  }
  const manifest = {
    lazaret: 'export of held objects', made: new Date(options.at).toISOString(), by: options.person, reason: options.reason, for: options.destination, encryption: 'AES-256 (WinZip AE-2)', deIdentified: options.deIdentified, objects, entries,
  };
  await add('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
  await zip.close();
}

/** The bytes of one object on their way, with both digests. */
class Piped {
  readonly #item: ExportItem;
  readonly #blank: Blanking | null;
  readonly #uidKey: Uint8Array;
  after = '';
  /** How many have left. */
  bytes = 0;

  constructor(item: ExportItem, blank: Blanking | null, uidKey: Uint8Array) {
    this.#item = item;
    this.#blank = blank;
    this.#uidKey = uidKey;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const leaving = createHash('sha256');
    for await (const piece of applyPatches(this.#overwritten(), decoded(this.#blank?.patches))) {
      leaving.update(piece);
      this.bytes += piece.length;
      yield piece;
    }
    this.after = leaving.digest('hex');
  }

  async *#overwritten(): AsyncGenerator<Uint8Array> {
    const ranges = this.#blank?.ranges ?? [];
    let at = 0;
    let next = 0;
    /** The beginning of a UID whose rest is in the next piece. */
    let begun: Buffer = Buffer.alloc(0);
    for await (const chunk of applyPatches(this.#received(), decoded(this.#blank?.unpacked))) {
      const piece = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
      let end = piece.length;
      for (; next < ranges.length; next += 3) {
        const [from, fill] = [ranges[next]! - at, fills[ranges[next + 2]!]!];
        const to = from + ranges[next + 1]!;
        if (from >= piece.length) break;
        if (fill === 'uid') {
          if (to > piece.length) {
            end = from;
            break;
          }
          piece.set(otherUID(piece.subarray(from, to), this.#uidKey), from);
        } else {
          overwrite(piece, Math.max(0, from), Math.min(piece.length, to), Math.max(0, -from), fill);
          // The rest of it is in the next piece.
          if (to > piece.length) break;
        }
      }
      yield piece.subarray(0, end);
      begun = Buffer.from(piece.subarray(end));
      at += end;
    }
  }

  async *#received(): AsyncGenerator<Uint8Array> {
    const { entry, path } = this.#item;
    const received = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
      received.update(chunk as Buffer);
      yield chunk as Buffer;
    }
    if (received.digest('hex') !== entry.sha256) throw unavailable('digest-mismatch', `The file of object ${entry.objectId.slice(0, 8)} no longer has the bytes that were received. Nothing of it may be taken for evidence.`);
  }
}

function decoded(patches: Blanking['patches'] = []): { readonly offset: number; readonly length: number; readonly bytes: Buffer }[] {
  return patches.map(({ offset, length, bytes }) => ({ offset, length, bytes: Buffer.from(bytes, 'base64') }));
}

/** What is known of an object; without what says whose it is, or where it comes from. */
function provenance(entry: LedgerEntry, deIdentified: boolean): object {
  const { objectId, state, verdict, epoch, bytes, disarmed, sopClassUID, sopInstanceUID, modality } = entry;
  const technical = { objectId, state, verdict, inspectedBy: epoch, bytes, disarmed, sopClassUID, modality };
  if (deIdentified) return technical;
  const { source, receivedAt, concludedAt, studyInstanceUID, studyDescription, patientName, patientID, conflicts } = entry;
  return { ...technical, sopInstanceUID, receivedAt: new Date(receivedAt).toISOString(), concludedAt: concludedAt === null ? null : new Date(concludedAt).toISOString(), source, studyInstanceUID, studyDescription, patientName, patientID, conflicts };
}

function deIdentification(item: ExportItem): object {
  const { ranges, patches, elements, unpacked = [] } = item.map!.blank!;
  const changes = (of: Blanking['patches']): object[] => of.map(({ offset, length, bytes: added }) => ({ offset, removed: length, added: Buffer.byteLength(added, 'base64') }));
  let bytes = 0;
  for (let at = 1; at < ranges.length; at += 3) bytes += ranges[at]!;
  return {
    method: `PS3.15 Table E.1-1 (edition ${confidentialityEdition}), Basic Profile, and beyond it by VR and group: values are overwritten in place, at equal length; what the profile removes is empty. UIDs became others, the same for the same within this export.`,
    elements, ranges: ranges.length / 3, bytes,
    kept: 'Codes (CS) and numbers that the profile lets stand, SOP Class and Transfer Syntax UIDs, Manufacturer, model and software versions, Pixel Data. Names burned into the image stay.',
    offsets: 'All offsets here are those of the object as received. Where `lengthChanged` says so, the bytes that follow in object.quarantined have moved by what was added less what was removed.',
    ...(unpacked.length === 0 ? {} : { unpacked: { why: 'Its Data Set was deflated. Here it is not, and the Transfer Syntax UID is that of the same without deflate: nothing else of it was written anew. `lengthChanged` counts from what this made of the object.', lengthChanged: changes(unpacked) } }),
    lengthChanged: changes(patches),
    findingsInOverwrittenBytes: overwrittenFindings(item).map(({ code, offset, length }) => ({ code, offset, length })),
  };
}

/** What was found in bytes that a de-identified export overwrites: who gets it cannot look at them. */
export function overwrittenFindings({ entry, map }: Pick<ExportItem, 'entry' | 'map'>): LedgerEntry['findings'] {
  const ranges = map?.blank?.ranges ?? [];
  const unpacked = map?.blank?.unpacked ?? [];
  return entry.findings.filter(({ offset: received, length }) => {
    let offset = received;
    for (const patch of unpacked) {
      // In what was unpacked: where in it is not known here.
      if (patch.offset < received + length && received < patch.offset + patch.length) return true;
      if (patch.offset + patch.length <= received) offset += Buffer.byteLength(patch.bytes, 'base64') - patch.length;
    }
    for (let at = 0; at < ranges.length; at += 3) if (ranges[at]! < offset + length && offset < ranges[at]! + ranges[at + 1]!) return true;
    return false;
  });
}

/** Texts of findings and names of parts may quote the object: they stay behind where it must not be told whose it is. */
function findings({ entry, map }: ExportItem, { deIdentified, explain }: ExportOptions): object {
  const silent = <Row extends { readonly text: string }>(rows: readonly Row[]): Row[] => rows.map((row) => (deIdentified ? { ...row, text: '' } : row));
  const { blank: _, ...shown } = map ?? { blank: undefined };
  const drawn = map === null ? null : { ...shown, findings: silent(map.findings), parts: map.parts.map((part) => (deIdentified ? { ...part, name: '' } : part)) };
  return { objectId: entry.objectId, verdict: entry.verdict, findings: silent(entry.findings), explanations: Object.fromEntries([...new Set(entry.findings.map(({ code }) => code))].map((code) => [code, explain(code)])), map: drawn };
}

function findingsText({ entry }: ExportItem, { deIdentified, explain }: ExportOptions): string {
  const lines = [`Object ${entry.objectId}: ${entry.verdict ?? 'not inspected'}, ${entry.bytes} bytes`, `SHA-256 as received ${entry.sha256}`, `Inspected by ${entry.epoch}`, ''];
  for (const finding of entry.findings) {
    const { title, meaning } = explain(finding.code);
    lines.push(`${title} (${finding.code}, ${finding.engine})`, `  bytes ${finding.offset} to ${finding.offset + Math.max(0, finding.length - 1)}${finding.tag === '' ? '' : ` in ${finding.tag}`}`, ...(deIdentified || finding.text === '' ? [] : [`  ${finding.text}`]), `  ${meaning}`, '');
  }
  return `${lines.join('\n')}\n`;
}

function readme({ deIdentified, destination, at }: ExportOptions): string {
  return [
    'Objects that a DICOM quarantine holds, exported for examination.', '',
    'DANGER: object.quarantined may be harmful software. Do not open it with a viewer or any other program that interprets it; unpack it only where that is allowed.',
    deIdentified ? 'What says whose the images are was overwritten in place, and UIDs became others; manifest.json says what, and where the length of a value changed. Pixel Data are unchanged: names that are burned into an image are still there.' : 'It may name a patient: it is for the addressee alone, and to be destroyed when it is no longer needed.', '',
    `For: ${destination === '' ? 'not said' : destination}`, `Made: ${new Date(at).toISOString()}`, '',
    'findings.txt says what was found and where, findings.json the same for programs, with a map of every byte. manifest.json has the SHA-256 of every file.', '',
  ].join('\r\n');
}
