import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from './codes.ts';
import { encodeMessage } from './encode.ts';
import type { AuditMessage } from './message.ts';
import { parseMessage } from './parse.ts';

const message: AuditMessage = {
  eventID: eventIDs.instancesAccessed, eventTypes: [eventTypes.admission, eventTypes.login], action: 'R', time: 1_764_000_000_123, outcome: 4, outcomeDescription: 'a "quoted" <b>&amp; text\nand a line',
  participants: [
    { userID: 'ann <ann@example.org>', alternativeUserID: 'AETITLE=CT"1', userIsRequestor: true, roleIDCodes: [roleIDs.source, roleIDs.destination], networkAccessPoint: '::1' },
    { userID: 'lazaret/keeper', userIsRequestor: false },
  ],
  objects: [
    { typeCode: 2, role: 3, idType: objectIDTypes.studyInstanceUID, id: '1.2.3', name: 'a & b', details: [['URL', '/dicomweb/studies/1.2.3'], ['Ünicode', '名前 > ']], sopClasses: [{ uid: '1.2', count: 2, instances: ['1.2.3.4', '1.2.3.5'] }, { uid: '1.3', count: 9, instances: [] }] },
    { typeCode: 1, role: 1, idType: objectIDTypes.patientNumber, id: 'P&1', name: '', details: [], sopClasses: [] },
  ],
};

test('what encode.ts wrote comes back as it was', () => {
  assert.deepEqual(parseMessage(encodeMessage(message)), message);
});

test('a text with nothing of a message is none', () => {
  for (const text of ['', '<AuditMessage>', 'EventID', '<AuditMessage><EventIdentification EventActionCode="X" EventDateTime="now" EventOutcomeIndicator="3"/></AuditMessage>']) assert.equal(parseMessage(text), null);
});
