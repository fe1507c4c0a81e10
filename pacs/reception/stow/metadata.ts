/**
 * Messages of type `application/dicom+json` (PS3.18 §10.5.1.2): metadata as DICOM JSON and bulk data as further parts of the same message. They are
 * composed here into Part 10 objects, which then go the way of all objects. Nothing in them is fetched from anywhere.
 */
import { encodeDataSet } from '@lazaret/dicom/dataset/write.ts';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import { ComposeProblem, composeInstance, type ComposedInstance } from '@lazaret/dicom/web/compose.ts';
import { parseMediaType } from '@lazaret/dicom/web/mediatype.ts';
import type { PartHeaders } from '@lazaret/dicom/web/multipart.ts';
import { JsonProblem, parseStrictJson, type JsonValue } from '@lazaret/dicom/web/strictjson.ts';
import { refused } from '@lazaret/system/failure.ts';
import { Arrival } from '../arrival.ts';
import type { Source } from '../contract.ts';
import { admitArrival, makeObjectId, refusalOf, type IntakeParts, type PartTaker, type Taken } from './intake.ts';
import type { StowLimits } from './limits.ts';

const explicitVRLittleEndian = '1.2.840.10008.1.2.1';
/** Instances of one message: each becomes a file. */
const instancesMax = 10_000;

interface Part {
  readonly kind: 'metadata' | 'bulk';
  readonly chunks: Uint8Array[];
}

/** Collects the parts in memory, within limits, and composes objects of them once all are there. */
export class JsonParts implements PartTaker {
  readonly #limits: StowLimits;
  readonly #metadata: Part[] = [];
  /** By Content-Location, and by Content-ID as `cid:…`. */
  readonly #bulk = new Map<string, Part>();
  #current: Part | null = null;
  #metadataBytes = 0;
  #bulkBytes = 0;

  constructor(limits: StowLimits) {
    this.#limits = limits;
  }

