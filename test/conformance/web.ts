/** DICOMweb as a system that knows PS3.18 uses it. */
import type { Answer, System } from '../system.ts';

const boundary = 'lazaret-test-boundary';

/** multipart/related of whole files. */
export function multipart(files: readonly Uint8Array[], type = 'application/dicom'): { readonly body: Buffer; readonly contentType: string } {
  const parts = files.flatMap((file) => [Buffer.from(`--${boundary}\r\nContent-Type: ${type}\r\n\r\n`), file, Buffer.from('\r\n')]);
  return { body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]), contentType: `multipart/related; type="${type}"; boundary=${boundary}` };
}

/** STOW-RS of whole files. */
export function stow(system: System, files: readonly Uint8Array[], headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { body, contentType } = multipart(files);
  return system.ask('/dicomweb/studies', { method: 'POST', body, headers: { 'content-type': contentType, accept: 'application/dicom+json', ...headers } });
}

/** The parts of a multipart answer. */
export function partsOf(answer: Answer): Buffer[] {
  const token = /boundary="?([^";]+)"?/.exec(answer.headers['content-type'] ?? '')?.[1];
  if (token === undefined) throw new Error(`not multipart: ${answer.status} ${answer.headers['content-type']} ${answer.body.toString('utf8', 0, 300)}`);
  const delimiter = Buffer.from(`--${token}`);
  const parts: Buffer[] = [];
  let at = answer.body.indexOf(delimiter);
  for (;;) {
    const next = answer.body.indexOf(delimiter, at + delimiter.length);
    if (at < 0 || next < 0) return parts;
    const content = answer.body.indexOf('\r\n\r\n', at) + 4;
    parts.push(answer.body.subarray(content, next - 2));
    at = next;
  }
}

export type Attributes = Readonly<Record<string, { readonly vr: string; readonly Value?: readonly unknown[] }>>;

/** QIDO-RS: instances with a SOP Instance UID. */
export async function findInstance(system: System, sopInstanceUID: string): Promise<Attributes[]> {
  const answer = await system.ask(`/dicomweb/instances?SOPInstanceUID=${sopInstanceUID}`, { headers: { accept: 'application/dicom+json' } });
  if (answer.status === 204 || answer.status === 404) return [];
  if (answer.status !== 200) throw new Error(`QIDO-RS answered ${answer.status}: ${answer.body.toString('utf8', 0, 300)}`);
  return JSON.parse(answer.body.toString('utf8')) as Attributes[];
}

export function uidIn(attributes: Attributes, tag: string): string {
  return String(attributes[tag]?.Value?.[0] ?? '');
}

export interface Reference {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

/** WADO-RS: one instance as it is kept. */
export function retrieve(system: System, { studyInstanceUID, seriesInstanceUID, sopInstanceUID }: Reference): Promise<Answer> {
  return system.ask(`/dicomweb/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`, {
    headers: { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
  });
}

/** Preamble and Data Set of a Part 10 file, whose File Meta Information starts with its group length (PS3.10 §7.1). */
export function splitPart10(file: Buffer): { readonly preamble: Buffer; readonly meta: Buffer; readonly dataSet: Buffer } {
  if (file.toString('latin1', 128, 132) !== 'DICM') throw new Error('not a Part 10 file');
  const end = 144 + file.readUInt32LE(140);
  return { preamble: file.subarray(0, 128), meta: file.subarray(132, end), dataSet: file.subarray(end) };
}
