/**
 * XML 1.0 as events, strictly: what is not well-formed is refused where it is, nothing is ever fetched, and no entity is ever expanded but the five
 * that XML has by itself. A reader of our own, since a reader that can do more is what such documents are made for.
 */
import type { Budget } from './contract.ts';

export interface Attribute { readonly name: string; readonly value: string }

export interface XMLEvents {
  element(name: string, attributes: readonly Attribute[]): void;
  end(name: string): void;
  text(text: string): void;
  instruction(target: string, text: string): void;
  doctype(): void;
}

/** CDA documents are some thirty deep. */
const depthMax = 256;
const attributesMax = 256;
/** What may be in one name. */
const nameBytesMax = 256;

/** Encodings whose markup is that of ASCII, and which cannot be read in two ways. UTF-16 has its mark. */
const encodings: ReadonlySet<string> = new Set([
  'utf-8', 'utf8', 'us-ascii', 'ascii', 'windows-1250', 'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257',
  'koi8-r', 'shift_jis', 'euc-jp', 'euc-kr', 'gb2312', 'gbk', 'gb18030', 'big5', ...Array.from({ length: 16 }, (_, index) => `iso-8859-${index + 1}`),
]);

/** The characters of a document, or why they cannot be known. */
export function decodeXML(bytes: Buffer): { readonly text: string } | { readonly problem: string } {
  const mark = bytes.subarray(0, 4).toString('hex');
  if (mark === '0000feff' || mark === 'fffe0000' || mark === '0000003c' || mark === '3c000000') return { problem: 'is written in UTF-32' };
  const isLittle = mark.startsWith('fffe');
  const isBig = mark.startsWith('feff');
  if (!isLittle && !isBig && (mark.startsWith('003c') || mark.startsWith('3c00'))) return { problem: 'is written in UTF-16 and does not say so' };
  if (mark === '4c6fa794') return { problem: 'is written in EBCDIC' };
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{0,60})["']/.exec(bytes.toString('latin1', 0, 400))?.[1]?.toLowerCase();
  let label = isLittle ? 'utf-16le' : isBig ? 'utf-16be' : (declared ?? 'utf-8');
  if (!isLittle && !isBig) {
    if (!encodings.has(label)) return { problem: 'is written in an encoding that is read in more than one way' };
    if (mark.startsWith('efbbbf') && !/^utf-?8$/.test(label)) return { problem: 'says two different encodings' };
    if (label === 'us-ascii' || label === 'ascii') label = 'utf-8';
  }
  let end = bytes.length;
  // DICOM pads to even length.
  if (isLittle || isBig) end -= end % 2;
  else while (end > 0 && bytes[end - 1] === 0) end -= 1;
  try {
    const text = new TextDecoder(label, { fatal: true }).decode(bytes.subarray(0, end));
    if (isLittle || isBig) {
      const inside = /^<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{0,60})["']/.exec(text)?.[1]?.toLowerCase();
      if (inside !== undefined && !inside.startsWith('utf-16')) return { problem: 'says two different encodings' };
      return { text: text.replace(/\0+$/, '') };
    }
    return { text };
  } catch {
    return { problem: 'has characters that its encoding does not have' };
  }
}

