/** Values of the Data Set: private and public, opaque, numeric and text. */
import { encode, header, itemHeader, undefinedLength, type Element, type Item } from '../recipes/encode.ts';
import { blob, blobs, examCard, geProtocol, kretzVolume, protocolLines } from '../recipes/records.ts';
import { bases, nativeBases, type Base } from './bases.ts';
import { filledUp, surrounded, words } from './draft.ts';
import { below, pick, type Random } from './payloads.ts';
import type { Place } from './place.ts';

/** Blocks that every archive has, so that everyone lets them through. */
const vendors: readonly (readonly [group: string, creator: string, element: string])[] = [
  ['0029', 'SIEMENS CSA HEADER', '1010'], ['0029', 'SIEMENS CSA HEADER', '1020'], ['0029', 'SIEMENS MEDCOM HEADER', '1020'], ['0021', 'SIEMENS MR SDS 01', '1019'], ['0009', 'GEMS_IDEN_01', '1027'],
  ['0043', 'GEMS_PARM_01', '1029'], ['0025', 'GEMS_SERS_01', '101B'], ['0019', 'GEMS_ACQU_01', '10A1'], ['2005', 'Philips MR Imaging DD 005', '1484'], ['2001', 'Philips Imaging DD 001', '105F'],
  ['7053', 'Philips PET Private Group', '1000'], ['7FE1', 'GEMS_Ultrasound_MovieGroup_001', '1060'], ['0009', 'TOSHIBA_MEC_MR3', '1003'], ['0029', 'INTELERAD MEDICAL SYSTEMS', '1010'], ['0033', 'MITRA OBJECT UTF8 ATTRIBUTES 1.0', '1013'],
];

const privateBlock = (vr: string, value: Uint8Array, group = '0009', creator = 'ACME 1.1', element = '1001'): Element[] => [[`${group},0010`, 'LO', creator], [`${group},${element}`, vr, value]];
const opaque = (random: Random): string => pick(random, ['OB', 'UN', 'OB', 'UN', 'UT', 'LT', 'ST', 'OW']);
/** Bytes of a value of this VR that are the payload's in the file. */
const valueOf = (vr: string, bytes: Buffer, base: Base): Buffer => (vr === 'OW' ? words(bytes, base) : bytes);

function csaTag(name: string, vr: string, value: Buffer): Buffer {
  const head = Buffer.alloc(84);
  head.write(name, 'latin1');
  head.writeInt32LE(1, 64);
  head.write(vr, 68, 'latin1');
  head.writeInt32LE(1, 76);
  head.writeInt32LE(77, 80);
  const item = Buffer.alloc(16);
  for (const [index, number] of [value.length, value.length, 77, value.length].entries()) item.writeInt32LE(number, index * 4);
  return Buffer.concat([head, item, filledUp(value, 4)]);
}

/** A Siemens CSA header whose second tag has the payload as its item: right by its own grammar. */
function csaHeader(payload: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.write('SV10\u0004\u0003\u0002\u0001', 'latin1');
  head.writeUInt32LE(2, 8);
  head.writeUInt32LE(77, 12);
  return Buffer.concat([head, csaTag('EchoLinePosition', 'IS', Buffer.from('64\0')), csaTag('MrPhoenixProtocol', 'UN', payload)]);
}

/** An ICC profile (ISO 15076-1) with one tag, which is private and holds the payload. */
function colourProfile(payload: Buffer): Buffer {
  const head = Buffer.alloc(144);
  const data = filledUp(Buffer.concat([Buffer.from('data\0\0\0\0\0\0\0\u0001', 'latin1'), payload]), 4);
  head.writeUInt32BE(head.length + data.length, 0);
  head.writeUInt32BE(0x04200000, 8);
  head.write('mntrRGB XYZ ', 12, 'latin1');
  head.write('acsp', 36, 'latin1');
  head.set([0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d], 68);
  head.writeUInt32BE(1, 128);
  head.write('priv', 132, 'latin1');
  head.writeUInt32BE(head.length, 136);
  head.writeUInt32BE(data.length, 140);
  return Buffer.concat([head, data]);
}

/** A sequence of one Item in another, `levels` deep. */
function nested(levels: number, innermost: Item): Element {
  return ['0040,A730', 'SQ', [levels <= 1 ? innermost : [nested(levels - 1, innermost)]]];
}

