import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandProblem, commandElements, commandSetBytesMax, decodeCommandSet, encodeCommandSet, errorComment, type CommandProblemCode, type CommandSet } from './commands.ts';
import { announcesDataSet, messageOf, messages, missingElements, responseBit, tagOf } from './messages.ts';
import { MessageReader } from './reader.ts';
import { describeStatus, statusType, statuses } from './statuses.ts';

const storeRQ: CommandSet = { AffectedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', CommandField: 1, MessageID: 7, Priority: 0, CommandDataSetType: 1, AffectedSOPInstanceUID: '1.2.3.4', MoveOriginatorApplicationEntityTitle: 'PACS', MoveOriginatorMessageID: 9 };

test('what is encoded is decoded', () => {
  assert.deepEqual(decodeCommandSet(encodeCommandSet(storeRQ)), storeRQ);
  const get: CommandSet = { CommandField: 0x110, MessageID: 1, CommandDataSetType: 0x101, RequestedSOPClassUID: '1.2', RequestedSOPInstanceUID: '1.2.3', AttributeIdentifierList: [0x00100010, 0xffffffff] };
  assert.deepEqual(decodeCommandSet(encodeCommandSet(get)), get);
});

test('bytes as PS3.7 §6.3.1 wants them: group length first, ascending, even, UI padded with NUL', () => {
  assert.equal(
    Buffer.from(encodeCommandSet({ CommandField: 0x8030, MessageIDBeingRespondedTo: 1, CommandDataSetType: 0x101, Status: 0, AffectedSOPClassUID: '1.2.3' })).toString('hex'),
    ['00000000040000003600000000000200060000', '00312e322e3300', '0000000102000000', '3080', '0000200102000000', '0100', '0000000802000000', '0101', '0000000902000000', '0000'].join(''),
  );
});

const element = (tag: number, ...value: readonly number[]): number[] => [0, 0, tag & 255, tag >> 8, value.length & 255, value.length >> 8, 0, 0, ...value];
test('what is no command set is refused with its code', () => {
  const cases: readonly [string, CommandProblemCode, readonly number[]][] = [
    ['empty', 'command-field-missing', []],
    ['cut header', 'command-element-invalid', [0, 0, 0]],
    ['length over the end', 'command-element-invalid', [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 0]],
    ['another group', 'command-element-invalid', [8, 0, 0x16, 0, 0, 0, 0, 0]],
    ['same element twice', 'command-order-invalid', [...element(0x100, 1, 0), ...element(0x100, 1, 0)]],
    ['descending', 'command-order-invalid', [...element(0x110, 1, 0), ...element(0x100, 1, 0)]],
    ['wrong group length', 'command-element-invalid', [...element(0, 9, 0, 0, 0), ...element(0x100, 1, 0)]],
    ['US of four bytes', 'command-element-invalid', element(0x100, 1, 0, 0, 0)],
    ['UID of 66 bytes', 'command-element-invalid', [...element(0x2, ...Array.from({ length: 66 }, () => 0x31)), ...element(0x100, 1, 0)]],
    ['AT of two bytes', 'command-element-invalid', [...element(0x100, 1, 0), ...element(0x901, 1, 0)]],
  ];
  for (const [name, code, bytes] of cases) assert.throws(() => decodeCommandSet(Uint8Array.from(bytes)), (error) => error instanceof CommandProblem && error.code === code, name);
  assert.throws(() => decodeCommandSet(new Uint8Array(commandSetBytesMax + 1)), CommandProblem);
});

test('retired and unknown elements are skipped; control characters of texts do not get through', () => {
  const command = decodeCommandSet(Uint8Array.from([...element(0x1, 0x20, 0x20), ...element(0x100, 0x30, 0), ...element(0x902, 0x1b, 0x5b, 0x41, 0x20)]));
  assert.deepEqual(command, { CommandField: 0x30, ErrorComment: '?[A' });
});

test('values that do not fit are our own bug', () => {
  assert.throws(() => encodeCommandSet({ CommandField: 1, AffectedSOPInstanceUID: '1'.repeat(65) }), RangeError);
  assert.throws(() => encodeCommandSet({ CommandField: 1, ErrorComment: 'x'.repeat(65) }), RangeError);
  assert.equal(errorComment('a\\b\n'), 'a?b?');
  assert.equal(errorComment('x'.repeat(80)).length, 64);
});

test('the tables agree with each other', () => {
  for (const message of messages) {
    const response = messages.find((other) => other.commandField === (message.commandField | responseBit));
    assert.ok(response !== undefined || message.name === 'C-CANCEL-RQ', message.name);
    assert.equal(messageOf({ CommandField: message.commandField }), message);
    for (const keyword of message.mandatory) assert.ok(tagOf(keyword) === commandElements[keyword].tag);
  }
  const tags = Object.values(commandElements).map(({ tag }) => tag);
  assert.deepEqual(tags, tags.toSorted((a, b) => a - b), 'commands are written in the order of the table');
  assert.equal(messageOf({ CommandField: 0x0042 }), null);
});

test('what a message lacks, and whether a Data Set follows', () => {
  const row = messageOf(storeRQ)!;
  assert.deepEqual(missingElements(row, storeRQ), []);
  assert.deepEqual(missingElements(row, { CommandField: 1, AffectedSOPInstanceUID: '' }), ['MessageID', 'CommandDataSetType', 'AffectedSOPClassUID', 'AffectedSOPInstanceUID', 'Priority']);
  assert.equal(announcesDataSet(storeRQ), true);
  assert.equal(announcesDataSet({ CommandField: 0x30, CommandDataSetType: 0x101 }), false);
  assert.throws(() => announcesDataSet({ CommandField: 0x30 }), CommandProblem);
});

const reader = (): MessageReader => new MessageReader({ command: () => {}, dataSetPiece: () => {}, dataSetEnd: () => {} });
test('messages out of order end the association', () => {
  const begin = (): MessageReader => {
    const made = reader();
    made.fragment(1, true, true, 0);
    made.piece(encodeCommandSet(storeRQ));
    made.fragmentEnd();
    return made;
  };
  assert.throws(() => reader().fragment(1, false, true, 1), CommandProblem, 'a data set first');
  assert.throws(() => begin().fragment(1, true, true, 1), CommandProblem, 'a command where a data set is due');
  assert.throws(() => begin().fragment(3, false, true, 1), CommandProblem, 'a data set in another context');
  const long = reader();
  long.fragment(1, true, false, commandSetBytesMax);
  long.piece(new Uint8Array(commandSetBytesMax));
  long.fragmentEnd();
  assert.throws(() => long.fragment(1, true, false, 1), CommandProblem, 'a command set without end');
  const whole = begin();
  assert.equal(whole.inMessage, true);
  whole.fragment(1, false, true, 1);
  whole.piece(Uint8Array.of(1));
  whole.fragmentEnd();
  assert.equal(whole.inMessage, false);
});

test('statuses: only success is success, and what is unknown is a failure', () => {
  assert.deepEqual([0, 0xb000, 0xb006, 1, 0x107, 0xff00, 0xff01, 0xfe00, 0xa700, 0x0110, 0x1234].map(statusType), ['success', 'warning', 'warning', 'warning', 'warning', 'pending', 'pending', 'cancel', 'failure', 'failure', 'failure']);
  assert.equal(describeStatus(0xa700), 'Refused: Out of Resources (0xA700)');
  assert.equal(describeStatus(0x0122), 'SOP Class not supported (0x0122)');
  for (const [name, status] of Object.entries(statuses)) assert.equal(statusType(status) === 'success', name === 'success');
});
