/**
 * "Inside the inside": what is packed into an object, unpacked to its last part. The encapsulated document, values that begin as containers,
 * documents or pictures do, and what others have unpacked already (`reading.parts`) are opened, and so is what comes out, to a depth.
 *
 * Parts come one at a time, each before what is inside of it, so that one path of them is in memory. All limits are of the object as a whole.
 * Where DICOM has no place for a container it is held whatever is in it; it is opened all the same, since a malicious part is to be named.
 */
import { tagText } from '@lazaret/dicom/dictionary/dictionary.ts';
import { vrCode, type Part, type Reading } from '../reading.ts';
import { readBytesMax } from '../filesource.ts';
import { openXML } from './cda.ts';
import { openCompound } from './compound.ts';
import { Budget, LimitReached, depthMax, slackBytesMax, type Inner, type Opener, type Said } from './contract.ts';
import { documentTags, expectedOf, isStructured } from './document.ts';
import { openGzip } from './gzip.ts';
import { headerBytes, kindNamed, recognise, recognisedBytesMin, type Kind, type Recognised } from './kinds.ts';
import { openMTL, openOBJ, openSTL } from './models.ts';
import { openPDF } from './pdf/pdf.ts';
import { openBMP, openGIF, openJPEG, openPNG } from './pictures.ts';
import { openPage, openRTF } from './richtext.ts';
import { openTar } from './tar.ts';
import { openZip } from './zip.ts';

const openers: Readonly<Record<Exclude<Kind, 'sealed'>, Opener>> = {
  pdf: openPDF, zip: openZip, gzip: openGzip, tar: openTar, compound: openCompound, rtf: openRTF, page: openPage, xml: openXML,
  stl: openSTL, obj: openOBJ, mtl: openMTL, jpeg: openJPEG, png: openPNG, gif: openGIF, bmp: openBMP,
};

/** Where something lies, for people and for the findings about it. */
interface Place {
  /** "(0029,1020)", "part a.zip of the ZIP file in (0029,1020)". */
  readonly text: string;
  readonly at: Part['at'];
  readonly tag: string;
  readonly region: 'document' | 'other';
  readonly depth: number;
}

/** VRs whose values are opaque to readers of DICOM. */
const opaque: ReadonlySet<number> = new Set(['OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN'].map(vrCode));
const sequence = vrCode('SQ');
/** Longest text of where something is: findings have a limit of their own. */
const placeTextMax = 220;
/** A tar has its mark at 257, a PDF its header in the first KiB. */
const recognisedFromBytes = headerBytes + 1024;

/** Every part of an object, as it is unpacked. Findings are added to `reading`. */
export function* partsOf(reading: Reading, budget = new Budget()): Generator<Part, void, void> {
  yield* new Unpacking(reading, budget).all();
}

class Unpacking {
  readonly #reading: Reading;
  readonly #budget: Budget;

  constructor(reading: Reading, budget: Budget) {
    this.#reading = reading;
    this.#budget = budget;
  }

  *all(): Generator<Part, void, void> {
    const { parts } = this.#reading;
    let done = 0;
    try {
      yield* this.#values();
      while (done < parts.length) {
        const part = parts[done]!;
        done += 1;
        yield part;
        const place: Place = { text: part.name, at: part.at, tag: part.tag ?? '', region: part.region === 'document' ? 'document' : 'other', depth: part.depth ?? 1 };
        yield* this.#recognised(Buffer.from(part.bytes.buffer, part.bytes.byteOffset, part.bytes.length), place);
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      this.#say(this.#last, 'part-limit', `What is packed into ${this.#last.text} ${error.message}.`);
      // What others unpacked is in memory; it is scanned as it is.
      for (; done < parts.length; done += 1) yield parts[done]!;
    }
  }

  #last: Place = { text: 'the object', at: { offset: 0, length: 0 }, tag: '', region: 'other', depth: 0 };

  /** Also in Items, where the standard has none: what looks for documents finds them there. */
  *#document(index: number): Generator<Part, void, void> {
    const reading = this.#reading;
    const place = this.#placeOf(index, 'document');
    const length = reading.length(index);
    if (length > readBytesMax) {
      reading.add('document-unscannable', index, `An encapsulated document of ${length} bytes is more than is looked through (${readBytesMax}).`);
      return;
    }
    const bytes = Buffer.from(reading.bytes(index));
    const expected = expectedOf(reading.text(reading.siblings(index)(documentTags.type)), reading.text(reading.top(documentTags.sopClassUID)));
    // What is opened by its structure comes in parts.
    if (!isStructured(expected)) yield { name: `the document in ${place.text}`, bytes, at: place.at, tag: place.tag, region: place.region, depth: 0, verbatim: true };
    yield* this.#expected(bytes, expected, place);
  }

