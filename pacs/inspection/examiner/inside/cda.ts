/**
 * XML documents, CDA (HL7) first of all: nothing that fetches, transforms or runs, and what is packed into them as base64 (nonXMLBody,
 * observationMedia) is given as parts, deflated or not.
 */
import { printable, type Inner, type Opening } from './contract.ts';
import { inflate } from './deflate.ts';
import { decodeXML, readXML, type Attribute } from './xml.ts';

/** Namespaces whose elements do something when they are shown. */
const activeNamespaces: readonly (readonly [uri: string, what: string])[] = [
  ['http://www.w3.org/2001/XInclude', 'a part that is fetched from elsewhere (XInclude)'],
  ['http://www.w3.org/1999/XSL/Transform', 'a transformation (XSLT)'],
  ['http://www.w3.org/2002/xforms', 'a form that sends data (XForms)'],
  ['urn:schemas-microsoft-com:', 'a script (Microsoft)'],
  ['http://www.w3.org/2001/xml-events', 'a script (XML Events)'],
];
const activeElements: ReadonlySet<string> = new Set(['script', 'iframe', 'frame', 'embed', 'applet', 'form', 'meta', 'base', 'handler', 'foreignobject', 'stylesheet', 'transform']);
const handlers = /^on[a-z]{3,30}$/i;
const activeSchemes = /^(?:javascript|vbscript|data|file|ms-[a-z-]+|search-ms|jar|mhtml|res|view-source|smb|ldap):|^\\\\|^\/\//i;
/** Attributes that name a resource to show or fetch. */
const referring = /^(?:href|src|value|action|data|background|codebase|schemaLocation|noNamespaceSchemaLocation|classid|extensionBase)$/i;

/** Text that may be base64 although nothing says so: this much of it is no word. */
const unsaidBase64Min = 256;

export function* openXML({ bytes, budget, say }: Opening): Generator<Inner, void, void> {
  const decoded = decodeXML(bytes);
  if ('problem' in decoded) {
    say('document-unscannable', decoded.problem);
    yield { name: 'the text', bytes, opened: false };
    return;
  }
  const active = new Set<string>();
  const packed: { readonly name: string; readonly text: string; readonly declared: string; readonly compression: string; readonly said: boolean }[] = [];
  /** Of each open element: what it says of its text, and its text. */
  const open: { readonly attributes: readonly Attribute[]; readonly pieces: string[] }[] = [];
  const problem = readXML(decoded.text, budget, {
    doctype: () => void active.add('a document type with definitions (DOCTYPE)'),
    instruction(target, text) {
      if (/^xml$/i.test(target)) return;
      // A style sheet is fetched and run by whoever shows the document.
      if (/stylesheet/i.test(target) || /href\s*=|type\s*=/i.test(text)) active.add(`an instruction to programs (${printable(target)})`);
      else if (/php|import|include|access-control/i.test(target)) active.add(`an instruction to programs (${printable(target)})`);
    },
    element(name, attributes) {
      const local = name.slice(name.indexOf(':') + 1).toLowerCase();
      if (activeElements.has(local)) active.add(`an element that acts (${printable(local)})`);
      for (const attribute of attributes) seeAttribute(attribute, active);
      open.push({ attributes, pieces: [] });
    },
    text: (text) => void open.at(-1)?.pieces.push(text),
    end(name) {
      const { attributes, pieces } = open.pop()!;
      const value = (key: string): string => attributes.find((attribute) => attribute.name.toLowerCase() === key)?.value ?? '';
      const text = pieces.join('');
      const said = value('representation').toUpperCase() === 'B64';
      if (!said && (text.length < unsaidBase64Min || !/^[A-Za-z0-9+/=\s]+$/.test(text) || !/[A-Za-z0-9+/]{64}/.test(text))) return;
      packed.push({ name: printable(name), text, declared: value('mediatype').toLowerCase(), compression: value('compression').toUpperCase(), said });
    },
  });
  if (problem !== null) {
    say('document-unscannable', problem);
    // What was not reached is searched as any opaque value is.
    yield { name: 'the text', bytes: Buffer.from(decoded.text, 'utf8'), opened: false };
  }
  for (const [index, { name, text, declared, compression, said }] of packed.entries()) {
    const plain = text.replaceAll(/\s+/g, '');
    const isSound = /^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0;
    const content = Buffer.from(plain, 'base64');
    budget.takeBytes(content.length);
    if (said && !isSound) say('document-unscannable', `has content that is not the base64 that it says (${name})`);
    if (content.length === 0) continue;
    const label = `content ${index + 1} (${name})`;
    if (compression === 'DF') {
      const { output, ended } = inflate(content, 'raw', budget);
      if (ended !== 'complete') say('document-unscannable', `has content that cannot be unpacked (${name})`);
      yield { name: label, bytes: output, declared };
    } else if (compression === '' || compression === 'GZ' || compression === 'ZL') yield { name: label, bytes: content, declared: compression === '' ? declared : '' };
    else {
      say('document-unscannable', `has content packed in a way that is not looked into (${name})`);
      yield { name: label, bytes: content };
    }
  }
  if (active.size > 0) say('document-active', `has active parts: ${[...active].toSorted().join(', ')}`);
}

function seeAttribute({ name, value }: Attribute, active: Set<string>): void {
  const local = name.slice(name.indexOf(':') + 1);
  if (handlers.test(local)) active.add(`a script (${printable(local)})`);
  if (name.startsWith('xmlns')) {
    for (const [uri, what] of activeNamespaces) if (value.trim().startsWith(uri)) active.add(what);
    return;
  }
  const plain = value.replaceAll(/[\u0000-\u0020]/g, '');
  if (!referring.test(local) || !activeSchemes.test(plain)) return;
  // A picture in its own address is a picture.
  if (/^data:image\/(?:png|jpeg|gif|bmp);base64,/i.test(plain)) return;
  active.add(`a reference that acts (${printable(plain.slice(0, 24))})`);
}
