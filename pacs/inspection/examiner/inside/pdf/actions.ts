/**
 * What a PDF does (ISO 32000-2 §12.6, §12.7, §13, §7.11): found in the dictionaries of every object, whoever names it. Links and forms that
 * are filled in by hand do nothing by themselves; what runs, fetches, sends, plays or carries files does.
 */
import type { Budget } from '../contract.ts';
import { hasName, valuesOf, type Dictionary, type Value } from './tokens.ts';

/** Actions by their /S that leave the document or run something; the others turn pages. */
const activeActions: Readonly<Record<string, string>> = {
  JavaScript: 'a script (JavaScript)',
  Rendition: 'media that plays (Rendition)',
  RichMediaExecute: 'media with scripts (RichMedia)',
  SubmitForm: 'a form that sends data (SubmitForm)',
  ImportData: 'a form that fetches data (ImportData)',
  GoToE: 'a way into an embedded file (GoToE)',
  GoToR: 'a way to another file (GoToR)',
  Movie: 'a film (Movie)',
  Sound: 'a sound (Sound)',
  GoTo3DView: 'a 3D scene (3D)',
};

/** Keys that only stand where something is carried or runs. */
const activeKeys: Readonly<Record<string, string>> = {
  JS: 'a script (JavaScript)',
  JavaScript: 'a script (JavaScript)',
  EF: 'an embedded file (EF)',
  EmbeddedFiles: 'embedded files (EmbeddedFiles)',
  XFA: 'a form of another kind (XFA)',
  RichMediaContent: 'media with scripts (RichMedia)',
  RichMediaSettings: 'media with scripts (RichMedia)',
  Collection: 'a collection of files (Collection)',
  '3DD': 'a 3D scene (3D)',
};

/** Annotations and objects by their /Subtype or /Type. */
const activeTypes: Readonly<Record<string, string>> = {
  RichMedia: 'media with scripts (RichMedia)',
  '3D': 'a 3D scene (3D)',
  Movie: 'a film (Movie)',
  Sound: 'a sound (Sound)',
  Screen: 'media that plays (Screen)',
  FileAttachment: 'an attached file (FileAttachment)',
  EmbeddedFile: 'an embedded file (EmbeddedFile)',
  PS: 'a PostScript program (PS)',
};

/** Where a link may lead when somebody clicks it. */
const linkSchemes: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel', 'ftp', 'doi', 'urn']);

/** Actions that begin by themselves are followed so far. */
const followedMax = 1000;

