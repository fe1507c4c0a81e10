/** Models for printing (PS3.3 A.85 ff.): STL, OBJ and MTL. Bytes that are numbers where numbers belong, and names that lead nowhere. */
import { printable, solidBytes, type Inner, type Opening } from './contract.ts';

const headerBytes = 84;
const triangleBytes = 50;

/** Binary: 80 bytes, a count, and 50 bytes a triangle; text: solids of facets. */
export function* openSTL({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  const triangles = bytes.length >= headerBytes ? bytes.readUInt32LE(80) : 0;
  const end = headerBytes + triangles * triangleBytes;
  // DICOM pads to even length; 84 + 50 n is even already, so that nothing may follow.
  if (bytes.length >= headerBytes && end <= bytes.length && solidBytes(bytes.subarray(end)) === 0 && bytes.length - end <= 2) {
    yield { name: 'the header', bytes: bytes.subarray(0, 80) };
    budget.step(triangles);
    const words = Buffer.alloc(triangles * 2);
    budget.takeBytes(words.length);
    let notNumbers = 0;
    for (let index = 0; index < triangles; index += 1) {
      const at = headerBytes + index * triangleBytes;
      for (let number = 0; number < 12; number += 1) if (!Number.isFinite(bytes.readFloatLE(at + number * 4))) notNumbers += 1;
      bytes.copy(words, index * 2, at + 48, at + 50);
    }
    // Two bytes a triangle, which some programs use as colour: a place for a program, if strung together.
    if (solidBytes(words) > 0) yield { name: 'the attribute bytes', bytes: words };
    if (notNumbers > 0 && notNumbers > triangles / 100) say('document-disguised', `has ${notNumbers} numbers that are none`);
    return;
  }
  const problem = readSolids(bytes, budget);
  if (problem !== null) say('document-disguised', problem);
}

const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?`;
const numbers = (count: number): string => Array.from({ length: count }, () => String.raw`\s+(?:${number}|[+-]?(?:nan|inf)(?:\([a-z]*\))?)`).join('');
/** State → line → next state. */
const grammar: readonly (readonly [state: string, line: RegExp, next: string])[] = [
  ['start', /^solid\b[\x20-\x7e\t]{0,512}$/i, 'solid'],
  ['solid', new RegExp(`^facet\\s+normal${numbers(3)}$`, 'i'), 'facet'],
  ['facet', /^outer\s+loop$/i, 'loop0'],
  ['loop0', new RegExp(`^vertex${numbers(3)}$`, 'i'), 'loop1'],
  ['loop1', new RegExp(`^vertex${numbers(3)}$`, 'i'), 'loop2'],
  ['loop2', new RegExp(`^vertex${numbers(3)}$`, 'i'), 'loop3'],
  ['loop3', /^endloop$/i, 'closed'],
  ['closed', /^endfacet$/i, 'solid'],
  ['solid', /^endsolid\b[\x20-\x7e\t]{0,512}$/i, 'start'],
];

function readSolids(bytes: Buffer, budget: Opening['budget']): string | null {
  let state = 'start';
  let solids = 0;
  for (const line of linesOf(bytes, budget)) {
    if (line === null) return 'has lines longer than lines are';
    if (line === '') continue;
    const row = grammar.find(([from, pattern]) => from === state && pattern.test(line));
    if (row === undefined) return 'is neither as long as its triangles nor the text of a solid';
    state = row[2];
    if (state === 'solid') solids += 1;
  }
  return state === 'start' && solids > 0 ? null : 'ends too early';
}

/** Of one line; a polygon of ten thousand corners is shorter. */
const lineBytesMax = 256 * 1024;

/** Trimmed lines, or null for one that is too long. NUL at the end is padding. */
function* linesOf(bytes: Buffer, budget: Opening['budget']): Generator<string | null, void, void> {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0 && bytes.length - end < 2) end -= 1;
  for (let at = 0; at < end;) {
    budget.step(3);
    let next = bytes.indexOf(10, at);
    if (next < 0 || next > end) next = end;
    if (next - at > lineBytesMax) yield null;
    else yield bytes.toString('latin1', at, next).trim();
    at = next + 1;
  }
}

const isText = (line: string): boolean => !/[^\x09\x0d\x20-\x7e\x80-\xff]/.test(line);
const plainNumbers = /^(?:\s+[0-9eE+\-./:]+)*\s*$/;
/** Keywords of OBJ and what follows them (Wavefront's specification, B1). */
const objNumbers: ReadonlySet<string> = new Set(['v', 'vt', 'vn', 'vp', 'f', 'l', 'p', 'deg', 'bmat', 'step', 'curv', 'curv2', 'surf', 'trim', 'hole', 'scrv', 'sp', 'end', 'con', 'res', 'lod', 'fo', 'cdc', 'cdp', 'bzp', 'bsp']);
const objWords: ReadonlySet<string> = new Set(['g', 'o', 's', 'mg', 'usemtl', 'cstype', 'parm', 'bevel', 'c_interp', 'd_interp', 'ctech', 'stech', 'usemap', 'body', 'region']);
const objFiles: ReadonlySet<string> = new Set(['mtllib', 'maplib', 'shadow_obj', 'trace_obj']);
const mtlWords: ReadonlySet<string> = new Set(['newmtl', 'ka', 'kd', 'ks', 'ke', 'km', 'ns', 'ni', 'd', 'tr', 'tf', 'illum', 'sharpness', 'pr', 'pm', 'ps', 'pc', 'pcr', 'aniso', 'anisor', 'map_aat', 'halo']);
const mtlFiles = /^(?:map_\w{1,16}|bump|disp|decal|refl|norm)$/;

export function* openOBJ(opening: Opening): Generator<Inner, void, void> {
  yield* readLines(opening, (word, rest) => {
    if (objNumbers.has(word)) return plainNumbers.test(rest) || /^\s*(?:u|v)\s/.test(rest) ? null : 'has words where numbers belong';
    if (objWords.has(word)) return null;
    if (objFiles.has(word)) return checkFile(opening, rest);
    // `csh` runs a command, and `call` reads another file, in the program that the format is from.
    if (word === 'csh') opening.say('document-launches', 'runs a command when it is opened (csh)');
    else if (word === 'call') opening.say('document-active', 'reads another file when it is opened (call)');
    else return `has lines that are none of the format (${printable(word.slice(0, 20))})`;
    return null;
  });
}

export function* openMTL(opening: Opening): Generator<Inner, void, void> {
  yield* readLines(opening, (word, rest) => {
    if (mtlWords.has(word.toLowerCase())) return null;
    if (mtlFiles.test(word.toLowerCase())) return checkFile(opening, rest);
    return `has lines that are none of the format (${printable(word.slice(0, 20))})`;
  });
}

/** A reference must be the plain name of a file beside the model. */
function checkFile({ say }: Opening, rest: string): null {
  if (/[/\\:|<>"*?]|\.\./.test(rest)) say('document-active', `refers to a file by a path or an address (${printable(rest.trim())})`);
  return null;
}

/** Comments are given as one part: they may say anything, and anything may be in them. */
function* readLines({ bytes, budget, say }: Opening, check: (word: string, rest: string) => string | null): Generator<Inner, void, void> {
  const comments: string[] = [];
  const problems = new Set<string>();
  let continued = '';
  for (const line of linesOf(bytes, budget)) {
    if (line === null || !isText(line)) {
      problems.add('is declared as text and holds other bytes');
      continue;
    }
    if (line.startsWith('#')) {
      comments.push(line.slice(1));
      continue;
    }
    if (continued.length + line.length > lineBytesMax) {
      problems.add('has lines longer than lines are');
      continued = '';
      continue;
    }
    const whole = continued + line;
    continued = whole.endsWith('\\') ? `${whole.slice(0, -1)} ` : '';
    if (continued !== '' || whole === '') continue;
    const word = /^\S+/.exec(whole)?.[0] ?? '';
    const problem = check(word, whole.slice(word.length).replace(/\s#.*$/, ''));
    if (problem !== null && problems.size < 4) problems.add(problem);
  }
  for (const problem of problems) say('document-disguised', problem);
  if (comments.length > 0) yield { name: 'the comments', bytes: Buffer.from(comments.join('\n'), 'latin1'), opened: false };
}
