/**
 * A head that nobody has: the three-dimensional Shepp-Logan phantom in Hounsfield units, with skull, ventricles, a small bright lesion
 * and the noise of a scanner, so that a viewer shows something that looks like a CT and a compressor finds it as hard as one.
 */

interface Ellipsoid {
  /** Centre and half axes, in units of half the field of view. */
  readonly centre: readonly [number, number, number];
  readonly axes: readonly [number, number, number];
  /** Rotation about the long axis of the body, degrees. */
  readonly turned: number;
  /** Hounsfield units inside; later rows lie on top of earlier ones. */
  readonly hounsfield: number;
}

const air = -1000;
const head: readonly Ellipsoid[] = [
  { centre: [0, 0, 0], axes: [0.74, 0.96, 0.95], turned: 0, hounsfield: 55 }, // skin
  { centre: [0, 0, 0], axes: [0.7, 0.92, 0.9], turned: 0, hounsfield: 1100 }, // skull, outer table
  { centre: [0, 0, 0], axes: [0.665, 0.885, 0.87], turned: 0, hounsfield: 600 }, // diploë
  { centre: [0, 0, 0], axes: [0.645, 0.865, 0.85], turned: 0, hounsfield: 1000 }, // inner table
  { centre: [0, -0.0184, 0], axes: [0.615, 0.835, 0.82], turned: 0, hounsfield: 12 }, // cerebrospinal fluid
  { centre: [0, -0.0184, 0], axes: [0.595, 0.815, 0.8], turned: 0, hounsfield: 38 }, // grey matter
  { centre: [0, -0.0184, 0], axes: [0.5, 0.7, 0.7], turned: 0, hounsfield: 30 }, // white matter
  { centre: [0, 0.35, -0.15], axes: [0.21, 0.25, 0.41], turned: 0, hounsfield: 42 }, // thalami
  { centre: [0.22, 0, 0], axes: [0.11, 0.31, 0.22], turned: -18, hounsfield: 8 }, // ventricle
  { centre: [-0.22, 0, 0], axes: [0.16, 0.41, 0.28], turned: 18, hounsfield: 8 }, // ventricle, wider
  { centre: [0, 0.1, 0.25], axes: [0.046, 0.046, 0.05], turned: 0, hounsfield: 60 },
  { centre: [0, -0.1, 0.25], axes: [0.046, 0.046, 0.05], turned: 0, hounsfield: 120 }, // pineal calcification
  { centre: [0.36, -0.42, 0.12], axes: [0.1, 0.085, 0.16], turned: 25, hounsfield: 72 }, // haemorrhage
  { centre: [-0.08, -0.605, 0], axes: [0.046, 0.023, 0.05], turned: 0, hounsfield: 60 },
  { centre: [0.06, -0.605, 0], axes: [0.023, 0.046, 0.05], turned: 90, hounsfield: 60 },
];

/** Pixels over which an edge goes from one tissue to the next: the sharpness of a standard kernel. */
const edgePixels = 1.6;
/** Standard deviation of the noise in Hounsfield units: an ordinary dose. */
const noiseHounsfield = 7;

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A prime number of normally distributed values, drawn once: reading them from a random start is as good as new ones here. */
const noiseCount = 65_521;
let noise: Float32Array | null = null;
function noiseTable(): Float32Array {
  if (noise !== null) return noise;
  const random = randomOf(20_26);
  noise = new Float32Array(noiseCount);
  for (let at = 0; at < noiseCount; at++) noise[at] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return noise;
}

export interface Slice {
  readonly rows: number;
  readonly columns: number;
  /** -1 (vertex) to 1 (base). */
  readonly height: number;
  readonly seed: number;
}

/** Hounsfield units of one slice as signed 16-bit little endian values. */
export function renderSlice({ rows, columns, height, seed }: Slice): Uint8Array {
  const values = new Float32Array(rows * columns).fill(air);
  for (const ellipsoid of head) paint(values, rows, columns, height, ellipsoid);
  const table = noiseTable();
  const bytes = new Uint8Array(rows * columns * 2);
  let at = Math.floor(randomOf(seed)() * noiseCount);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const value = Math.max(-1024, Math.min(3071, Math.round(values[pixel]! + table[at]! * noiseHounsfield)));
    if (++at === noiseCount) at = 0;
    bytes[pixel * 2] = value & 0xff;
    bytes[pixel * 2 + 1] = (value >> 8) & 0xff;
  }
  return bytes;
}

/** Lays one ellipsoid's section over the slice. */
function paint(values: Float32Array, rows: number, columns: number, height: number, { centre, axes, turned, hounsfield }: Ellipsoid): void {
  const left = 1 - ((height - centre[2]) / axes[2]) ** 2;
  if (left <= 0) return;
  const [a, b] = [axes[0] * Math.sqrt(left), axes[1] * Math.sqrt(left)];
  const [cos, sin] = [Math.cos((turned * Math.PI) / 180), Math.sin((turned * Math.PI) / 180)];
  const reach = Math.max(a, b);
  const scale = Math.min(rows, columns) / 2.2;
  const edge = edgePixels / scale / Math.min(a, b);
  const row = (y: number): number => rows / 2 - y * scale;
  const column = (x: number): number => columns / 2 + x * scale;
  const rowLast = Math.min(rows - 1, Math.ceil(row(centre[1] - reach)));
  const columnLast = Math.min(columns - 1, Math.ceil(column(centre[0] + reach)));
  for (let r = Math.max(0, Math.floor(row(centre[1] + reach))); r <= rowLast; r++) {
    const y = (rows / 2 - r) / scale - centre[1];
    for (let c = Math.max(0, Math.floor(column(centre[0] - reach))); c <= columnLast; c++) {
      const x = (c - columns / 2) / scale - centre[0];
      const radius = Math.hypot((x * cos + y * sin) / a, (y * cos - x * sin) / b);
      const inside = Math.min(1, Math.max(0, (1 - radius) / edge + 0.5));
      if (inside > 0) values[r * columns + c] = values[r * columns + c]! * (1 - inside) + hounsfield * inside;
    }
  }
}
