/** Media types of DICOMweb answers (PS3.18 §8.7.3) and the choice among them by Accept (§8.7.5, RFC 9110 §12.5.1). */
import { parseMediaType, type MediaType } from '@lazaret/dicom/web/mediatype.ts';

/** Longest Accept that is looked at, header and query parameter each: OHIF's with all its transfer syntaxes has about 1,500 characters. */
const acceptLengthMax = 8192;
const rangesMax = 64;

export const explicitVRLittleEndian = '1.2.840.10008.1.2.1';
export const explicitVRBigEndian = '1.2.840.10008.1.2.2';

/** Media type of the frames of an encapsulated transfer syntax (PS3.18 Table 8.7.3-5). Anything else is only known as octets. */
const frameMediaTypes: readonly (readonly [mediaType: string, prefix: string, last: readonly string[]])[] = [
  ['image/jpeg', '1.2.840.10008.1.2.4.', ['50', '51', '57', '70']],
  ['image/jls', '1.2.840.10008.1.2.4.', ['80', '81']],
  ['image/jp2', '1.2.840.10008.1.2.4.', ['90', '91']],
  ['image/jpx', '1.2.840.10008.1.2.4.', ['92', '93']],
  ['video/mpeg', '1.2.840.10008.1.2.4.', ['100', '100.1', '101', '101.1']],
  ['video/mp4', '1.2.840.10008.1.2.4.', ['102', '102.1', '103', '103.1', '104', '104.1', '105', '105.1', '106', '106.1']],
  ['video/H265', '1.2.840.10008.1.2.4.', ['107', '108']],
  ['image/jxl', '1.2.840.10008.1.2.4.', ['110', '111', '112']],
  ['image/jphc', '1.2.840.10008.1.2.4.', ['201', '202', '203']],
  ['image/dicom-rle', '1.2.840.10008.1.2.', ['5']],
];
const frameMediaTypeOf: ReadonlyMap<string, string> = new Map(frameMediaTypes.flatMap(([mediaType, prefix, last]) => last.map((one) => [prefix + one, mediaType] as const)));

export function frameMediaType(transferSyntaxUID: string): string {
  return frameMediaTypeOf.get(transferSyntaxUID) ?? 'application/octet-stream';
}

/** One way in which an answer can be given. */
export interface Offer {
  /** `application/dicom+json`; for multipart the type of its parts. */
  readonly type: string;
  readonly multipart: boolean;
  /** Those of all that would be in the answer. Empty where transfer syntaxes say nothing, as for metadata. */
  readonly transferSyntaxUIDs: readonly string[];
}

interface Range {
  readonly mediaType: MediaType;
  readonly quality: number;
}

/**
 * The offer that the user agent likes best; of equals the first. null: none is acceptable (406).
 * `accept` of the query goes before the header (PS3.18 §8.3.3.1). Without either, everything is acceptable.
 *
 * A range without a transfer-syntax parameter accepts what is stored. The standard's default there is Explicit VR Little Endian, which for
 * compressed objects means decoding them; the answer says in each part's Content-Type which transfer syntax it has.
 */
export function chooseOffer(offers: readonly Offer[], header: string | undefined, parameter: string | null): Offer | null {
  // In a query "+" is a space.
  const ranges = parseAccept(parameter === null ? header ?? '' : parameter.replace(/ (?=(?:json|xml|octet-stream)\b)/g, '+'));
  if (ranges.length === 0) return parameter === null && (header === undefined || header.trim() === '') ? offers[0] ?? null : null;
  let best: Offer | null = null;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) [best, bestQuality] = [offer, quality];
  }
  return best;
}

/** The quality of the most specific range; with transfer syntaxes, each must be accepted and the least one counts. */
function qualityOf(offer: Offer, ranges: readonly Range[]): number {
  const syntaxes = offer.transferSyntaxUIDs.length === 0 ? [null] : offer.transferSyntaxUIDs;
  return Math.min(...syntaxes.map((syntax) => {
    let [quality, specificity] = [0, -1];
    for (const range of ranges) {
      const found = specificityOf(offer, range.mediaType, syntax);
      if (found > specificity) [quality, specificity] = [range.quality, found];
    }
    return quality;
  }));
}

/** How specifically a range names an offer: -1 not at all, 0 by "*" alone, higher for more. */
function specificityOf(offer: Offer, { type, parameters }: MediaType, syntax: string | null): number {
  let specificity: number;
  if (type === '*/*') {
    specificity = 0;
  } else if (offer.multipart) {
    const parts = parameters.get('type')?.toLowerCase();
    if (type === 'multipart/*') specificity = 1;
    else if (type !== 'multipart/related') return -1;
    else if (parts === undefined || parts === '*/*') specificity = 2;
    else if (parts === offer.type.toLowerCase()) specificity = 4;
    else if (parts.endsWith('/*') && offer.type.startsWith(parts.slice(0, -1))) specificity = 3;
    else return -1;
  } else if (type === offer.type.toLowerCase()) {
    specificity = 4;
  } else if (type === 'application/json' && offer.type === 'application/dicom+json') {
    // Common among clients that know JSON only; the bytes are the same.
    specificity = 3;
  } else if (type.endsWith('/*') && offer.type.startsWith(type.slice(0, -1))) {
    specificity = 1;
  } else {
    return -1;
  }
  const wanted = parameters.get('transfer-syntax');
  if (wanted === undefined || syntax === null) return specificity;
  return wanted === '*' ? specificity + 0.25 : wanted === syntax ? specificity + 0.5 : -1;
}

/** Media ranges with their q; what cannot be read is left out. */
function parseAccept(text: string): readonly Range[] {
  if (text.length > acceptLengthMax) return [];
  const ranges: Range[] = [];
  for (const part of text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []) {
    const mediaType = ranges.length < rangesMax ? parseMediaType(part.trim()) : null;
    if (mediaType === null) continue;
    const q = mediaType.parameters.get('q') ?? '1';
    ranges.push({ mediaType, quality: /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0 });
  }
  return ranges;
}
