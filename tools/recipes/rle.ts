/** RLE Compression (PS3.5 Annex G): as writer of test objects. */

/** One frame of interleaved samples of `bytesPerSample` bytes, little endian. */
export function rleFrame(frame: Uint8Array, samples: number, bytesPerSample: number, rows: number): Buffer {
  const pixels = frame.length / (samples * bytesPerSample);
  const segments: Buffer[] = [];
  for (let sample = 0; sample < samples; sample++) {
    // The most significant byte of each sample comes first (G.2).
    for (let byte = bytesPerSample - 1; byte >= 0; byte--) {
      const plane = new Uint8Array(pixels);
      for (let pixel = 0; pixel < pixels; pixel++) plane[pixel] = frame[(pixel * samples + sample) * bytesPerSample + byte]!;
      segments.push(packBits(plane, pixels / rows));
    }
  }
  return rleFragment(segments);
}

/** Header of sixteen 32-bit values and the segments. `offsets` may lie. */
export function rleFragment(segments: readonly Uint8Array[], offsets?: readonly number[], count = segments.length): Buffer {
  const head = Buffer.alloc(64);
  head.writeUInt32LE(count, 0);
  let at = 64;
  segments.forEach((segment, index) => {
    head.writeUInt32LE(offsets?.[index] ?? at, 4 + index * 4);
    at += segment.length;
  });
  return Buffer.concat([head, ...segments]);
}

/** PackBits by row (G.3.1: a run shall not go over the end of a row), even length. */
function packBits(plane: Uint8Array, columns: number): Buffer {
  const out: number[] = [];
  for (let row = 0; row < plane.length; row += columns) {
    const end = row + columns;
    let at = row;
    while (at < end) {
      const run = runLength(plane, at, end);
      if (run > 1) {
        out.push(257 - run, plane[at]!);
        at += run;
        continue;
      }
      const start = at;
      while (at < end && at - start < 128 && runLength(plane, at, end) === 1) at++;
      out.push(at - start - 1, ...plane.subarray(start, at));
    }
  }
  if (out.length % 2 === 1) out.push(0);
  return Buffer.from(out);
}

function runLength(plane: Uint8Array, at: number, end: number): number {
  let length = 1;
  while (at + length < end && length < 128 && plane[at + length] === plane[at]) length++;
  return length;
}
