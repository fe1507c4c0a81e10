/** Single elements, Items and sequences of defined length as bytes, for who writes into an object in its own encoding (PS3.5 §7.1, §7.5). */

/** How an object is encoded (MappedObject.encoding). */
export interface Form {
  readonly explicitVR: boolean;
  readonly littleEndian: boolean;
}

/** Longest value with a 16 bit length, even. Nothing that is written here comes near it. */
const shortLengthMax = 0xfffe;

/** An element of a VR with a short length, padded with a space. */
export function elementOf(form: Form, tag: number, vr: string, value: Uint8Array): Uint8Array {
  const length = value.length + (value.length % 2);
  if (length > shortLengthMax) throw new RangeError(`a value of ${length} bytes does not fit`);
  const bytes = new Uint8Array(8 + length).fill(0x20);
  const view = tagged(form, bytes, tag);
  if (form.explicitVR) {
    bytes[4] = vr.charCodeAt(0);
    bytes[5] = vr.charCodeAt(1);
    view.setUint16(6, length, form.littleEndian);
  } else view.setUint32(4, length, form.littleEndian);
  bytes.set(value, 8);
  return bytes;
}

export function sequenceOf(form: Form, tag: number, items: readonly Uint8Array[]): Uint8Array {
  const header = form.explicitVR ? 12 : 8;
  const { bytes, length } = joined(header, items);
  const view = tagged(form, bytes, tag);
  if (form.explicitVR) {
    bytes[4] = 0x53;
    bytes[5] = 0x51;
  }
  view.setUint32(header - 4, length, form.littleEndian);
  return bytes;
}

export function itemOf(form: Form, elements: readonly Uint8Array[]): Uint8Array {
  const { bytes, length } = joined(8, elements);
  tagged(form, bytes, 0xfffee000).setUint32(4, length, form.littleEndian);
  return bytes;
}

export function lengthBytes(form: Form, length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length, form.littleEndian);
  return bytes;
}

function joined(header: number, parts: readonly Uint8Array[]): { bytes: Uint8Array; length: number } {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(header + length);
  let offset = header;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return { bytes, length };
}

function tagged(form: Form, bytes: Uint8Array, tag: number): DataView {
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag >>> 16, form.littleEndian);
  view.setUint16(2, tag & 0xffff, form.littleEndian);
  return view;
}
