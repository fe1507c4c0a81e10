/** How fast one core inspects, by kind of object, and how fast 500 rules go over bytes. In CPU time: what else runs on the machine does not count. */
import { loadYara } from '@lazaret/pacs/inspection/engines/yaraaddon.ts';
import { encapsulate, encode, part10, transferSyntaxes, withElements, withoutElements } from '../recipes/encode.ts';
import { containerItem, ctSlice, identity, report, secondaryCapture, sopClasses, smallReport, textItem } from '../recipes/objects.ts';
import { randomOf, renderSlice } from '../recipes/phantom.ts';
import { rleFrame } from '../recipes/rle.ts';
import { fileOf } from '../recipes/series.ts';
import { syntheticRules } from '../rulepack/synthetic.ts';
import { tinyFrame } from '../variants/frames.ts';
import type { Judge } from '../variants/judging.ts';

const measuredMs = 1500;
const ruleCount = 500;
const scannedBytes = 32 * 1024 * 1024;

/** Bytes a second of CPU time; the best of several, since noise only ever makes it slower. */
function bytesPerSecond(bytes: number, once: () => void): number {
  once();
  let best = 0;
  const start = performance.now();
  do {
    const before = process.cpuUsage();
    once();
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, (bytes * 1e6) / Math.max(1, user + system));
  } while (performance.now() - start < measuredMs);
  return best;
}

function compressed(frames: number): Buffer {
  const picture = rleFrame(renderSlice({ rows: 512, columns: 512, height: 0, seed: 3 }), 1, 2, 512);
  const elements = [...withoutElements(ctSlice({ name: 'speed rle', index: 0, count: 1, size: 512 }), '7FE0,0010')];
  return part10({ transferSyntaxUID: transferSyntaxes.rle, sopClassUID: sopClasses.multiframeWord, sopInstanceUID: String(elements.find(([tag]) => tag === '0008,0018')![2]),
    dataSet: encode([...withElements(elements, ['0008,0016', 'UI', sopClasses.multiframeWord], ['0028,0008', 'IS', String(frames)]), encapsulate(Array.from({ length: frames }, () => picture))]) });
}

function jpegFrames(frames: number): Buffer {
  const elements = withoutElements(secondaryCapture('speed jpeg', { rows: 32, columns: 32 }, new Uint8Array(), sopClasses.multiframeByte), '7FE0,0010');
  return part10({ transferSyntaxUID: transferSyntaxes.jpegBaseline, sopClassUID: sopClasses.multiframeByte, sopInstanceUID: String(elements.find(([tag]) => tag === '0008,0018')![2]),
    dataSet: encode([...withElements(elements, ['0028,0008', 'IS', String(frames)]), encapsulate(Array.from({ length: frames }, () => tinyFrame('baseline')))]) });
}

/** A PDF of text in plain streams. */
function letter(bytes: number): Buffer {
  const random = randomOf(5);
  const text = Array.from({ length: bytes / 8 }, () => Math.floor(random() * 1e7).toString(36)).join(' ');
  const pdf = Buffer.from(`%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/Contents 4 0 R>>\nendobj\n4 0 obj\n<</Length ${text.length + 8}>>\nstream\nBT (${text}) Tj ET\nendstream\nendobj\ntrailer\n<</Root 1 0 R/Size 5>>\n%%EOF\n`);
  return fileOf(withElements(identity('speed letter', sopClasses.encapsulatedPDF, 'DOC'), ['0042,0010', 'ST', 'Letter'], ['0042,0011', 'OB', pdf], ['0042,0012', 'LO', 'application/pdf']));
}

export interface SpeedRow {
  readonly work: string;
  readonly bytes: number;
  readonly megabytesPerSecond: number;
  readonly verdict: string;
}

/** Whole inspections in this process: map, rules, digests and the rule pack of the product. */
export function inspectionSpeeds(judge: Judge): SpeedRow[] {
  const dense = Array.from({ length: 200 }, (_, group) => containerItem(`Group ${group}`, Array.from({ length: 50 }, (__, index) => textItem('Finding', `Finding ${index}`))));
  const objects: readonly (readonly [work: string, bytes: Buffer])[] = [
    ['native pixels: a CT slice', fileOf(ctSlice({ name: 'speed', index: 0, count: 1 }))],
    ['native pixels: a slice of 2048 × 2048', fileOf(ctSlice({ name: 'speed large', index: 0, count: 1, size: 2048 }))],
    ['RLE: 20 frames of a CT', compressed(20)],
    ['JPEG: 1,000 small frames', jpegFrames(1000)],
    ['elements: a report of 1.5 MB', fileOf(report('dense', dense))],
    ['elements: a report of 4 KB', fileOf(smallReport('speed small'))],
    ['a document: a PDF of 1 MB', letter(1024 * 1024)],
  ];
  return objects.map(([work, bytes]) => {
    const { verdict, findings } = judge.judge(bytes);
    return { work, bytes: bytes.length, megabytesPerSecond: bytesPerSecond(bytes.length, () => void judge.judge(bytes)) / 1e6, verdict: verdict === 'clean' ? verdict : `${verdict}: ${findings[0]?.code ?? ''}` };
  });
}

/** GB a second of 500 made-up rules over bytes as pixels have them; null without the engine. */
export function rulesSpeed(): number | null {
  const { addon } = loadYara();
  if (addon === null) return null;
  const rules = addon.compile(syntheticRules(ruleCount), { enableIncludes: false });
  const slice = renderSlice({ rows: 512, columns: 512, height: 0, seed: 1 });
  const bytes = Buffer.alloc(scannedBytes);
  for (let at = 0; at < bytes.length; at += slice.length) bytes.set(slice.subarray(0, Math.min(slice.length, bytes.length - at)), at);
  return bytesPerSecond(bytes.length, () => void rules.scan(bytes)) / 1e9;
}
