/** XML, models and pages: what conforms is read, and each way around the rules is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openXML } from './cda.ts';
import { Budget, type Opener } from './contract.ts';
import { openMTL, openOBJ, openSTL } from './models.ts';
import { openPage, openRTF } from './richtext.ts';
import { decodeXML, readXML } from './xml.ts';

function said(opener: Opener, content: string | Buffer): string {
  const texts: string[] = [];
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  for (const _ of opener({ bytes, budget: new Budget(), say: (code, text) => texts.push(`${code}: ${text}`) }));
  return texts.join('\n');
}
const nothing = { element: () => {}, end: () => {}, text: () => {}, instruction: () => {}, doctype: () => {} };

test('XML: well-formed documents are read', () => {
  for (const text of ['<a/>', '<?xml version="1.0"?>\n<!-- c --><a b="1" c=\'2\'>x<b:c xmlns:b="u"/>&lt;&#65;&#x42;<![CDATA[<x>&]]></a>\n<!-- d -->\n', '<é à="ü">ö</é>']) assert.equal(readXML(text, new Budget(), nothing), null, text);
});

test('XML: what is not well-formed is refused', () => {
  for (const text of ['', 'x', '<a>', '<a></b>', '<a/><b/>', '<a/>x', '<a b=1/>', '<a b="1" b="2"/>', '<a b="<"/>', '<a>&x;</a>', '<a>&#0;</a>', '<a b="&y;"/>', '<!-- ', '<a><![CDATA[x</a>', '<?x', '<1/>', '<a b="1"c="2"/>', '<a'.repeat(9), '<a>'.repeat(300)]) {
    assert.notEqual(readXML(text, new Budget(), nothing), null, text);
  }
});

test('XML: encodings that are read in more than one way are refused', () => {
  const declared = (encoding: string): Buffer => Buffer.from(`<?xml version="1.0" encoding="${encoding}"?><a/>`);
  for (const encoding of ['UTF-8', 'us-ascii', 'ISO-8859-1', 'windows-1252', 'Shift_JIS']) assert.ok('text' in decodeXML(declared(encoding)), encoding);
  for (const encoding of ['UTF-7', 'UTF-16', 'UTF-32', 'IBM037', 'ISO-2022-JP', 'hz-gb-2312', 'x-user-defined', 'BOCU-1']) assert.ok('problem' in decodeXML(declared(encoding)), encoding);
  assert.ok('problem' in decodeXML(Buffer.from('<a>\xff</a>', 'latin1')), 'invalid UTF-8');
  assert.ok('problem' in decodeXML(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), declared('ISO-8859-1')])));
  assert.ok('problem' in decodeXML(Buffer.from('<a/>', 'utf16le')));
  assert.ok('problem' in decodeXML(Buffer.from('4c6fa79493', 'hex')));
});

test('CDA: each way to act is told, links to the web are not', () => {
  const active = [
    '<!DOCTYPE a><a/>', '<?xml-stylesheet href="x"?><a/>', '<?xsl-stylesheet?><a/>', '<a><script/></a>', '<a><x:SCRIPT xmlns:x="u"/></a>', '<a xmlns:q="http://www.w3.org/2001/XInclude"/>', '<a xmlns="http://www.w3.org/1999/XSL/Transform"/>',
    '<a onload="x"/>', '<a href="javascript:x"/>', '<a href=" JaVa&#x0A;Script:x"/>', '<a xlink:href="data:text/html,x" xmlns:xlink="u"/>', '<a><reference value="file:///x"/></a>', '<a href="\\\\host\\x"/>', '<a href="//host/x"/>', '<a><iframe/></a>',
  ];
  for (const text of active) assert.match(said(openXML, text), /document-active/, text);
  for (const text of ['<a href="https://example.org/"/>', '<a><reference value="#r1"/></a>', '<a xsi:schemaLocation="urn:hl7-org:v3 CDA.xsd" xmlns:xsi="u"/>', '<a onset="1" value="12"/>'.replace(' onset="1"', ''), '<a href="data:image/png;base64,AAAA"/>']) assert.equal(said(openXML, text), '', text);
});

test('CDA: content that is not the base64 that it says', () => {
  assert.match(said(openXML, '<a representation="B64">QUJD*</a>'), /not the base64/);
  assert.equal(said(openXML, '<a representation="B64" mediaType="text/plain">QUJD\nRERE</a>'), '');
  assert.match(said(openXML, '<a representation="B64" mediaType="application/x">QUJD</a>'), /^$/);
});

test('STL, OBJ and MTL: lines of the format and no others', () => {
  const solid = 'solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1e-3 -.5\nendloop\nendfacet\nendsolid a\n';
  assert.equal(said(openSTL, solid), '');
  assert.equal(said(openSTL, solid.toUpperCase().replaceAll('\n', '\r\n')), '');
  for (const wrong of ['solid a\n', `${solid}x`, solid.replace('vertex 1', 'vertex x'), solid.replace('endloop\n', ''), '\0'.repeat(83), `${'\0'.repeat(80)}\xff\xff\xff\xff`]) assert.match(said(openSTL, Buffer.from(wrong, 'latin1')), /document-disguised/);
  assert.equal(said(openOBJ, '# c\r\nv 0 0 0 1.0\r\nf 1/2/3 \\\r\n 2//1 3\r\ng a b\r\nmtllib a.mtl\r\n\0'), '');
  for (const wrong of ['v a b c\n', 'echo x\n', 'v 0 0 \u0001\n', '<html>\n']) assert.match(said(openOBJ, wrong), /document-disguised/, wrong);
  for (const wrong of ['mtllib ../a.mtl\n', 'mtllib C:a.mtl\n', 'call a\n']) assert.match(said(openOBJ, wrong), /document-active/, wrong);
  assert.equal(said(openMTL, 'newmtl a\nKd 1 1 1\nmap_Kd -s 1 1 1 a.png\n'), '');
  assert.match(said(openMTL, 'newmtl a\nmap_Bump http://example.org/a\n'), /document-active/);
});

test('RTF and pages: text is quiet, what acts is told', () => {
  assert.equal(said(openRTF, '{\\rtf1\\ansi Report \\b bold\\b0 }'), '');
  for (const wrong of ['{\\rtf1{\\object\\objemb}}', '{\\rtf1{\\*\\template http://x}}', '{\\rtf1{\\field{\\*\\fldinst{DDEAUTO c x}}}}']) assert.match(said(openRTF, wrong), /document-active/, wrong);
  assert.equal(said(openPage, '<html><body><p>Report</p><a href="https://example.org">x</a></body></html>'), '');
  for (const wrong of ['<html><script>', '<svg onload=x>', '<html><a href="javascript:x">', '<html><meta http-equiv=refresh>', '<html><iframe src=x>', '<html><img src="x.png">', '<svg><image width="1" href="https://x/y.png"/>', '<svg><use xlink:href="y.svg#a"/>', '<svg><style>@import "x"', '<svg fill="url(https://x/y.svg#a)">']) assert.match(said(openPage, wrong), /document-active/, wrong);
});
