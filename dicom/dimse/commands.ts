/**
 * Command Sets (PS3.7 §6.3, Annex E): always Implicit VR Little Endian, group 0000 only. Read and written from one table of elements
 * and one of messages. The reader is bounded and takes nothing on trust.
 */
import { associatePDUBytesMax, uidBytesMax } from '../upperlayer/limits.ts';

/** A C-STORE-RQ has some 300 bytes. N-GET and N-SET lists of attributes are the longest; 16,000 tags fit. */
export const commandSetBytesMax = associatePDUBytesMax;

/** Command Data Set Type (0000,0800): this value says that no Data Set follows, any other that one does (PS3.7 §E.1). */
export const noDataSet = 0x0101;
/** What we write when one follows. */
export const withDataSet = 0x0001;

type ElementVR = 'UL' | 'US' | 'UI' | 'AE' | 'LO' | 'AT';

interface ElementRow {
  readonly tag: number;
  readonly vr: ElementVR;
  /** Longest value in bytes (PS3.5 §6.2, padding included). */
  readonly bytesMax: number;
}

/** PS3.7 Table E.1-1, without the retired ones, which are skipped on reading. Keys are the keywords of PS3.6 §7. */
export const commandElements = {
  AffectedSOPClassUID: row(0x0002, 'UI', uidBytesMax),
  RequestedSOPClassUID: row(0x0003, 'UI', uidBytesMax),
  CommandField: row(0x0100, 'US', 2),
  MessageID: row(0x0110, 'US', 2),
  MessageIDBeingRespondedTo: row(0x0120, 'US', 2),
  MoveDestination: row(0x0600, 'AE', 16),
  Priority: row(0x0700, 'US', 2),
  CommandDataSetType: row(0x0800, 'US', 2),
  Status: row(0x0900, 'US', 2),
  OffendingElement: row(0x0901, 'AT', commandSetBytesMax),
  ErrorComment: row(0x0902, 'LO', 64),
  ErrorID: row(0x0903, 'US', 2),
  AffectedSOPInstanceUID: row(0x1000, 'UI', uidBytesMax),
  RequestedSOPInstanceUID: row(0x1001, 'UI', uidBytesMax),
  EventTypeID: row(0x1002, 'US', 2),
  AttributeIdentifierList: row(0x1005, 'AT', commandSetBytesMax),
  ActionTypeID: row(0x1008, 'US', 2),
  NumberOfRemainingSuboperations: row(0x1020, 'US', 2),
  NumberOfCompletedSuboperations: row(0x1021, 'US', 2),
  NumberOfFailedSuboperations: row(0x1022, 'US', 2),
  NumberOfWarningSuboperations: row(0x1023, 'US', 2),
  MoveOriginatorApplicationEntityTitle: row(0x1030, 'AE', 16),
  MoveOriginatorMessageID: row(0x1031, 'US', 2),
} as const satisfies Record<string, ElementRow>;
export type CommandKeyword = keyof typeof commandElements;

type ValueOf<Keyword extends CommandKeyword> = (typeof commandElements)[Keyword]['vr'] extends 'UI' | 'AE' | 'LO' ? string : (typeof commandElements)[Keyword]['vr'] extends 'AT' ? readonly number[] : number;

/** A Command Set, by keyword. */
export type CommandSet = { readonly [Keyword in CommandKeyword]?: ValueOf<Keyword> } & { readonly CommandField: number };

export type CommandProblemCode = 'command-length-exceeded' | 'command-element-invalid' | 'command-order-invalid' | 'command-field-missing' | 'command-field-unknown' | 'message-order-invalid';

/** A Command Set that cannot be answered: the association is ended (PS3.7 has no status for it). */
export class CommandProblem extends Error {
  readonly code: CommandProblemCode;
  constructor(code: CommandProblemCode, message: string) {
    super(message);
    this.name = 'CommandProblem';
    this.code = code;
  }
}

function row<VR extends ElementVR>(tag: number, vr: VR, bytesMax: number): { readonly tag: number; readonly vr: VR; readonly bytesMax: number } {
  return { tag, vr, bytesMax };
}

const keywordByTag: ReadonlyMap<number, CommandKeyword> = new Map((Object.keys(commandElements) as CommandKeyword[]).map((keyword) => [commandElements[keyword].tag, keyword]));
const inOrder: readonly CommandKeyword[] = [...keywordByTag.values()];

