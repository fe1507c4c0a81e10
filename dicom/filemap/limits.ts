/** How much the reader reads of one object before it says that it is too much. */
export interface ReaderLimits {
  /** Nesting of sequences. Over 3,845 real objects the deepest has 6 (structured reports); DCMTK stops at 64, which costs nothing to abuse. */
  readonly depthMax: number;
  /** Elements of the whole object, nested ones counted. A CT slice has about 300, a large structured report 50,000. An element costs 40 bytes here. */
  readonly elementsMax: number;
  /** Items and fragments together. An empty item takes 8 bytes of the object and no element, so elements do not bound it. */
  readonly itemsMax: number;
  /** Inflated bytes of a deflated Data Set, at most so many ... */
  readonly inflatedBytesMax: number;
  /** ... and at most so many for each deflated one: real ones have 1.2 to 3.7, a synthetic two-level image 61; a bomb has 1,000. */
  readonly inflatedRatioMax: number;
  /** Granted on top of the ratio, for small objects. */
  readonly inflatedBytesFree: number;
}

export const readerLimits: ReaderLimits = {
  depthMax: 16,
  elementsMax: 200_000,
  itemsMax: 200_000,
  inflatedBytesMax: 1024 * 1024 * 1024,
  inflatedRatioMax: 200,
  inflatedBytesFree: 1024 * 1024,
};

/** For SOP Classes with an item per frame, tile or annotation: whole slides have over 100,000 tiles, each with a few nested elements. */
export const multiFrameReaderLimits: ReaderLimits = { ...readerLimits, elementsMax: 1_000_000, itemsMax: 1_000_000 };

// prettier-ignore
const multiFrameSOPClasses = new Set([
  '2.1', '2.2', '4.1', '4.2', '4.3', '4.4', '6.2', '6.3', '7.1', '7.2', '7.3', '7.4', '12.1.1', '12.2.1', '13.1.1', '13.1.2', '13.1.3', '13.1.4', '13.1.5', '14.1', '14.2',
  '30', '66.4', '66.5', '66.6', '66.7', '66.8', '68.1', '68.2', '77.1.5.4', '77.1.5.7', '77.1.5.8', '77.1.6', '77.1.8', '77.1.9', '81.1', '91.1', '128.1', '130',
  '481.2', '481.3', '481.23', '481.24', '501.1', '501.2.1', '501.2.2', '501.4', '501.5',
].map((suffix) => `1.2.840.10008.5.1.4.1.1.${suffix}`));

/** The limits for a SOP Class, "" where it is not known. */
export function readerLimitsOf(sopClassUID: string): ReaderLimits {
  return multiFrameSOPClasses.has(sopClassUID) ? multiFrameReaderLimits : readerLimits;
}
