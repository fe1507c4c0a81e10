/** Vendors' records, written by what is known of them. An encoder of its own, as encode.ts is. */
import { gzipSync } from 'node:zlib';
import type { Element, Item } from './encode.ts';

type Bytes = Uint8Array;

const word = (...values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const half = (...values: readonly number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer);
const angles = (count: number): Buffer => Buffer.from(Float64Array.from({ length: count }, (_, index) => index / count).buffer);
const field = (text: string, length: number): Buffer => Buffer.from(text.padEnd(length, '\0').slice(0, length), 'latin1');

/** A CSA header of the second version. Behind the NUL of a name lies what the writer's memory held. */
export function csa(tags: Readonly<Record<string, readonly string[]>>, after: Bytes = Buffer.alloc(4)): Buffer {
  const parts: Bytes[] = [Buffer.from('SV10'), Buffer.from([4, 3, 2, 1]), word(Object.keys(tags).length, 77)];
  for (const [name, items] of Object.entries(tags)) {
    const text = Buffer.from(`${name}\0 <Visible> "true" <ParamString."of the memory"> { }`.padEnd(64).slice(0, 64), 'latin1');
    parts.push(text, word(1), Buffer.from('IS\0\0'), word(6, items.length, 77));
    for (const item of items) {
      const bytes = Buffer.from(item, 'latin1');
      parts.push(word(bytes.length, bytes.length, 77, bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
    }
  }
  return Buffer.concat([...parts, after]);
}

/** Lines of a GE protocol. */
export function protocolLines(count = 900, set = false): string {
  const settings = ['ENTRY "Head First"', 'POSITION "Supine"', 'SEDESC ""', ...Array.from({ length: count }, (_, index) => `PARAM_${index} "${(index * 7919) % 1000}"`)];
  return `${settings.map((line) => (set ? `set ${line}` : line)).join('\n')}\n`;
}

/** GE's protocol block: the length, and a gzip stream with the name of a file in its header. */
export function geProtocol(content: Bytes, wrong: { readonly declared?: number; readonly after?: Bytes; readonly prefixed?: false; readonly damaged?: true } = {}): Buffer {
  const packed = gzipSync(content);
  packed[3] = 8;
  const stream = Buffer.concat([packed.subarray(0, 10), Buffer.from('Ex421Ser8Scan1\0'), packed.subarray(10)]);
  if (wrong.damaged === true) stream[stream.length - 8]! ^= 0xff;
  const prefix = wrong.prefixed === false ? Buffer.alloc(0) : word(wrong.declared ?? stream.length);
  return Buffer.concat([prefix, stream, wrong.after ?? Buffer.alloc(0)]);
}

/** A parameter of Philips: texts, or numbers of one of two kinds. */
export type Parameter = readonly [name: string, kind: 'float' | 'integer' | 'text' | 'choice', values: readonly (number | string)[]];
const kinds = { float: 0, integer: 1, text: 2, choice: 4 } as const;

/** A Philips parameter file ("IEEE_PDF"). `gap`: between the parameters and their values; `after`: behind the last of them. */
export function parameterFile(parameters: readonly Parameter[], gap: Bytes = Buffer.alloc(0), after: Bytes = Buffer.alloc(0)): Buffer {
  const arrays = { integers: [] as Buffer[], floats: [] as Buffer[], texts: [] as Buffer[] };
  const places: { array: keyof typeof arrays; at: number }[] = [];
  const sizeOf = (array: keyof typeof arrays): number => Buffer.concat(arrays[array]).length;
  for (const [, kind, values] of parameters) {
    const array = kind === 'float' ? 'floats' : kind === 'text' ? 'texts' : 'integers';
    places.push({ array, at: sizeOf(array) });
    for (const value of values) arrays[array].push(kind === 'float' ? Buffer.from(Float32Array.of(Number(value)).buffer) : kind === 'text' ? field(String(value), 81) : word(Number(value)));
  }
  const start = { integers: 32 + parameters.length * 50 + gap.length, floats: 0, texts: 0 };
  start.floats = start.integers + sizeOf('integers');
  start.texts = start.floats + sizeOf('floats');
  const header = word(start.integers, sizeOf('integers') / 4, start.floats - 8, sizeOf('floats') / 4, start.texts - 16, sizeOf('texts'), 8, parameters.length);
  const rows = parameters.map(([name, kind, values], index) => {
    const place = start[places[index]!.array] + places[index]!.at - (32 + index * 50 + 46);
    return Buffer.concat([field(name, 33), Buffer.from([1]), word(kinds[kind], values.length, 0, place)]);
  });
  return Buffer.concat([header, ...rows, gap, ...arrays.integers, ...arrays.floats, ...arrays.texts, after]);
}

/** The element of Philips in which blobs lie, with one Item for each. */
export function blobs(...items: readonly Item[]): Element[] {
  return [['2005,0010', 'LO', 'Philips MR Imaging DD 002'], ['2005,1032', 'SQ', items]];
}

/** One of them. `said`: how many bytes it says that it has. */
export function blob(name: string, written: string, data: Bytes, said = data.length): Item {
  return [
    ['2005,0010', 'LO', 'Philips MR Imaging DD 002'], ['2005,1037', 'LO', name], ['2005,1038', 'LO', ''], ['2005,1039', 'LO', written],
    ['2005,1043', 'SL', said], ['2005,1044', 'OW', data.length % 2 === 0 ? data : Buffer.concat([data, Buffer.alloc(1)])], ['2005,1047', 'CS', 'Y'],
  ];
}

/** An exam card: XML, and in it as base64 the card, which is XML as well and ended by NUL. */
export function examCard(card: Bytes | string = soapCard()): Buffer {
  const text = Buffer.from(card).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
  return Buffer.from(`<?xml version="1.0" encoding="utf-8"?>\r\n<ExamCardDocument xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\r\n  <name>HEAD</name>\r\n  <ExamCardBlob>${text}</ExamCardBlob>\r\n</ExamCardDocument>\0`);
}

const scan = (number: number): string => `<a1:SingleScan id="ref-${number}" xmlns:a1="http://schemas.microsoft.com/clr/nsassem/PmsExamCards"><name>T1W ${number}</name><parameterData href="#ref-${number + 100}"/></a1:SingleScan>\r\n`;

/** The card itself: XML, ended by NUL. */
export function soapCard(scans = 40): Buffer {
  return Buffer.from(`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">\r\n<SOAP-ENV:Body>\r\n${Array.from({ length: scans }, (_, number) => scan(number)).join('')}</SOAP-ENV:Body>\r\n</SOAP-ENV:Envelope>\r\n\0\0\0\0`);
}

export type VolumeItem = readonly [group: number, element: number, data: Bytes];

/** A Kretz volume with what every one has. */
export function kretzVolume(more: readonly VolumeItem[] = [], after: Bytes = Buffer.alloc(0)): Buffer {
  const items: readonly VolumeItem[] = [
    [0x0001, 0x0002, word(0x0500)], [0x0110, 0x0001, field('Phantom', 8)], [0xc000, 1, half(20)], [0xc000, 2, half(10)], [0xc000, 3, half(5)],
    [0xc300, 1, angles(5)], [0xc300, 2, angles(10)], ...more, [0xd000, 1, Buffer.from(Uint8Array.from({ length: 1000 }, (_, index) => (index * 37) % 251))], [0xffff, 0xffff, Buffer.alloc(0)],
  ];
  return Buffer.concat([Buffer.from('KRETZFILE 1.0   ', 'latin1'), ...items.flatMap(([group, element, data]) => [half(group, element), word(data.length), data]), after]);
}

const inside = (...elements: readonly Element[]): Item => [['7FE1,0010', 'LO', 'GEMS_Ultrasound_MovieGroup_001'], ...elements];

/** A movie of GE's ultrasound devices: sequences in sequences, and in the innermost times and frames. */
export function movie(frames: number, times: Bytes, pixels: Bytes): Element[] {
  const group = inside(['7FE1,1037', 'UL', frames], ['7FE1,1043', 'OB', times], ['7FE1,1060', 'OB', pixels]);
  return inside(['7FE1,1001', 'SQ', [inside(['7FE1,1002', 'LO', '+'], ['7FE1,1010', 'SQ', [inside(['7FE1,1020', 'SQ', [inside(['7FE1,1036', 'SQ', [group]])]])]])]]) as Element[];
}
