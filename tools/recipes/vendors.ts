/** THREATS A3: records of GE and Philips that have a grammar, as devices write them, and what could be hidden in, between and behind their parts. All of it inert. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import { withElements, type Element } from './encode.ts';
import * as inert from './inert.ts';
import { make } from './make.ts';
import { smallCT } from './objects.ts';
import { noise } from './private.ts';
import { blob, blobs, examCard, geProtocol, kretzVolume, movie, parameterFile, protocolLines, soapCard, type Parameter } from './records.ts';
import { clean, held, malformed, malicious, unscannable, type Expected, type Recipe } from './recipe.ts';

function object(name: string, threat: string, why: string, expected: Expected, elements: () => readonly Element[]): Recipe {
  return make({ name, threat, why, expected, elements: () => withElements(smallCT(name), ...elements()) });
}
const benign = (name: string, why: string, elements: () => readonly Element[]): Recipe => object(name, 'benign', why, clean, elements);
const hostile = (name: string, why: string, expected: Expected, elements: () => readonly Element[]): Recipe => object(name, 'A3', why, expected, elements);

const ge = (block: Uint8Array): Element[] => [['0025,0010', 'LO', 'GEMS_SERS_01'], ['0025,101B', 'OB', block]];
const kretz = (volume: Uint8Array): Element[] => [['7FE1,0010', 'LO', 'KRETZ_US'], ['7FE1,1001', 'OB', volume]];
const lines = (): Buffer => Buffer.from(protocolLines());
const xml = (behind = ''): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<protocol>\n${Array.from({ length: 300 }, (_, index) => `  <set name="PARAM_${index}" value="${index * 3}"/>\n`).join('')}</protocol>\n${behind}`);
const times = (frames: number): Buffer => Buffer.from(Float64Array.from({ length: frames }, (_, frame) => frame / 25).buffer);
/** Bytes that are no program, container or text that anything else would find. */
const residue = (length: number): Buffer => Buffer.from(noise(length, 21).map((byte) => 0x80 | byte));

const parameters: readonly Parameter[] = [
  ['CGEN_user_def_key_names', 'text', ['T1', 'head', '', '', '']],
  ['EX_ACQ_flip_angle', 'float', [8, 12.5]],
  ['EX_ACQ_scan_matrix', 'integer', Array.from({ length: 300 }, (_, index) => index * 5)],
  ['EX_GEO_orientation', 'choice', [2]],
];

export const vendorBenign: readonly Recipe[] = [
  benign('ge-protocol-set', 'A protocol block of GE with `set` before each line, and a pad byte behind it.', () => ge(geProtocol(Buffer.from(protocolLines(901, true))))),
  benign('ge-protocol-xml', 'A protocol block of GE as its newer releases write it: XML.', () => ge(geProtocol(xml()))),
  benign('ge-protocol-bare', 'A protocol block of GE without the length before it.', () => ge(geProtocol(lines(), { prefixed: false }))),
  benign('ge-movie', 'A movie of an ultrasound device of GE, in sequences of its own.', () => movie(47, times(47), noise(47 * 900, 22))),
  benign('ge-volume', 'A volume of an ultrasound device of GE.', () => kretz(kretzVolume())),
  benign('philips-parameters', 'The settings of an MR scanner of Philips, in a parameter file of an odd length.', () => blobs(blob('PDF_CONTROL_GEN_PARS', 'IEEE_PDF', parameterFile(parameters)))),
  benign('philips-exam-card', 'An exam card of Philips: XML with base64 of XML in it.', () => blobs(blob('ExamCardBlob', '', examCard()))),
  benign('philips-blobs', 'Blobs of Philips of which one is text and one is binary.', () => blobs(blob('RECON_PARS', 'ASCII', Buffer.from(`\0${Array.from({ length: 60 }, (_, index) => `par_${index} = ${index}`).join('\0')}\0`)), blob('COILSTATE', 'BINARY', noise(900, 23)))),
];