export class Activity {
  readonly active = new Set<string>();
  launches = false;
  encrypted = false;
  /** Scripts as they run: strings are written in many ways, the engines see this one. */
  readonly scripts: Buffer[] = [];
  readonly #automatic: Value[] = [];
  /** Keys whose value is elsewhere, where it may be empty. */
  readonly #named: (readonly [what: string, number: number])[] = [];
  /** Kinds and addresses that are said by another object. */
  readonly #said: (readonly [key: string, number: number])[] = [];
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Goes through a value, however deep. `isStream`: the dictionary of a stream, whose /F is a file elsewhere. */
  see(root: Value | null, isStream = false): void {
    if (root === null) return;
    if (isStream && valuesOf(root, 'F', 'FFilter').some((value) => typeof value === 'number' || value.type !== 'word')) this.active.add('a stream that is in another file (F)');
    const waiting: Value[] = [root];
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      this.#budget.step();
      if (typeof value === 'number') continue;
      if (value.type === 'array') for (const item of value.items) waiting.push(item);
      else if (value.type === 'dictionary') {
        this.#dictionary(value);
        for (const [, inner] of value.pairs) if (typeof inner !== 'number' && (inner.type === 'array' || inner.type === 'dictionary')) waiting.push(inner);
      }
    }
  }

  #dictionary(dictionary: Dictionary): void {
    for (const [key, value] of dictionary.pairs) {
      const what = Object.hasOwn(activeKeys, key) ? activeKeys[key]! : '';
      if (what !== '' && typeof value !== 'number' && value.type === 'reference') this.#named.push([what, value.number]);
      else if (what !== '' && !isEmpty(value)) this.active.add(what);
      if (key === 'Encrypt' && !isEmpty(value)) this.encrypted = true;
      if (key === 'OpenAction' || key === 'AA') this.#automatic.push(value);
      this.#kind(key, value);
    }
    // Launch in the form of old writers, and file specifications of the web that a reader fetches.
    if (hasName(dictionary, 'Type', 'Action') && valuesOf(dictionary, 'Win', 'Mac', 'Unix').length > 0) this.launches = true;
    if (valuesOf(dictionary, 'Ref').some((value) => typeof value !== 'number' && value.type === 'dictionary' && valuesOf(value, 'F').length > 0)) this.active.add('a page that is in another file (Ref)');
  }

  #kind(key: string, value: Value): void {
    if (typeof value === 'number' || !(key === 'S' || key === 'Subtype' || key === 'Type' || key === 'URI' || key === 'JS')) return;
    if (value.type === 'reference') this.#said.push([key, value.number]);
    else if (value.type === 'string' && key === 'URI' && !isLink(value.text)) this.active.add('a link that is no address of the web');
    else if (value.type === 'string' && key === 'JS') this.scripts.push(textOf(value.text));
    else if (value.type === 'name' && key !== 'URI') {
      const table = key === 'S' ? activeActions : activeTypes;
      if (Object.hasOwn(table, value.text)) this.active.add(table[value.text]!);
      if (key === 'S' && value.text === 'Launch') this.launches = true;
    }
  }

  /** After all has been seen: what begins by itself may turn a page and no more. `resolve` gives what a reference may mean. */
  conclude(resolve: (number: number) => readonly Value[]): void {
    for (const [key, number] of this.#said) for (const value of resolve(number)) this.#kind(key, value);
    for (const [what, number] of this.#named) {
      if (!this.active.has(what) && resolve(number).some((value) => !isEmpty(value))) this.active.add(what);
    }
    const waiting: Value[] = [];
    const seen = new Set<number>();
    const push = (value: Value): void => {
      if (typeof value !== 'number' && value.type === 'reference') {
        if (seen.has(value.number)) return;
        seen.add(value.number);
        waiting.push(...resolve(value.number));
      } else waiting.push(value);
    };
    for (const value of this.#automatic) push(value);
    let count = 0;
    for (let value = waiting.pop(); value !== undefined && count < followedMax; value = waiting.pop(), count += 1) {
      this.#budget.step();
      if (typeof value === 'number' || (value.type !== 'dictionary' && value.type !== 'array')) continue;
      if (hasName(value, 'S', 'URI')) this.active.add('an address that is opened without a click (URI)');
      // An action goes on by /Next; additional actions are a dictionary of them. Destinations are arrays of numbers and names.
      if (value.type === 'array') for (const item of value.items) push(item);
      else for (const [key, inner] of value.pairs) if (key === 'Next' || (valuesOf(value, 'S').length === 0 && /^(?:E|X|D|U|Fo|Bl|PO|PC|PV|PI|O|C|K|F|V|WC|WS|DS|WP|DP)$/.test(key))) push(inner);
    }
  }
}

/** `/EmbeddedFiles <</Names []>>`, `/XFA null`: many writers leave an empty place. */
function isEmpty(value: Value): boolean {
  if (typeof value === 'number') return false;
  if (value.type === 'word') return value.text === 'null';
  if (value.type === 'array') return value.items.length === 0;
  if (value.type !== 'dictionary') return false;
  return value.pairs.every(([key, inner]) => (key === 'Names' || key === 'Kids' || key === 'Limits') && isEmpty(inner));
}

function isLink(text: string): boolean {
  const plain = textOf(text).toString('utf8').replaceAll(/[\u0000-\u0020]/g, '');
  if (plain.startsWith('\\') || plain.startsWith('//')) return false;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(plain)?.[1]?.toLowerCase();
  return scheme === undefined || linkSchemes.has(scheme);
}

/** Text strings are PDFDocEncoding, or UTF-16 or UTF-8 with a mark (§7.9.2.2). */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)).swap16().toString('utf16le'), 'utf8');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return Buffer.from(bytes.subarray(2).toString('utf16le'), 'utf8');
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
