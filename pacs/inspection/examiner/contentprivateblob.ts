/**
 * Philips' "blob data objects", the Items of (2005,xx32) of Philips MR Imaging DD 002: each says what it is (xx37), how it is written (xx39) and how many bytes it
 * has (xx43). Parameter files are read to their last value, exam cards as XML with the card in it as base64, texts as texts.
 */
import { readParameters } from '@lazaret/dicom/private/parameters.ts';
import { restFrom, type Range } from '@lazaret/dicom/private/record.ts';
import { beginsXML, type PrivateValue } from './contentprivatevalue.ts';
import { slackBytesMax } from './inside/contract.ts';

const element = { written: 0x39, bytes: 0x43 } as const;
/** Of parameter files few were seen, and behind an exam card is what the writer's memory held. */
const residueBytesMax = 4096;
/** The element of the exam card that holds the card. */
const cardElement = /^(?:[A-Za-z]\w*:)?ExamCardBlob$/;

export function checkBlob(value: PrivateValue): readonly Range[] {
  const { bytes } = value;
  // Its words are swapped, and nobody said how a device would read them.
  if (!value.littleEndian) return [];
  const said = value.number(element.bytes) ?? bytes.length;
  if (said > bytes.length) value.say('private-invalid', `The blob says that it has ${said} bytes, and has ${bytes.length}.`);
  const length = Math.min(said, bytes.length);
  value.sayUnexplained(restFrom(length, bytes.length), slackBytesMax);
  const written = value.text(element.written);
  if (written === 'IEEE_PDF') return value.readAs(readParameters, residueBytesMax, length);
  if (written === 'ASCII') checkText(value, bytes.subarray(0, length));
  else if (written === '' && beginsXML(bytes)) checkExamCard(value, bytes.subarray(0, length));
  return [];
}

/** Texts, ended by NUL. */
function checkText(value: PrivateValue, text: Buffer): void {
  let controls = 0;
  for (const byte of text) if (byte < 0x20 && byte !== 0 && (byte < 0x09 || byte > 0x0d)) controls += 1;
  if (controls > slackBytesMax) value.sayUnexplainedIn('a blob that says that it is text', controls);
}

function checkExamCard(value: PrivateValue, bytes: Buffer): void {
  const cards: string[] = [];
  const pieces: string[] = [];
  let isCard = false;
  value.checkXML(bytes, 'the exam card', residueBytesMax, {
    element: (name) => void (isCard = cardElement.test(name)),
    text: (text) => void (isCard && pieces.push(text)),
    end(name) {
      if (cardElement.test(name)) cards.push(pieces.splice(0).join(''));
      isCard = false;
    },
  });
  for (const card of cards) {
    const text = card.replaceAll(/\s+/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
      value.say('private-invalid', 'The exam card holds text that is not the base64 that it says.');
      continue;
    }
    const inner = Buffer.from(text, 'base64');
    value.budget.takeBytes(inner.length);
    if (beginsXML(inner)) value.checkXML(inner, 'the card in the exam card', residueBytesMax);
  }
}