const value = (name: string, put: (payload: Buffer, random: Random, base: Base) => readonly Element[], more: Partial<Place> = {}): Place => ({
  name, bases, ...more, put: (base, payload, random, object) => ({ base, name: object, elements: put(payload, random, base) }),
});
const text = (name: string, put: (payload: Buffer, random: Random, base: Base) => readonly Element[], bytesMax = 60_000, more: Partial<Place> = {}): Place => value(name, put, { isText: true, bytesMax, ...more });

const explicitNative = bases.filter((base) => base.encoding === 'explicit');

export const placesValues: readonly Place[] = [
  value('private value', (payload, random, base) => {
    const vr = opaque(random);
    return privateBlock(vr, valueOf(vr, payload, base));
  }, { bytesMax: 60_000 }),
  value('private value, at an offset', (payload, random, base) => {
    const vr = pick(random, ['OB', 'UN', 'OW']);
    return privateBlock(vr, valueOf(vr, surrounded(payload, random, 1 + below(random, random() < 0.5 ? 300 : 40_000), below(random, 2000)), base));
  }, { isInside: true }),
  value('private value, at its end', (payload, random) => privateBlock(pick(random, ['OB', 'UN']), surrounded(payload, random, 16 + below(random, 20_000), 0)), { isInside: true }),
  value('private value of a vendor', (payload, random) => {
    const [group, creator, element] = pick(random, vendors);
    return privateBlock(random() < 0.5 ? 'OB' : 'UN', surrounded(payload, random, random() < 0.5 ? 0 : below(random, 5000), 0), group, creator, element);
  }, { isInside: true }),
  value('Siemens CSA header', (payload, random) => privateBlock(random() < 0.5 ? 'OB' : 'UN', csaHeader(payload), '0029', 'SIEMENS CSA HEADER', random() < 0.5 ? '1010' : '1020')),
  value('GE protocol, in the stream', (payload) => privateBlock('OB', geProtocol(Buffer.concat([Buffer.from(protocolLines(200)), payload])), '0025', 'GEMS_SERS_01', '101B'), { isInside: true }),
  value('GE protocol, behind the stream', (payload, random) => {
    const block = geProtocol(Buffer.from(protocolLines(200)));
    return privateBlock(random() < 0.5 ? 'OB' : 'UN', geProtocol(Buffer.from(protocolLines(200)), random() < 0.5 ? { after: payload } : { after: payload, declared: block.length - 4 + payload.length }), '0025', 'GEMS_SERS_01', '101B');
  }, { isInside: true }),
  value('item of a GE volume', (payload) => privateBlock('OB', kretzVolume([[0x0150, 0x0099, payload]]), '7FE1', 'KRETZ_US', '1001')),
  value('Philips blob', (payload, random, base) => blobs(blob(pick(random, ['COILSTATE', 'PDF_PREP_PARS', 'RECON_PARS']), pick(random, ['BINARY', 'IEEE_PDF', 'ASCII']), words(payload, base)))),
  value('card of a Philips exam card', (payload, _, base) => blobs(blob('ExamCardBlob', '', words(examCard(payload), base)))),
  value('private numbers', (payload, random) => {
    const vr = pick(random, ['FD', 'FL', 'UL', 'SL', 'US', 'SS', 'AT', 'OF', 'OL', 'OD', 'OV', 'SV', 'UV']);
    return privateBlock(vr, filledUp(payload, 8));
  }, { bytesMax: 60_000 }),
  value('private short text', (payload, random) => privateBlock(pick(random, ['LO', 'SH', 'CS', 'PN', 'AE', 'IS', 'DS', 'UI']), payload), { bytesMax: 60_000 }),
  value('private value without creator', (payload, random) => [[`00${pick(random, ['09', '11', '19', '29'])},1001`, pick(random, ['OB', 'UN']), payload]]),
  value('private creator', (payload) => [['0009,0010', 'LO', payload], ['0009,1001', 'LO', 'X']], { bytesMax: 60_000 }),
  value('private, in nested Items', (payload, random) => [nested(1 + below(random, 12), privateBlock(pick(random, ['OB', 'UN']), payload))]),
  value('private sequence, in nested Items', (payload, random) => privateSequence(2 + below(random, 8), payload, random)),
  value('reserved private element', (payload) => [['0009,0002', 'OB', payload]]),
  { name: 'sequence as UN of undefined length', bases: explicitNative, put: (base, payload, _, name) => ({ base, name, elements: [['0009,0010', 'LO', 'ACME 1.1']], raw: [['0009,1001', Buffer.concat([
    header('0009,1001', 'UN', undefinedLength), itemHeader('FFFE,E000', undefinedLength), encode([['0009,0010', 'LO', 'ACME 1.1'], ['0009,1002', 'OB', payload]], 'implicit'), itemHeader('FFFE,E00D', 0), itemHeader('FFFE,E0DD', 0)])]] }) },
  value('sequence as UN of defined length', (payload) => {
    const item = encode([['0009,0010', 'LO', 'ACME 1.1'], ['0009,1002', 'OB', payload]], 'implicit');
    return privateBlock('UN', Buffer.concat([itemHeader('FFFE,E000', item.length), item]));
  }),
  value('group length', (payload) => [['0009,0000', 'OB', payload]]),
  value('forbidden group', (payload, random) => [[`000${pick(random, ['1', '3', '5', '7'])},1010`, 'OB', payload]]),
  value('unknown public element', (payload, random) => [[`0020,9F${below(random, 256).toString(16).padStart(2, '0')}`, pick(random, ['OB', 'UN']), payload]]),
  value('ICC profile', (payload) => [['0028,2000', 'OB', colourProfile(payload)]], { isInside: true }),
  value('instead of an ICC profile', (payload) => [['0028,2000', 'OB', payload]]),
  value('certificate of a signature', (payload) => [['FFFA,FFFA', 'SQ', [[['0400,0005', 'US', 1], ['0400,0110', 'CS', 'X509_1993_SIG'], ['0400,0115', 'OB', payload], ['0400,0120', 'OB', Buffer.alloc(128, 7)]]]]], { bases: nativeBases }),
  value('encrypted attributes', (payload) => [['0400,0500', 'SQ', [[['0400,0510', 'UI', '1.2.840.10008.1.2.1'], ['0400,0520', 'OB', payload]]]]]),
  value('surface points', (payload) => [['0066,0002', 'SQ', [[['0066,0011', 'SQ', [[['0066,0015', 'UL', Math.ceil(payload.length / 12)], ['0066,0016', 'OF', filledUp(payload, 12)]]]]]]]]),
  value('surface indices', (payload) => [['0066,0002', 'SQ', [[['0066,0013', 'SQ', [[['0066,0040', 'OL', filledUp(payload, 4)]]]]]]]]),
  value('annotation graphic', (payload) => [['0070,0001', 'SQ', [[['0070,0009', 'SQ', [[['0070,0020', 'US', 2], ['0070,0021', 'US', Math.floor(filledUp(payload, 8).length / 8) & 0xffff], ['0070,0022', 'FL', filledUp(payload, 8)]]]]]]]], { bytesMax: 60_000 }),
  text('unlimited text', (payload) => [['0040,A160', 'UT', payload]], 1e9),
  text('unlimited characters', (payload) => [['0008,0119', 'UC', payload]], 1e9),
  text('URL', (payload) => [['0040,E010', 'UR', payload]], 1e9),
  text('long text', (payload) => [['0020,4000', 'LT', payload]]),
  text('short text', (payload) => [['0008,0081', 'ST', payload]]),
  text('text, at an offset', (payload, random) => [['0020,4000', 'LT', surrounded(payload, random, 1 + below(random, 3000), below(random, 200))]], 60_000, { isInside: true }),
  text('report text, in nested Items', (payload, random) => [nested(1 + below(random, 10), [['0040,A160', 'UT', payload]])], 1e9),
  text('long string', (payload) => [['0008,103E', 'LO', payload]]),
  text('name', (payload, random) => [[pick(random, ['0008,0090', '0010,0010']), 'PN', payload]]),
  value('number as text', (payload, random) => [random() < 0.5 ? ['0018,0050', 'DS', payload] : ['0020,0012', 'IS', payload]], { bytesMax: 60_000 }),
  value('date, time or age', (payload, random) => [pick(random, [['0008,0021', 'DA', payload], ['0008,0031', 'TM', payload], ['0010,1010', 'AS', payload]] as const)], { bytesMax: 60_000 }),
];

function privateSequence(levels: number, payload: Buffer, random: Random): Element[] {
  const inner: Item = levels <= 1 ? privateBlock(pick(random, ['OB', 'UN']), payload) : privateSequence(levels - 1, payload, random);
  return [['0009,0010', 'LO', 'ACME 1.1'], ['0009,1001', 'SQ', [inner]]];
}
