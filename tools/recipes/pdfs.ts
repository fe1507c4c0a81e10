/** Writes PDFs for test objects, right or wrong, from readable objects: a writer of its own, which shares nothing with the reader that is tested. */
import { deflateSync } from 'node:zlib';

/** Text of an object, or a dictionary (without its brackets and its length) with a stream. */
export type PDFPart = string | { readonly dictionary: string; readonly data: Uint8Array; readonly length?: string };

export interface PDFOptions {
  /** Objects that lie in an object stream: number → text. */
  readonly packed?: ReadonlyMap<number, string>;
  /** Keys of the trailer beside /Root and /Size. */
  readonly trailer?: string;
  readonly before?: Uint8Array | string;
  readonly after?: Uint8Array | string;
  /** Written between the objects and the table, without an entry in it. */
  readonly between?: Uint8Array | string;
  /** Objects of a second revision, appended with a table of their own. */
  readonly revision?: ReadonlyMap<number, PDFPart>;
}

export const flate = (dictionary: string, data: Uint8Array | string): PDFPart => ({ dictionary: `${dictionary} /Filter /FlateDecode`, data: deflateSync(data) });

/** Pages of a report: catalog, page tree, page, text, font. `catalog` and `page` are more keys; `more` are objects from 6 on. */
export function report({ catalog = '', page = '', more = [] }: { readonly catalog?: string; readonly page?: string; readonly more?: readonly PDFPart[] } = {}): PDFPart[] {
  return [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> ${page} >>`,
    flate('', 'BT /F1 12 Tf 72 760 Td (CT of the head: no acute haemorrhage.) Tj ET'),
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...more,
  ];
}

/** A whole file: header, objects from 1 on, table, trailer. */
export function pdfOf(parts: readonly PDFPart[], options: PDFOptions = {}): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  const put = (piece: Uint8Array | string): void => {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
    pieces.push(bytes);
    length += bytes.length;
  };
  const putObject = (number: number, part: PDFPart): void => {
    put(`${number} 0 obj\n`);
    if (typeof part === 'string') put(part);
    else {
      put(`<< ${part.dictionary} /Length ${part.length ?? part.data.length} >>\nstream\n`);
      put(part.data);
      put('\nendstream');
    }
    put('\nendobj\n');
  };
  put(options.before ?? '');
  const base = length;
  put('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n');
  const offsets = new Map<number, number>();
  for (const [index, part] of parts.entries()) {
    offsets.set(index + 1, length - base);
    putObject(index + 1, part);
  }
  const packed = [...(options.packed ?? [])];
  if (packed.length > 0) {
    const number = Math.max(parts.length, ...packed.map(([each]) => each)) + 1;
    const bodies = packed.map(([, text]) => text);
    const list = packed.map(([each], index) => `${each} ${bodies.slice(0, index).join('\n').length + (index > 0 ? 1 : 0)}`).join(' ');
    offsets.set(number, length - base);
    putObject(number, flate(`/Type /ObjStm /N ${packed.length} /First ${list.length + 1}`, `${list}\n${bodies.join('\n')}`));
    return finish(number, packed);
  }
  put(options.between ?? '');
  let start = length - base;
  putTable([0, ...offsets.keys()]);
  put(`trailer\n<< /Root 1 0 R /Size ${parts.length + 1} ${options.trailer ?? ''} >>\nstartxref\n${start}\n%%EOF\n`);
  if (options.revision !== undefined) {
    for (const [number, part] of options.revision) {
      offsets.set(number, length - base);
      putObject(number, part);
    }
    const previous = start;
    start = length - base;
    putTable([...options.revision.keys()]);
    put(`trailer\n<< /Root 1 0 R /Size ${Math.max(...offsets.keys()) + 1} /Prev ${previous} >>\nstartxref\n${start}\n%%EOF\n`);
  }
  put(options.after ?? '');
  return Buffer.concat(pieces);

  function putTable(numbers: readonly number[]): void {
    put('xref\n');
    for (const number of numbers) {
      const offset = offsets.get(number);
      put(`${number} 1\n${offset === undefined ? '0000000000 65535 f' : `${String(offset).padStart(10, '0')} 00000 n`} \n`);
    }
  }

  /** A cross-reference stream with the predictor that writers use (ISO 32000-2 §7.5.8). */
  function finish(streamNumber: number, inside: readonly (readonly [number, string])[]): Buffer {
    const own = streamNumber + 1;
    const at = length - base;
    offsets.set(own, at);
    const rows = Array.from({ length: own + 1 }, (_, number) => {
      const row = Buffer.alloc(6);
      const index = inside.findIndex(([each]) => each === number);
      const offset = offsets.get(number);
      row[0] = index >= 0 ? 2 : offset === undefined ? 0 : 1;
      row.writeUInt32BE(index >= 0 ? streamNumber : (offset ?? 0), 1);
      row[5] = Math.max(0, index);
      return row;
    });
    const predicted = Buffer.concat(rows.map((row, number) => Buffer.concat([Buffer.from([2]), Buffer.from(row.map((byte, column) => (byte - (number > 0 ? rows[number - 1]![column]! : 0)) & 0xff))])));
    putObject(own, flate(`/Type /XRef /Size ${own + 1} /W [1 4 1] /Root 1 0 R ${options.trailer ?? ''} /DecodeParms << /Predictor 12 /Columns 6 >>`, predicted));
    put(`startxref\n${at}\n%%EOF\n`);
    put(options.after ?? '');
    return Buffer.concat(pieces);
  }
}

export function asciiHex(bytes: Uint8Array): Buffer {
  return Buffer.from(`${Buffer.from(bytes).toString('hex')}>`);
}

export function ascii85(bytes: Uint8Array): Buffer {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const group = Buffer.alloc(4);
    group.set(bytes.subarray(at, at + 4));
    let value = group.readUInt32BE(0);
    const digits: string[] = [];
    for (let digit = 0; digit < 5; digit++) {
      digits.unshift(String.fromCharCode(33 + (value % 85)));
      value = Math.floor(value / 85);
    }
    text += digits.slice(0, Math.min(4, bytes.length - at) + 1).join('');
  }
  return Buffer.from(`${text}~>`);
}

/** LZW that only ever writes literals: clear, codes of nine bits, clear again before they grow. */
export function lzw(bytes: Uint8Array): Buffer {
  const codes: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    if (at % 200 === 0) codes.push(256);
    codes.push(bytes[at]!);
  }
  codes.push(257);
  const out = Buffer.alloc(Math.ceil((codes.length * 9) / 8));
  codes.forEach((code, index) => {
    for (let bit = 0; bit < 9; bit++) if ((code >> (8 - bit)) & 1) out[(index * 9 + bit) >> 3]! |= 0x80 >> ((index * 9 + bit) & 7);
  });
  return out;
}

export function runLength(bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 128) {
    const run = bytes.subarray(at, at + 128);
    pieces.push(Buffer.from([run.length - 1]), run);
  }
  return Buffer.concat([...pieces, Buffer.from([128])]);
}