  /** A document whose kind is declared: it must be of that kind, and is opened as what it is and as what it says. */
  *#expected(bytes: Buffer, expected: Exclude<Kind, 'sealed'> | 'text' | null, place: Place): Generator<Part, void, void> {
    const found = recognise(bytes);
    const hasPDF = bytes.subarray(0, headerBytes).indexOf('%PDF-', 0, 'latin1') >= 0;
    if (expected === null) {
      if (found === null) this.#say(place, 'document-unscannable', `What is in ${place.text} is a document of a kind that cannot be looked through.`);
      else yield* this.#open(found, bytes, place);
      return;
    }
    if (found !== null && found.kind !== expected) {
      this.#say(place, 'document-disguised', `What is in ${place.text} is declared as ${expected === 'text' ? 'text' : kindNamed(expected).name.replace(/^the /, '')} and begins as ${found.name.replace(/^the /, '')} does.`);
      yield* this.#open(found, bytes, place);
    } else if ((expected === 'pdf' && !hasPDF) || (expected === 'xml' && !/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0\s]*</.test(bytes.toString('latin1', 0, 64)))) {
      this.#say(place, 'document-disguised', `What is in ${place.text} is declared as ${kindNamed(expected).name.replace(/^the /, '')} and is none.`);
      return;
    }
    if (expected === 'text' && found === null && controlsIn(bytes) > slackBytesMax) this.#say(place, 'document-disguised', `What is in ${place.text} is declared as text and is none.`);
    if (expected !== 'text' && (expected !== 'pdf' || hasPDF)) yield* this.#open(kindNamed(expected), bytes, place);
  }

  *#values(): Generator<Part, void, void> {
    const { elements, pixelData, dataSetSource } = this.#reading.mapped;
    for (let index = 0; index < elements.count; index += 1) {
      const length = elements.valueLengths[index]!;
      const tag = elements.tags[index]!;
      if (tag === documentTags.document) {
        if (length > 0) yield* this.#document(index);
        continue;
      }
      if (length < recognisedBytesMin || index === pixelData || elements.vrs[index] === sequence || tag < 0x00030000 || tag >= 0x7fe00000) continue;
      if (((tag >>> 16) & 1) === 0 && !opaque.has(elements.vrs[index]!)) continue;
      const view = dataSetSource.read(elements.valueOffsets[index]!, Math.min(length, recognisedFromBytes));
      const head = Buffer.from(view.buffer, view.byteOffset, view.length);
      const kind = recognise(head);
      // Packed streams in values are contentbulkpacked.ts's; what it unpacks comes back as a part.
      if (kind === null || kind.kind === 'gzip') continue;
      if (length > readBytesMax) {
        this.#reading.add('container-unscannable', index, `A value of ${length} bytes begins as a container does and is more than is unpacked (${readBytesMax}).`);
        continue;
      }
      yield* this.#open(kind, Buffer.from(this.#reading.bytes(index)), this.#placeOf(index, 'other'));
    }
  }

  #placeOf(index: number, region: Place['region']): Place {
    const { valueOffsets, valueLengths, tags } = this.#reading.mapped.elements;
    const tag = tagText(tags[index]!);
    return { text: tag, at: { offset: valueOffsets[index]!, length: valueLengths[index]! }, tag, region, depth: 0 };
  }

  *#recognised(bytes: Buffer, place: Place): Generator<Part, void, void> {
    const found = recognise(bytes);
    if (found !== null) yield* this.#open(found, bytes, place);
  }

  *#open(found: Recognised, bytes: Buffer, place: Place): Generator<Part, void, void> {
    this.#last = place;
    const subject = `${found.name} in ${place.text}`;
    if (found.holds !== 'nothing' && !(place.region === 'document' && found.kind === 'pdf')) this.#holds(found, subject, place);
    if (found.kind === 'sealed') return;
    if (place.depth >= depthMax) {
      this.#say(place, 'part-limit', `${capital(subject)} is packed deeper than is looked at (${depthMax} levels).`);
      return;
    }
    const budget = this.#budget;
    const opened = openers[found.kind]({ bytes, budget, say: (code, predicate) => this.#say(place, code, `${capital(subject)} ${predicate}.`) });
    for (const inner of opened) {
      budget.takeInner();
      budget.step(1 + (inner.bytes.length >>> 10));
      yield* this.#inner(inner, subject, place);
    }
  }

  *#inner(inner: Inner, subject: string, place: Place): Generator<Part, void, void> {
    const name = shortened(`${inner.name} of ${subject}`);
    this.#last = { ...place, text: name, depth: place.depth + 1 };
    const inside = this.#last;
    yield { name, bytes: inner.bytes, at: place.at, tag: place.tag, region: place.region, depth: place.depth, ...(inner.numbers === true ? { numbers: true } : {}) };
    if (inner.opened === false) return;
    if (inner.declared !== undefined && inner.declared !== '') yield* this.#expected(inner.bytes, expectedOf(inner.declared, ''), inside);
    else yield* this.#recognised(inner.bytes, inside);
  }

  /** Containers and documents where none belong; the rule of values has said so of those that it knows. */
  #holds(found: Recognised, subject: string, place: Place): void {
    const code = found.holds === 'files' ? 'container-content' : 'document-content';
    if (place.depth === 0 && this.#reading.findings.some((known) => known.code === code && known.tag === place.tag)) return;
    this.#say(place, code, found.kind === 'sealed' ? `${capital(subject)} cannot be looked into.` : `${capital(subject)} has no place there.`);
  }

  #say(place: Place, code: Said, text: string): void {
    this.#reading.addAt(code, place.at.offset, place.at.length, place.tag, text, true);
  }
}

/** Bytes that no text has, whatever its characters: those below a blank, but for white space and the escapes of ISO 2022. Zeros are half of UTF-16. */
function controlsIn(bytes: Buffer): number {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  let count = 0;
  for (const byte of bytes) if (byte < 0x20 && byte !== 0x1b && (byte < 0x09 || byte > 0x0d) && !(isWide && byte === 0)) count += 1;
  return count;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The part itself and where it begins; what lies between is left out where it is long. */
function shortened(text: string): string {
  return text.length <= placeTextMax ? text : `${text.slice(0, 150)} … ${text.slice(-60)}`;
}
