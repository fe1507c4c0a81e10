/** A file map as lines for people: offsets, lengths, kinds, tags with keywords; then the problems. Also the form of the goldens. */
import { attributeOf, tagText } from '../dictionary/dictionary.ts';
import { vrCode } from '../dataset/vrs.ts';
import { spanKinds, type MappedObject, type SpanTable } from './contract.ts';
import { problemKinds } from './problems.ts';

/** Spans beyond so many are counted, not written. */
const linesMaxByDefault = 10_000;

export function mapText(mapped: MappedObject, linesMax: number = linesMaxByDefault): string {
  const lines = [
    `length ${mapped.source.length}`,
    `transfer syntax ${mapped.transferSyntaxUID === '' ? 'none' : mapped.transferSyntaxUID}`,
    `data set ${mapped.dataSetOffset}+${mapped.dataSetLength}`,
    ...spanLines(mapped.spans, linesMax),
  ];
  if (mapped.dataSetSpans !== undefined) lines.push(`inflated ${mapped.dataSetSource.length}`, ...spanLines(mapped.dataSetSpans, linesMax));
  if (mapped.fragments !== null) lines.push(`fragments ${mapped.fragments.offsets.length}, basic offset table ${mapped.fragments.basicOffsetTable.join('+')}`);
  for (const problem of mapped.problems) lines.push(`${problemKinds.get(problem.code)?.grade ?? 'fault'} ${problem.code} at ${problem.offset}+${problem.length}${problem.path === '' ? '' : ` ${problem.path}`}: ${problem.text}`);
  return `${lines.join('\n')}\n`;
}

function spanLines(spans: SpanTable, linesMax: number): string[] {
  const lines: string[] = [];
  for (let row = 0; row < Math.min(spans.count, linesMax); row += 1) {
    const tag = spans.tags[row]!;
    const name = tag === 0 ? '' : ` ${'  '.repeat(spans.depths[row]!)}${tagText(tag)} ${attributeOf(tag)?.keyword ?? ''}`.trimEnd();
    lines.push(`${String(spans.offsets[row]).padStart(8)} ${String(spans.lengths[row]).padStart(6)} ${spanKinds[spans.kinds[row]!]!.padEnd(12)}${name}`.trimEnd());
  }
  if (spans.count > linesMax) lines.push(`... and ${spans.count - linesMax} more spans`);
  return lines;
}

/** The elements, a line each: for comparing what two readers read. */
export function elementsText(mapped: MappedObject): string {
  const { count, tags, vrs, valueLengths, depths, items } = mapped.elements;
  const lines: string[] = [];
  for (let row = 0; row < count; row += 1) lines.push(`${'  '.repeat(depths[row]!)}${depths[row]! > 0 ? `[${items[row]}] ` : ''}${tagText(tags[row]!)} ${vrCode(vrs[row]!)} ${valueLengths[row]}`);
  return `${lines.join('\n')}\n`;
}
