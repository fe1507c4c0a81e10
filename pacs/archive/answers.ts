/** From rows of the index to the attributes of a search result (PS3.18 Tables 10.6.3-3, 10.6.3-4 and 10.6.3-5). */
import type { Query } from '@lazaret/dicom/web/query.ts';
import { indexedAttributes, type Level } from './attributes.ts';
import type { JSONDataSet } from './metadata.ts';

/** What lies above, from the URL. */
export interface SearchScope {
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
}

/** What a search selects; only the columns of the level and of those above are there. */
export interface Row {
  readonly studyInstanceUID: string;
  readonly studyAttributes: string;
  readonly modalitiesInStudy: string;
  readonly numberOfSeries: number;
  readonly numberOfInstances: number;
  readonly seriesInstanceUID?: string;
  readonly seriesAttributes?: string;
  readonly numberOfSeriesInstances?: number;
  readonly instanceKey?: number;
  readonly sopInstanceUID?: string;
  readonly sopClassUID?: string;
  readonly transferSyntaxUID?: string;
  readonly instanceNumber?: number | null;
  readonly rows?: number | null;
  readonly columns?: number | null;
  readonly bitsAllocated?: number | null;
  readonly numberOfFrames?: number | null;
}

const returnedTags: Readonly<Record<Level, ReadonlySet<string>>> = {
  study: new Set(indexedAttributes.filter((one) => one.level === 'study' && one.returned).map((one) => one.tag)),
  series: new Set(indexedAttributes.filter((one) => one.level === 'series' && one.returned).map((one) => one.tag)),
  instance: new Set(indexedAttributes.filter((one) => one.level === 'instance' && one.returned).map((one) => one.tag)),
};
/** What the index counts or knows better than any one object: never taken from a document. */
const computedTags: ReadonlySet<string> = new Set(indexedAttributes.filter((one) => one.computed).map((one) => one.tag));

/**
 * The attributes of one result, in the order of their tags. Of the levels above, those are left out whose UID the user agent gave
 * in the URL, unless it asks for them. `document` is the object's metadata, or null where it is not needed.
 */
export function composeRow(level: Level, scope: SearchScope, query: Query, row: Row, document: JSONDataSet | null): Record<string, unknown> {
  const wanted = new Set(query.includeFields.map((path) => path[0]!.tag));
  // An attribute that was matched is returned (PS3.18 §10.6.3.3).
  for (const condition of query.conditions) wanted.add(condition.path[0]!.tag);
  const found: [tag: string, attribute: unknown][] = [['00080005', { vr: 'CS', Value: ['ISO_IR 192'] }], ['00080056', { vr: 'CS', Value: ['ONLINE'] }]];
  const add = (of: Level, attributes: Record<string, unknown>, above: boolean): void => {
    for (const tag in attributes) {
      if (wanted.has(tag) || (!above && (query.includeAll || returnedTags[of].has(tag)))) found.push([tag, attributes[tag]]);
    }
  };

  const studyAbove = level !== 'study' && scope.studyInstanceUID !== undefined;
  add('study', {
    ...JSON.parse(row.studyAttributes) as object,
    '0020000D': { vr: 'UI', Value: [row.studyInstanceUID] },
    '00080061': texts('CS', row.modalitiesInStudy.split('\\').filter((one) => one !== '')),
    '00201206': numbers('IS', row.numberOfSeries),
    '00201208': numbers('IS', row.numberOfInstances),
  }, studyAbove);
  if (studyAbove && !wanted.has('0020000D')) found.push(['0020000D', { vr: 'UI', Value: [row.studyInstanceUID] }]);
  if (level !== 'study') {
    const seriesAbove = level === 'instance' && scope.seriesInstanceUID !== undefined;
    add('series', { ...JSON.parse(row.seriesAttributes!) as object, '0020000E': { vr: 'UI', Value: [row.seriesInstanceUID] }, '00201209': numbers('IS', row.numberOfSeriesInstances!) }, seriesAbove);
    if (seriesAbove && !wanted.has('0020000E')) found.push(['0020000E', { vr: 'UI', Value: [row.seriesInstanceUID] }]);
  }
  if (level === 'instance') {
    add('instance', {
      '00080016': { vr: 'UI', Value: [row.sopClassUID] }, '00080018': { vr: 'UI', Value: [row.sopInstanceUID] }, '00083002': { vr: 'UI', Value: [row.transferSyntaxUID] },
      '00200013': numbers('IS', row.instanceNumber), '00280008': numbers('IS', row.numberOfFrames), '00280010': numbers('US', row.rows), '00280011': numbers('US', row.columns),
      '00280100': numbers('US', row.bitsAllocated),
    }, false);
    if (document !== null) addDocument(document, query.includeAll, wanted, found);
  }
  return Object.fromEntries(found.filter(([, attribute]) => attribute !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Attributes of the object itself. Bulk data stay where they are: a search result has none. */
function addDocument(document: JSONDataSet, all: boolean, wanted: ReadonlySet<string>, found: [string, unknown][]): void {
  const have = new Set(found.map(([tag]) => tag));
  for (const tag in document) {
    const attribute = document[tag]!;
    if ((all || wanted.has(tag)) && !have.has(tag) && !computedTags.has(tag) && !JSON.stringify(attribute).includes('"BulkDataURI"')) found.push([tag, attribute]);
  }
}

function texts(vr: string, values: readonly string[]): unknown {
  return values.length === 0 ? { vr } : { vr, Value: values };
}

function numbers(vr: string, value: number | null | undefined): unknown {
  return value === null || value === undefined ? undefined : { vr, Value: [value] };
}