export const vendorHostile: readonly Recipe[] = [
  hostile('ge-protocol-behind', 'A protocol block of GE, and bytes behind its stream that the length counts in.', malformed, () => {
    const whole = geProtocol(lines());
    return ge(geProtocol(lines(), { declared: whole.length - 4 + 700, after: residue(700) }));
  }),
  hostile('ge-protocol-behind-uncounted', 'A protocol block of GE, and bytes behind it.', malformed, () => ge(geProtocol(lines(), { after: residue(700) }))),
  hostile('ge-protocol-member', 'A second packed stream behind that of a protocol: a program.', malicious, () => ge(geProtocol(lines(), { after: gzipSync(inert.pe()) }))),
  hostile('ge-protocol-member-harmless', 'A second packed stream behind that of a protocol, and nothing harmful in it.', malformed, () => ge(geProtocol(lines(), { after: gzipSync(noise(500, 24)) }))),
  hostile('ge-protocol-length', 'A protocol block of GE that says a smaller length than it has.', malformed, () => ge(geProtocol(lines(), { declared: 40 }))),
  hostile('ge-protocol-checksum', 'A protocol block of GE whose checksum is wrong.', malformed, () => ge(geProtocol(lines(), { damaged: true }))),
  hostile('ge-protocol-cut', 'A protocol block of GE whose end is missing.', malformed, () => ge(geProtocol(lines()).subarray(0, -300))),
  hostile('ge-protocol-inside', 'Bytes that are no text behind the lines of a packed protocol.', malformed, () => ge(geProtocol(Buffer.concat([lines(), noise(2000, 25)])))),
  hostile('ge-protocol-text', 'Text of another kind behind the lines of a packed protocol.', malformed, () => ge(geProtocol(Buffer.from(`${protocolLines()}${'nothing that a scanner says; '.repeat(300)}`)))),
  hostile('ge-protocol-eicar', 'The test text of the engines as the value of a line.', malicious, () => ge(geProtocol(Buffer.concat([lines(), Buffer.from('NOTE "'), inert.eicar(), Buffer.from('"\n')])))),
  hostile('ge-protocol-xml-behind', 'Text behind the XML of a packed protocol.', malformed, () => ge(geProtocol(xml('and more of it')))),
  hostile('ge-protocol-xml-definitions', 'A packed protocol in XML with definitions in it.', held, () => ge(geProtocol(Buffer.from(xml().toString().replace('<protocol>', '<!DOCTYPE protocol [<!ENTITY a "b">]><protocol>'))))),
  hostile('ge-protocol-zip', 'A ZIP archive in the element of GE\'s protocol.', held, () => ge(inert.zip())),
  hostile('ge-protocol-bomb', 'A protocol of 100 MiB in 100 KB.', unscannable, () => ge(geProtocol(Buffer.alloc(100 * 1024 * 1024, 'A "B"\n')))),
  hostile('ge-movie-times', 'More times than the movie has frames.', malformed, () => movie(47, Buffer.concat([times(47), residue(3000)]), noise(47 * 900, 22))),
  hostile('ge-movie-frames', 'More frames than the movie has times.', malformed, () => movie(5000, times(47), noise(47 * 900, 22))),
  hostile('ge-movie-pe', 'A program in the frames of a movie.', malicious, () => movie(47, times(47), Buffer.concat([noise(5000, 26), inert.pe(), noise(5000, 27)]))),
  hostile('ge-volume-behind', 'Bytes behind the last item of a volume.', malformed, () => kretz(kretzVolume([], residue(3000)))),
  hostile('ge-volume-zip', 'A ZIP archive as an item of a volume.', held, () => kretz(kretzVolume([[0x0150, 0x0099, inert.zip()]]))),
  hostile('ge-volume-deflate', 'A packed program without any header as an item of a volume.', malicious, () => kretz(kretzVolume([[0x0150, 0x0099, deflateRawSync(Buffer.concat([inert.pe(), noise(4000, 28)]))]]))),
  hostile('philips-parameters-gap', 'Bytes between the parameters of a file and their values.', malformed, () => blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', parameterFile(parameters, residue(6000))))),
  hostile('philips-parameters-behind', 'Bytes behind the last value of a parameter file.', malformed, () => blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', parameterFile(parameters, Buffer.alloc(0), residue(6000))))),
  hostile('philips-blob-behind', 'A blob with more bytes than it says.', malformed, () => blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', Buffer.concat([parameterFile(parameters), residue(900)]), parameterFile(parameters).length))),
  hostile('philips-blob-length', 'A blob with fewer bytes than it says.', malformed, () => blobs(blob('PDF_PREP_PARS', 'IEEE_PDF', parameterFile(parameters), 100_000))),
  hostile('philips-blob-text', 'A blob that says that it is text, and is not.', malformed, () => blobs(blob('RECON_PARS', 'ASCII', noise(3000, 29)))),
  hostile('philips-exam-card-behind', 'Bytes behind the NUL that ends an exam card.', malformed, () => blobs(blob('ExamCardBlob', '', Buffer.concat([examCard(), residue(6000)])))),
  hostile('philips-exam-card-broken', 'An exam card with text behind its root.', malformed, () => blobs(blob('ExamCardBlob', '', Buffer.concat([examCard().subarray(0, -1), Buffer.from('<more/>and more')])))),
  hostile('philips-exam-card-card', 'Bytes behind the card in an exam card.', malformed, () => blobs(blob('ExamCardBlob', '', examCard(Buffer.concat([soapCard(), residue(6000)]))))),
  hostile('philips-exam-card-pe', 'A program in the place of the card of an exam card.', malicious, () => blobs(blob('ExamCardBlob', '', examCard(inert.pe())))),
];
