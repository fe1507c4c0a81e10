import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseOffer, frameMediaType, type Offer } from './mediatypes.ts';

const explicit = '1.2.840.10008.1.2.1';
const jpeg = '1.2.840.10008.1.2.4.70';
const many: Offer = { type: 'application/dicom', multipart: true, transferSyntaxUIDs: [explicit, jpeg] };
const one: Offer = { type: 'application/dicom', multipart: false, transferSyntaxUIDs: [explicit] };
const json: Offer = { type: 'application/dicom+json', multipart: false, transferSyntaxUIDs: [] };
const image: Offer = { type: 'image/jpeg', multipart: true, transferSyntaxUIDs: [jpeg] };
const octets: Offer = { type: 'application/octet-stream', multipart: true, transferSyntaxUIDs: [jpeg] };

test('without a wish the first offer is given', () => {
  for (const header of [undefined, '', '  ', '*/*']) assert.equal(chooseOffer([image, octets], header, null), image);
});

test('media types as user agents send them', () => {
  const accepted: readonly (readonly [string, Offer])[] = [
    ['multipart/related; type="application/dicom"', many], ['multipart/related; type=application/dicom; transfer-syntax=*', many], ['multipart/related;type="application/dicom";transfer-syntax=*;boundary=x', many], ['multipart/related', many], ['multipart/*', many],
    [`multipart/related; type="application/dicom"; transfer-syntax=${explicit}, multipart/related; type="application/dicom"; transfer-syntax=${jpeg}`, many],
    ['Application/DICOM', one], [`application/dicom; transfer-syntax=${explicit}`, one], ['text/html, application/*;q=0.5', one],
    ['application/dicom+json', json], ['application/json', json], ['application/json, text/plain, */*', json],
    ['multipart/related; type=image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70', image], ['multipart/related; type="image/*"', image], ['multipart/related; type="IMAGE/JPEG"', image],
    ['multipart/related; type=application/octet-stream; transfer-syntax=*', octets],
    ['multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50, multipart/related; type="application/octet-stream"; transfer-syntax=*', octets],
  ];
  for (const [header, offer] of accepted) assert.equal(chooseOffer([offer], header, null), offer, header);
  const refused: readonly (readonly [string, Offer])[] = [
    [`multipart/related; type="application/dicom"; transfer-syntax=${explicit}`, many], ['application/dicom', many], ['multipart/related; type="application/octet-stream"', many], ['text/html', one],
    ['multipart/related; type="application/dicom"', one], ['application/dicom+xml', json], ['multipart/related; type=image/jp2', image], ['*/*;q=0', one], ['application/dicom;q=0, */*', one], ['application/dicom;q=x', one],
    ['rubbish', one], ['application/dicom; transfer-syntax=1.2; transfer-syntax=*', one], ['x'.repeat(9000), one],
  ];
  for (const [header, offer] of refused) assert.equal(chooseOffer([offer], header, null), null, header);
});

test('quality decides, the more specific range sets it', () => {
  assert.equal(chooseOffer([image, octets], 'multipart/related; type=image/jpeg;q=0.2, multipart/related; type=application/octet-stream;q=0.9', null), octets);
  assert.equal(chooseOffer([image, octets], '*/*, multipart/related; type=image/jpeg;q=0.1', null), octets);
  assert.equal(chooseOffer([image, octets], '*/*;q=0.1, multipart/related; type=image/jpeg', null), image);
});

test('the query parameter goes before the header; its plus may have become a space', () => {
  assert.equal(chooseOffer([one], 'text/html', 'application/dicom'), one);
  assert.equal(chooseOffer([one], 'application/dicom', 'text/html'), null);
  assert.equal(chooseOffer([json], undefined, 'application/dicom json'), json);
  assert.equal(chooseOffer([one], 'application/dicom', ''), null);
});

test('frames of each transfer syntax have their media type', () => {
  const expected: Readonly<Record<string, string>> = { '4.50': 'image/jpeg', '4.70': 'image/jpeg', '5': 'image/dicom-rle', '4.80': 'image/jls', '4.91': 'image/jp2', '4.93': 'image/jpx', '4.201': 'image/jphc', '4.110': 'image/jxl', '4.100': 'video/mpeg', '4.102': 'video/mp4', '4.107': 'video/H265', '4.999': 'application/octet-stream' };
  for (const [last, type] of Object.entries(expected)) assert.equal(frameMediaType(`1.2.840.10008.1.2.${last}`), type);
});

test('any Accept gives an offer or none, quickly', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), fc.option(fc.string()), (header, parameter) => {
    const offer = chooseOffer([many, one, json], header, parameter);
    assert.ok(offer === null || [many, one, json].includes(offer));
  }), { numRuns: 500 });
  // Quotes that never close, many commas: linear.
  for (const header of ['"'.repeat(8000), ','.repeat(8000), '\\"'.repeat(4000), `"${'\\'.repeat(8000)}`]) chooseOffer([one], header, null);
});
