/** PDF (ISO 32000-2): its structure read, its streams unpacked as parts, its object streams read as objects, and what it does told. */
import { LimitReached, slackBytesMax, solidBytes, type Budget, type Inner, type Opening } from '../contract.ts';
import { Activity } from './actions.ts';
import { decode, type Filter } from './filters.ts';
import { Places, objectsMax, readLayout, type PDFObject, type Stream } from './layout.ts';
import { hasName, nameOf, readValue, skipBlank, valuesOf, type Value } from './tokens.ts';

interface PackedStream { readonly number: number; readonly dictionary: Value; readonly stream: Stream }

/** Objects of object streams that a reference may mean: only small ones are kept, which actions and filters are. */
const keptBytesMax = 2048;

export function* openPDF({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  const text = bytes.toString('latin1');
  const places = new Places(bytes, budget);
  if (places.count > objectsMax) throw new LimitReached(`has more than ${objectsMax} objects`);
  const activity = new Activity(budget);
  const packed: PackedStream[] = [];
  const kept = new Map<number, Value[]>();
  const layout = readLayout(bytes, text, places, budget, ({ number, value, stream }: PDFObject) => {
    activity.see(value, stream !== null);
    if (stream !== null && value !== null) packed.push({ number, dictionary: value, stream });
  });
  const resolve = (number: number): Value[] => {
    const found: Value[] = [...(kept.get(number) ?? [])];
    for (const offset of places.of(number)) {
      const { value } = readValue(bytes, offset, budget);
      if (value !== null) found.push(value);
    }
    return found;
  };
  const problems = new Set<string>();
  if (activity.encrypted) problems.add('is encrypted');
  // Filters of other streams may be described by objects that lie in object streams.
  const inOrder = packed.toSorted((one, other) => Number(isObjectStream(other.dictionary)) - Number(isObjectStream(one.dictionary)));
  for (const { number, dictionary, stream } of activity.encrypted ? [] : inOrder) {
    budget.step();
    const filters = filtersOf(dictionary, resolve);
    if (filters === null) {
      problems.add('has a stream whose packing is described in two ways');
      continue;
    }
    const decoded = decode(bytes.subarray(stream.start, stream.end), filters, budget);
    if (decoded.limit) say('part-limit', 'has a stream that unpacks to more than is looked at');
    if (decoded.problem !== null) problems.add(decoded.problem);
    for (const rest of decoded.rest) {
      if (solidBytes(rest) > slackBytesMax) say('part-unaccounted', `has ${rest.length} bytes behind the data of stream ${number}`);
      yield { name: `what follows stream ${number}`, bytes: rest };
    }
    if (decoded.bytes.length === 0) continue;
    if (isObjectStream(dictionary) && decoded.picture === null) {
      if (!readObjects(decoded.bytes, dictionary, budget, activity, kept)) problems.add('has objects packed in a way that is read in two ways');
    }
    const embedded = hasName(dictionary, 'Type', 'EmbeddedFile');
    yield {
      name: embedded ? `embedded file ${number}` : decoded.picture === null ? `stream ${number}` : `picture ${number}`,
      bytes: decoded.bytes,
      // XMP is XML of its own rules; a list of objects has been read already.
      opened: !isObjectStream(dictionary) && !hasName(dictionary, 'Type', 'Metadata', 'XRef'),
      numbers: hasName(dictionary, 'Subtype', 'Image') || hasName(dictionary, 'Type', 'XRef') || valuesOf(dictionary, 'FunctionType').length > 0,
    };
  }
  activity.conclude(resolve);
  for (const [index, script] of activity.scripts.entries()) yield { name: `script ${index + 1}`, bytes: script, opened: false };
  let unaccounted = 0;
  for (const [start, end] of layout.gaps) {
    const gap = bytes.subarray(start, end);
    unaccounted += solidBytes(gap);
    // An object with a comment in its header, which a search for objects does not find.
    if (/<<|obj/.test(gap.toString('latin1', 0, 4096))) problems.add('has what looks like an object where none is');
    yield { name: start < layout.header ? 'what lies before the header' : 'what lies between its objects', bytes: gap };
  }
  if (unaccounted > slackBytesMax) say('part-unaccounted', `holds ${unaccounted} bytes that belong to none of its objects`);
  if (layout.header < 0) problems.add('has no header');
  if (layout.hidden > 0) problems.add('has objects hidden inside of others, so that programs read it in different ways');
  if (layout.ambiguous > 0) problems.add('has streams that are not as long as they say, so that programs read it in different ways');
  for (const problem of problems) say('document-unscannable', problem);
  if (activity.launches) say('document-launches', 'starts a program when it is opened or clicked (Launch)');
  if (activity.active.size > 0) say('document-active', `has active parts: ${[...activity.active].toSorted().join(', ')}`);
}

/** By what it holds and not by its type alone: a reference may call any stream an object stream. */
function isObjectStream(dictionary: Value): boolean {
  return hasName(dictionary, 'Type', 'ObjStm') || (valuesOf(dictionary, 'First').length > 0 && valuesOf(dictionary, 'N').length > 0);
}

/** Reads what an object stream holds (§7.5.7) by its list of offsets and one after the other. False where these are not the same objects. */
function readObjects(bytes: Buffer, dictionary: Value, budget: Budget, activity: Activity, kept: Map<number, Value[]>): boolean {
  const [first] = valuesOf(dictionary, 'First');
  const [count] = valuesOf(dictionary, 'N');
  if (typeof first !== 'number' || typeof count !== 'number' || !Number.isInteger(first) || first < 0 || first > bytes.length || count < 0 || count > objectsMax) return false;
  const list = bytes.toString('latin1', 0, first).replaceAll(/%[^\r\n]*/g, ' ');
  if (/[^\d\0\t\n\f\r ]/.test(list)) return false;
  const numbers = list.match(/\d{1,10}/g) ?? [];
  const begins = new Map<number, number>();
  for (let index = 0; index + 1 < numbers.length && index < 2 * count; index += 2) {
    budget.step();
    const at = first + Number(numbers[index + 1]);
    if (at > bytes.length) return false;
    begins.set(skipBlank(bytes, at), Number(numbers[index]));
  }
  const keep = (number: number, value: Value, length: number): void => {
    if (length > keptBytesMax) return;
    const known = kept.get(number);
    if (known === undefined) kept.set(number, [value]);
    else known.push(value);
  };
  let same = begins.size === count || count === 0;
  for (let at = skipBlank(bytes, first); at < bytes.length;) {
    const read = readValue(bytes, at, budget);
    if (read.next <= at) return false;
    activity.see(read.value);
    const number = begins.get(at);
    begins.delete(at);
    if (number !== undefined && read.value !== null) keep(number, read.value, read.next - at);
    same &&= !read.broken;
    at = skipBlank(bytes, read.next);
  }
  // Offsets into the middle of an object: another object for those who go by them.
  for (const [at, number] of begins) {
    const read = readValue(bytes, at, budget);
    activity.see(read.value);
    if (read.value !== null) keep(number, read.value, read.next - at);
    same = false;
  }
  return same;
}

/** Null where the description is ambiguous. */
function filtersOf(dictionary: Value, resolve: (number: number) => readonly Value[]): Filter[] | null {
  const one = (values: readonly Value[]): Value | null | undefined => {
    const found = values.flatMap((value) => (typeof value !== 'number' && value.type === 'reference' ? resolve(value.number) : [value]));
    if (found.length === 0) return undefined;
    return found.every((value) => JSON.stringify(value) === JSON.stringify(found[0])) ? found[0]! : null;
  };
  const named = one(valuesOf(dictionary, 'Filter'));
  const described = one(valuesOf(dictionary, 'DecodeParms', 'DP'));
  if (named === null || described === null) return null;
  const names = itemsOf(named).map((value) => one([value]));
  const parameters = itemsOf(described).map((value) => one([value]));
  if (names.includes(null) || parameters.includes(null)) return null;
  const filters: Filter[] = [];
  for (const [index, name] of names.entries()) {
    const number = (key: string, usual: number): number => {
      const value = one(valuesOf(parameters[index] as Value | undefined, key));
      return value === undefined ? usual : typeof value === 'number' ? value : Number.NaN;
    };
    if (nameOf(name) === '') {
      if (name === undefined || (typeof name !== 'number' && name!.type === 'word' && name!.text === 'null')) continue;
      return null;
    }
    filters.push({
      name: nameOf(name),
      prediction: { predictor: number('Predictor', 1), columns: number('Columns', 1), colors: number('Colors', 1), bits: number('BitsPerComponent', 8) },
      early: number('EarlyChange', 1) !== 0,
      crypt: nameOf(one(valuesOf(parameters[index] as Value | undefined, 'Name'))),
    });
  }
  return filters;
}

/** One value or an array of them. */
function itemsOf(value: Value | undefined): readonly Value[] {
  if (value === undefined) return [];
  return typeof value !== 'number' && value.type === 'array' ? value.items : [value];
}