/** Reads a whole Command Set. Throws CommandProblem. Elements that the table does not list are skipped, their form is checked all the same. */
export function decodeCommandSet(bytes: Uint8Array): CommandSet {
  if (bytes.length > commandSetBytesMax) throw new CommandProblem('command-length-exceeded', `a command set of ${bytes.length} bytes; at most ${commandSetBytesMax} are taken`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command: Partial<Record<CommandKeyword, unknown>> = {};
  let previous = -1;
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8) throw new CommandProblem('command-element-invalid', `${bytes.length - at} bytes are left where a command element begins`);
    const group = view.getUint16(at, true);
    const element = view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    const tag = `(${group.toString(16).padStart(4, '0')},${element.toString(16).padStart(4, '0')})`;
    if (group !== 0) throw new CommandProblem('command-element-invalid', `${tag} in a command set, which holds group 0000 only`);
    if (element <= previous) throw new CommandProblem('command-order-invalid', `${tag} is not in ascending order`);
    if (length > bytes.length - at - 8) throw new CommandProblem('command-element-invalid', `${tag} declares ${length} bytes where ${bytes.length - at - 8} are left`);
    previous = element;
    at += 8;
    if (element === 0) {
      // Command Group Length counts what follows it (PS3.7 §E.1).
      if (length !== 4 || view.getUint32(at, true) !== bytes.length - 12) throw new CommandProblem('command-element-invalid', 'Command Group Length is not the length of the command set');
    } else {
      const keyword = keywordByTag.get(element);
      if (keyword !== undefined) command[keyword] = readValue(view, at, length, keyword, tag);
    }
    at += length;
  }
  if (command.CommandField === undefined) throw new CommandProblem('command-field-missing', 'a command set without Command Field');
  return command as CommandSet;
}

function readValue(view: DataView, at: number, length: number, keyword: CommandKeyword, tag: string): unknown {
  const { vr, bytesMax } = commandElements[keyword];
  if (length > bytesMax) throw new CommandProblem('command-element-invalid', `${tag} ${keyword} has ${length} bytes, at most ${bytesMax} are allowed`);
  switch (vr) {
    case 'US':
      if (length !== 2) throw new CommandProblem('command-element-invalid', `${tag} ${keyword} has ${length} bytes, a US has 2`);
      return view.getUint16(at, true);
    case 'AT': {
      if (length % 4 !== 0) throw new CommandProblem('command-element-invalid', `${tag} ${keyword} has ${length} bytes, an AT has 4 a value`);
      const tags: number[] = [];
      for (let next = at; next < at + length; next += 4) tags.push(((view.getUint16(next, true) << 16) | view.getUint16(next + 2, true)) >>> 0);
      return tags;
    }
    default: {
      let end = at + length;
      // PS3.5 §6.2: UI is padded with one NUL, AE and LO with spaces. Some senders take the other one; neither can be part of a value's end.
      while (end > at && (view.getUint8(end - 1) === 0 || view.getUint8(end - 1) === 0x20)) end--;
      let text = '';
      for (let next = at; next < end; next++) {
        const byte = view.getUint8(next);
        // These values are shown to people and written to records: nothing but printable characters gets that far.
        text += byte < 0x20 || byte > 0x7e ? '?' : String.fromCharCode(byte);
      }
      return vr === 'AE' ? text.trimStart() : text;
    }
  }
}

/** Writes a Command Set, Command Group Length first. Values that do not fit are our own bug: RangeError. */
export function encodeCommandSet(command: CommandSet): Uint8Array {
  const values: (readonly [tag: number, bytes: Uint8Array])[] = [];
  let total = 0;
  for (const keyword of inOrder) {
    const value = command[keyword];
    if (value === undefined) continue;
    const { tag, vr, bytesMax } = commandElements[keyword];
    const bytes = writeValue(vr, value);
    if (bytes.length > bytesMax) throw new RangeError(`${keyword} of ${bytes.length} bytes; at most ${bytesMax} fit`);
    values.push([tag, bytes]);
    total += 8 + bytes.length;
  }
  const whole = new Uint8Array(12 + total);
  const view = new DataView(whole.buffer);
  view.setUint32(4, 4, true);
  view.setUint32(8, total, true);
  let at = 12;
  for (const [tag, bytes] of values) {
    view.setUint16(at + 2, tag, true);
    view.setUint32(at + 4, bytes.length, true);
    whole.set(bytes, at + 8);
    at += 8 + bytes.length;
  }
  return whole;
}

function writeValue(vr: ElementVR, value: string | number | readonly number[]): Uint8Array {
  if (typeof value === 'number') return Uint8Array.of(value & 0xff, (value >> 8) & 0xff);
  if (typeof value !== 'string') {
    const bytes = new Uint8Array(value.length * 4);
    const view = new DataView(bytes.buffer);
    value.forEach((tag, index) => {
      view.setUint16(index * 4, tag >>> 16, true);
      view.setUint16(index * 4 + 2, tag & 0xffff, true);
    });
    return bytes;
  }
  const bytes = new Uint8Array(value.length + (value.length % 2));
  for (let index = 0; index < value.length; index++) bytes[index] = value.charCodeAt(index);
  if (value.length % 2 === 1) bytes[value.length] = vr === 'UI' ? 0 : 0x20;
  return bytes;
}

/** A text as it fits Error Comment (0000,0902): LO, 64 characters, no backslash (which would separate values) and printable ASCII only. */
export function errorComment(text: string): string {
  const plain = text.replace(/[^\x20-\x5b\x5d-\x7e]/g, '?');
  return plain.length <= 64 ? plain : `${plain.slice(0, 61)}...`;
}