  begin(headers: PartHeaders): void {
    const type = parseMediaType(headers.get('content-type') ?? 'application/octet-stream');
    if (type?.type === 'application/dicom+json') {
      this.#current = { kind: 'metadata', chunks: [] };
      this.#metadata.push(this.#current);
      return;
    }
    const transferSyntax = type?.parameters.get('transfer-syntax') ?? explicitVRLittleEndian;
    if (type?.type !== 'application/octet-stream' || transferSyntax !== explicitVRLittleEndian) {
      throw refused('bulk-unsupported', 'bulk data are taken as application/octet-stream in little endian only; send compressed objects as application/dicom');
    }
    this.#current = { kind: 'bulk', chunks: [] };
    const names = [headers.get('content-location'), cidOf(headers.get('content-id'))].filter((name) => name !== undefined);
    if (names.length === 0) throw refused('bulk-nameless', 'a part of bulk data has neither Content-Location nor Content-ID');
    for (const name of names) {
      if (this.#bulk.has(name)) throw refused('bulk-repeated', 'two parts of bulk data have the same name');
      this.#bulk.set(name, this.#current);
    }
  }

  data(bytes: Uint8Array): void {
    const part = this.#current!;
    if (part.kind === 'metadata') this.#metadataBytes += bytes.length;
    else this.#bulkBytes += bytes.length;
    if (this.#metadataBytes > this.#limits.metadataBytesMax) throw refused('metadata-length-exceeded', `metadata of a message have at most ${this.#limits.metadataBytesMax} bytes`);
    if (this.#bulkBytes > this.#limits.bulkBytesMax) throw refused('bulk-length-exceeded', `bulk data of a message with DICOM JSON have at most ${this.#limits.bulkBytesMax} bytes; send application/dicom`);
    part.chunks.push(new Uint8Array(bytes));
  }

  end(): void {
    this.#current = null;
  }
  room(): null {
    return null;
  }
  discard(): void {
    this.#bulk.clear();
    this.#metadata.length = 0;
  }

  /** Composes every instance, then admits each. Throws `refused` where the message as a whole is wrong; one wrong instance fails alone. */
  compose(parts: IntakeParts, source: Source, studyInstanceUID: string | null): Promise<Taken>[] {
    const instances = this.#instances();
    const used = new Set<Part>();
    const bulk = (uri: string): Uint8Array | null => {
      const part = this.#bulk.get(uri);
      if (part === undefined) return null;
      // Once each: a small message must not become many large objects.
      if (used.has(part)) throw refused('bulk-repeated', 'one part of bulk data is named by two attributes');
      used.add(part);
      return Buffer.concat(part.chunks);
    };
    const composed = instances.map((instance): ComposedInstance | Taken => {
      try {
        const whole = composeInstance(instance, bulk);
        if (studyInstanceUID === null || whole.studyInstanceUID === studyInstanceUID) return whole;
        return { reason: 'study-mismatch', text: `the object is of study ${whole.studyInstanceUID}, not of the study of the address`, sopClassUID: whole.sopClassUID, sopInstanceUID: whole.sopInstanceUID };
      } catch (error) {
        if (!(error instanceof ComposeProblem)) throw error;
        return { reason: 'not-understood', text: error.message, ...identityOf(instance) };
      }
    });
    const failed = composed.some((each) => 'reason' in each);
    // An instance that failed may have left its bulk data unasked for.
    if (!failed && new Set(this.#bulk.values()).size !== used.size) throw refused('bulk-unnamed', 'a part of bulk data is named by no attribute');
    return composed.map((each) => ('reason' in each || 'objectId' in each ? Promise.resolve(each) : store(each, parts, source)));
  }

  #instances(): readonly JsonValue[] {
    const instances: JsonValue[] = [];
    for (const part of this.#metadata) {
      let value: JsonValue;
      try {
        value = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(part.chunks)));
      } catch (error) {
        if (error instanceof JsonProblem) throw refused(error.code, error.message);
        throw refused('json-invalid', 'the metadata are not UTF-8');
      }
      instances.push(...(Array.isArray(value) ? value as readonly JsonValue[] : [value]));
    }
    if (instances.length > instancesMax) throw refused('instances-exceeded', `a message has at most ${instancesMax} instances`);
    return instances;
  }
}

async function store(instance: ComposedInstance, parts: IntakeParts, source: Source): Promise<Taken> {
  const { sopClassUID, sopInstanceUID } = instance;
  try {
    const meta = encodeFileMeta({ mediaStorageSOPClassUID: sopClassUID, mediaStorageSOPInstanceUID: sopInstanceUID, transferSyntaxUID: explicitVRLittleEndian });
    const dataSet = encodeDataSet(instance.elements, explicitVRLittleEndian);
    const arrival = new Arrival(parts.area, makeObjectId(), meta);
    arrival.write(dataSet);
    return await admitArrival(arrival, parts, source, sopClassUID, sopInstanceUID, explicitVRLittleEndian);
  } catch (error) {
    // A value that does not fit its length field.
    if (error instanceof RangeError) return { reason: 'not-understood', text: error.message, sopClassUID, sopInstanceUID };
    return { ...refusalOf(error), sopClassUID, sopInstanceUID } as Taken;
  }
}

/** What can be said of an instance that could not be composed. */
function identityOf(instance: JsonValue): { sopClassUID: string; sopInstanceUID: string } {
  const uid = (tag: string): string => {
    const attribute = instance instanceof Map ? (instance as ReadonlyMap<string, JsonValue>).get(tag) : undefined;
    const values = attribute instanceof Map ? (attribute as ReadonlyMap<string, JsonValue>).get('Value') : undefined;
    const [value] = Array.isArray(values) ? values as readonly JsonValue[] : [];
    return typeof value === 'string' && /^[0-9.]{1,64}$/.test(value) ? value : '';
  };
  return { sopClassUID: uid('00080016'), sopInstanceUID: uid('00080018') };
}

/** RFC 2392: `Content-ID: <a@b>` is `cid:a@b`. */
function cidOf(contentId: string | undefined): string | undefined {
  const id = /^<([^<>\s]+)>$/.exec(contentId ?? '')?.[1];
  return id === undefined ? undefined : `cid:${id}`;
}
