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
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { configure, ZipWriter } from '@zip.js/zip.js';
import { Failure, refused, unavailable } from '@lazaret/system/failure.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import type { ObjectId } from '../reception/contract.ts';
import type { LedgerEntry } from './contract.ts';
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
  await add('README.txt', readme(options));
  for (const item of items) {
    const { entry } = item;
    const name = `${entry.objectId}/object.quarantined`;
    const piped = new Piped(item, options.deIdentified ? item.map!.blank! : null);
    await zip.add(name, Readable.toWeb(Readable.from(piped.pieces())) as unknown as ReadableStream<Uint8Array>);
    entries.push({ name, bytes: entry.bytes, sha256: piped.after });
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
  readonly #ranges: readonly number[];
  after = '';

  constructor(item: ExportItem, blank: Blanking | null) {
    this.#item = item;
    this.#ranges = blank?.ranges ?? [];
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const { entry, path } = this.#item;
    const [received, leaving] = [createHash('sha256'), createHash('sha256')];
    let at = 0;
    let next = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
      const piece = chunk as Buffer;
      received.update(piece);
      for (; next < this.#ranges.length; next += 3) {
        const [offset, length, fill] = [this.#ranges[next]!, this.#ranges[next + 1]!, this.#ranges[next + 2]!];
        if (offset >= at + piece.length) break;
        piece.fill(fill, Math.max(0, offset - at), Math.min(piece.length, offset + length - at));
        // The rest of it is in the next piece.
        if (offset + length > at + piece.length) break;
      }
      leaving.update(piece);
      at += piece.length;
      yield piece;
    }
    if (received.digest('hex') !== entry.sha256) throw unavailable('digest-mismatch', `The file of object ${entry.objectId.slice(0, 8)} no longer has the bytes that were received. Nothing of it may be taken for evidence.`);
    this.after = leaving.digest('hex');
  }
}

/** What is known of an object; without what says whose it is, or where it comes from. */
function provenance(entry: LedgerEntry, deIdentified: boolean): object {
  const { objectId, state, verdict, epoch, bytes, disarmed, sopClassUID, sopInstanceUID, modality } = entry;
  const technical = { objectId, state, verdict, inspectedBy: epoch, bytes, disarmed, sopClassUID, sopInstanceUID, modality };
  if (deIdentified) return technical;
  const { source, receivedAt, concludedAt, studyInstanceUID, studyDescription, patientName, patientID, conflicts } = entry;
  return { ...technical, receivedAt: new Date(receivedAt).toISOString(), concludedAt: concludedAt === null ? null : new Date(concludedAt).toISOString(), source, studyInstanceUID, studyDescription, patientName, patientID, conflicts };
}

function deIdentification({ entry, map }: ExportItem): object {
  const { ranges, elements } = map!.blank!;
  const touched = entry.findings.filter(({ offset, length }) => {
    for (let at = 0; at < ranges.length; at += 3) if (ranges[at]! < offset + length && offset < ranges[at]! + ranges[at + 1]!) return true;
    return false;
  });
  let bytes = 0;
  for (let at = 1; at < ranges.length; at += 3) bytes += ranges[at]!;
  return {
    method: 'Values overwritten in place, at equal length: offsets are those of the object as received. By VR and group, as PS3.15 Annex E Basic Profile and beyond it.', elements, ranges: ranges.length / 3, bytes,
    kept: 'UIDs, codes (CS), numbers, Manufacturer, model and software versions, Private Creators, private values that are not text, Pixel Data. Names burned into the image stay.',
    findingsInOverwrittenBytes: touched.map(({ code, offset, length }) => ({ code, offset, length })),
  };
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
    deIdentified ? 'What says whose the images are was overwritten in place, so that all offsets are true. UIDs and Pixel Data are unchanged: names that are burned into an image are still there.' : 'It may name a patient: it is for the addressee alone, and to be destroyed when it is no longer needed.', '',
    `For: ${destination === '' ? 'not said' : destination}`, `Made: ${new Date(at).toISOString()}`, '',
    'findings.txt says what was found and where, findings.json the same for programs, with a map of every byte. manifest.json has the SHA-256 of every file.', '',
  ].join('\r\n');
}