const nameHere = /[A-Za-z_:\u0080-\uffff][A-Za-z0-9_:.\-\u0080-\uffff]*/y;
const blankHere = /[ \t\r\n]*/y;
const references: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Reads a document to its end. Null where it is well-formed; else what is wrong, as the end of a sentence. */
export function readXML(text: string, budget: Budget, events: XMLEvents): string | null {
  const open: string[] = [];
  let at = 0;
  let roots = 0;
  const sticky = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const until = (mark: string): string | null => {
    const end = text.indexOf(mark, at);
    if (end < 0) return null;
    const found = text.slice(at, end);
    budget.step(1 + (found.length >>> 8));
    at = end + mark.length;
    return found;
  };
  while (at < text.length) {
    budget.step(4);
    if (text[at] !== '<') {
      const end = text.indexOf('<', at);
      const raw = text.slice(at, end < 0 ? text.length : end);
      budget.step(raw.length >>> 8);
      at += raw.length;
      if (open.length === 0) {
        if (/[^ \t\r\n\ufeff\0]/.test(raw)) return 'has text outside of its elements';
        continue;
      }
      if (raw.includes('&')) budget.step(raw.length >>> 1);
      const plain = expand(raw);
      if (plain === null) return 'refers to an entity that is defined elsewhere';
      events.text(plain);
    } else if (text.startsWith('<!--', at)) {
      at += 4;
      if (until('-->') === null) return 'has a comment without end';
    } else if (text.startsWith('<![CDATA[', at)) {
      at += 9;
      const raw = open.length > 0 ? until(']]>') : null;
      if (raw === null) return 'has a section without end';
      events.text(raw);
    } else if (text.startsWith('<!', at)) {
      events.doctype();
      if (!skipDefinitions(sticky, until)) return 'has definitions without end';
    } else if (text.startsWith('<?', at)) {
      at += 2;
      const target = sticky(nameHere);
      const content = until('?>');
      if (target === '' || content === null) return 'has a damaged instruction';
      events.instruction(target, content);
    } else if (text[at + 1] === '/') {
      at += 2;
      const name = sticky(nameHere);
      sticky(blankHere);
      if (text[at] !== '>' || open.pop() !== name) return 'has elements that do not lie in each other';
      at += 1;
      events.end(name);
    } else {
      at += 1;
      const name = sticky(nameHere);
      if (name === '' || name.length > nameBytesMax) return 'has a name that is none';
      if (open.length === 0 && ++roots > 1) return 'has more than one root';
      const attributes: Attribute[] = [];
      const names = new Set<string>();
      for (;;) {
        budget.step();
        const blank = sticky(blankHere);
        if (text[at] === '>' || text.startsWith('/>', at)) break;
        const key = sticky(nameHere);
        sticky(blankHere);
        if (blank === '' || key === '' || key.length > nameBytesMax || text[at] !== '=') return 'has a damaged element';
        at += 1;
        sticky(blankHere);
        const quote = text[at];
        if (quote !== '"' && quote !== "'") return 'has an attribute without quotes';
        at += 1;
        const raw = until(quote);
        if (raw === null || raw.includes('<')) return 'has an attribute without end';
        if (raw.includes('&')) budget.step(raw.length >>> 1);
        const value = expand(raw);
        if (value === null) return 'refers to an entity that is defined elsewhere';
        if (names.has(key) || attributes.length >= attributesMax) return 'has an element with an attribute too many';
        names.add(key);
        attributes.push({ name: key, value });
      }
      events.element(name, attributes);
      if (text[at] === '/') {
        at += 2;
        events.end(name);
      } else {
        at += 1;
        open.push(name);
        if (open.length > depthMax) return `is nested deeper than ${depthMax} levels`;
      }
    }
  }
  if (open.length > 0 || roots === 0) return 'ends too early';
  return null;
}

/** Past a document type. What it defines is not used, so that what refers to it is refused where it is. */
function skipDefinitions(sticky: (pattern: RegExp) => string, until: (mark: string) => string | null): boolean {
  sticky(/<![^[>]*/y);
  if (sticky(/\[/y) !== '' && until(']') === null) return false;
  return until('>') !== null;
}

/** Text with its references resolved, or null where one is not of XML itself. */
function expand(raw: string): string | null {
  if (!raw.includes('&')) return raw;
  let failed = false;
  const text = raw.replaceAll(/&(?:(#x[0-9A-Fa-f]{1,6}|#\d{1,7})|([A-Za-z]{2,4}));|&/g, (whole: string, code: string | undefined, name: string | undefined) => {
    if (code !== undefined) {
      const point = code.startsWith('#x') ? Number.parseInt(code.slice(2), 16) : Number(code.slice(1));
      if (point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    } else if (name !== undefined && Object.hasOwn(references, name)) return references[name]!;
    failed = true;
    return whole;
  });
  return failed ? null : text;
}
