/** How fast the file map is made, on one core and without files: the reader alone. */
import { BytesSource } from '@lazaret/dicom/dataset/bytes.ts';
import { MapRoom } from '@lazaret/dicom/filemap/columns.ts';
import type { ReaderTools } from '@lazaret/dicom/filemap/contract.ts';
import { mapObject } from '@lazaret/dicom/filemap/map.ts';
import { containerItem, ctSlice, report, textItem } from '../recipes/objects.ts';
import { fileOf } from '../recipes/series.ts';
import type { Row } from './report.ts';

const measuredMs = 1500;
const warmUpMs = 300;

const noDeflate: ReaderTools = {
  inflateRaw: () => {
    throw new Error('nothing here is deflated');
  },
};

/** Bytes a second of CPU time, which what else runs on the machine does not take; the best of five runs, since noise only ever makes it slower. */
function bytesPerSecond(bytes: Uint8Array): number {
  const source = new BytesSource(bytes);
  // As the examiner has it, which reads one object after the other.
  const room = new MapRoom();
  const once = (): void => {
    const mapped = mapObject(source, noDeflate, undefined, room);
    if (mapped.problems.length > 0) throw new Error(`the object of the benchmark has problems: ${mapped.problems[0]!.text}`);
  };
  const during = (ms: number): number => {
    const start = performance.now();
    const before = process.cpuUsage();
    let count = 0;
    do {
      once();
      count++;
    } while (performance.now() - start < ms);
    const { user, system } = process.cpuUsage(before);
    return (count * bytes.length * 1e6) / Math.max(1, user + system);
  };
  during(warmUpMs);
  return Math.max(...Array.from({ length: 5 }, () => during(measuredMs / 5)));
}

function denseReport(items: number): Uint8Array {
  const groups = Array.from({ length: items / 50 }, (_, group) => containerItem(`Group ${group}`, Array.from({ length: 50 }, (__, index) => textItem('Finding', `Finding ${index}`))));
  return fileOf(report('dense', groups));
}

export function mapRows(say: (text: string) => void): Row[] {
  const row = (work: string, unit: string, value: number, target: number, targetText: string): Row => {
    say(`${work}: ${value.toPrecision(3)} ${unit}`);
    return { work, unit, figures: { Lazaret: value }, ratio: null, target, targetText, cpuMs: {}, where: {}, idle: null };
  };
  const slice = fileOf(ctSlice({ name: 'map', index: 0, count: 1 }));
  const dense = denseReport(10_000);
  const [pixels, elements] = [bytesPerSecond(slice) / 1e9, bytesPerSecond(dense) / 1e6];
  return [
    row(`file map of a 525 KB CT slice`, 'GB/s a core', pixels, 2, '2 GB/s'),
    row(`file map of a ${(dense.length / 1e6).toFixed(1)} MB structured report`, 'MB/s a core', elements, 150, '150 MB/s'),
  ];
}
