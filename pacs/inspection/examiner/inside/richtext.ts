/** Documents that are text: RTF with objects in it, web pages with scripts. */
import { printable, type Inner, type Opening } from './contract.ts';

/** Objects of one RTF document. */
const objectsMax = 1000;

/** RTF 1.9.1: control words decide; `\objdata` and `\*\datastore` are hexadecimal, with blanks and control words anywhere between. */
export function* openRTF({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  budget.step(bytes.length >>> 4);
  const text = bytes.toString('latin1');
  const active = new Set<string>();
  for (const [, word] of text.matchAll(/\\(objdata|objemb|objlink|objautlink|objupdate|objocx|objclass|template|fldinst|datastore|htmltag|pntext|field|bin)(?![a-z])/gi)) {
    budget.step();
    const lower = word!.toLowerCase();
    if (lower.startsWith('obj')) active.add('objects of other programs');
    else if (lower === 'template') active.add('a template that is fetched');
  }
  for (const [field] of text.matchAll(/\\fldinst[^{}]{0,40}\{?[^{}]{0,400}/gi)) {
    if (/\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|LINK|IMPORT|MACROBUTTON)\b/i.test(field)) active.add('a field that fetches or runs');
  }
  let count = 0;
  for (const { index } of text.matchAll(/\\(?:objdata|datastore)(?![a-z])/gi)) {
    if (++count > objectsMax) return say('part-limit', `has more than ${objectsMax} objects`);
    const data = hexFrom(bytes, index, budget);
    if (data.length > 0) yield { name: `object ${count}`, bytes: data };
    // OLE 1.0: version, kind, three names with their length, the length of the file.
    const found = data.indexOf('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 0, 'latin1');
    if (found > 0 && found < 512) yield { name: `document of object ${count}`, bytes: data.subarray(found) };
  }
  if (active.size > 0) say('document-active', `has active parts: ${[...active].toSorted().join(', ')}`);
  const end = text.lastIndexOf('}');
  const rest = bytes.subarray(end + 1);
  if (end >= 0 && rest.some((byte) => byte > 0x20)) yield { name: 'what follows', bytes: rest };
}

const hexDigits = Int8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()));

/** Hexadecimal digits up to the bracket that closes the group; control words between them are passed over. */
function hexFrom(bytes: Buffer, from: number, budget: Opening['budget']): Buffer {
  let end = from;
  for (let depth = 0; end < bytes.length; end += 1) {
    if (bytes[end] === 0x7b) depth += 1;
    else if (bytes[end] === 0x7d && --depth < 0) break;
  }
  budget.step((end - from) >>> 2);
  const out = Buffer.alloc((end - from) >>> 1);
  let length = 0;
  let half = -1;
  for (let at = from; at < end; at += 1) {
    if (bytes[at] === 0x5c) {
      while (at + 1 < end && isControl(bytes[at + 1]!)) at += 1;
      continue;
    }
    const digit = hexDigits[bytes[at]!]!;
    if (digit < 0) continue;
    if (half < 0) half = digit;
    else {
      out[length++] = half * 16 + digit;
      half = -1;
    }
  }
  budget.takeBytes(length);
  return out.subarray(0, length);
}

/** Letters, digits, the star of an ignorable destination and the minus of a number. */
function isControl(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2a || byte === 0x2d;
}

const pageActive: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/<script[\s>/]/i, 'a script'],
  [/<(?:iframe|frame|object|embed|applet|form|portal)[\s>/]/i, 'a part of another page'],
  [/\son[a-z]{3,30}\s*=/i, 'a script that answers to what is done'],
  [/(?:javascript|vbscript)\s*:/i, 'a script in an address'],
  [/<meta[^>]{0,200}http-equiv\s*=\s*["']?refresh/i, 'a way to another page'],
  [/<(?:link|base)[\s>]/i, 'a part that is fetched'],
  // Browsers fetch these without a click; an address within the page begins with # or data:.
  [/(?:\ssrc|<(?:svg:)?(?:image|use|feimage)\s[^>]{0,2000}?href)\s*=\s*["']?\s*(?!#|data:|["'\s>])/i, 'a part that is fetched'],
  [/@import\b|url\(\s*["']?\s*(?:[a-z]{2,10}:)?(?:\/\/|\\\\)/i, 'a part that is fetched'],
  [/<hta:/i, 'an application (HTA)'],
];

/** Pages and SVG pictures: with something that acts they are held, and what cannot be read as a page is shown by none. */
export function* openPage({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  budget.step(bytes.length >>> 4);
  const text = bytes.toString('latin1').replaceAll('\0', '');
  const active = [...new Set(pageActive.filter(([pattern]) => pattern.test(text)).map(([, what]) => what))];
  if (active.length > 0) say('document-active', `has active parts: ${active.join(', ')}`);
  let count = 0;
  for (const [, type, data] of text.matchAll(/data:([a-z0-9/+.-]{0,60});base64,([A-Za-z0-9+/=]{64,})/gi)) {
    if (++count > objectsMax) return say('part-limit', `has more than ${objectsMax} parts in addresses`);
    const content = Buffer.from(data!, 'base64');
    budget.takeBytes(content.length);
    yield { name: `content ${count} (${printable(type!)})`, bytes: content };
  }
}
