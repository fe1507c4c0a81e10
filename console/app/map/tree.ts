/** Geometry of the tree of parts. */
import type { MapPart } from '@lazaret/pacs/quarantine/requests.ts';

/** For each part whether another one of its level follows before the level ends: then its branch goes on downwards. */
export function trunksOf(parts: readonly Pick<MapPart, 'depth'>[]): boolean[] {
  const trunks: boolean[] = [];
  const open = new Set<number>();
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const { depth } = parts[index]!;
    trunks[index] = open.has(depth);
    open.add(depth);
    for (const deeper of open) if (deeper > depth) open.delete(deeper);
  }
  return trunks;
}

/** Share of the width of a bar: by the square root, since a text of 1 KB beside a volume of 1 MB is still to be seen. */
export function barShare(bytes: number, largest: number): number {
  return Math.max(0.02, Math.sqrt(bytes / Math.max(largest, 1)));
}
