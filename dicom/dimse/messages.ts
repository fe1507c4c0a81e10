/** The DIMSE messages of PS3.7 §9.3 and §10.3: Command Field and the elements of each, and whether a Data Set comes with it. */
import { CommandProblem, commandElements, noDataSet, type CommandKeyword, type CommandSet } from './commands.ts';

export interface MessageRow {
  readonly name: string;
  readonly commandField: number;
  readonly mandatory: readonly CommandKeyword[];
  /** `either`: the message allows both, Command Data Set Type says which (PS3.7 tables). */
  readonly dataSet: 'required' | 'none' | 'either';
}

const request = ['CommandField', 'MessageID', 'CommandDataSetType'] as const;
const response = ['CommandField', 'MessageIDBeingRespondedTo', 'CommandDataSetType', 'Status'] as const;

/** Responses have the Command Field of their request with the highest bit set (PS3.7 §E.1). */
export const responseBit = 0x8000;

/** One row a message. Optional elements are not listed: any element of the table may be present. */
export const messages: readonly MessageRow[] = [
  { name: 'C-STORE-RQ', commandField: 0x0001, mandatory: [...request, 'AffectedSOPClassUID', 'AffectedSOPInstanceUID', 'Priority'], dataSet: 'required' },
  { name: 'C-STORE-RSP', commandField: 0x8001, mandatory: response, dataSet: 'none' },
  { name: 'C-GET-RQ', commandField: 0x0010, mandatory: [...request, 'AffectedSOPClassUID', 'Priority'], dataSet: 'required' },
  { name: 'C-GET-RSP', commandField: 0x8010, mandatory: response, dataSet: 'either' },
  { name: 'C-FIND-RQ', commandField: 0x0020, mandatory: [...request, 'AffectedSOPClassUID', 'Priority'], dataSet: 'required' },
  { name: 'C-FIND-RSP', commandField: 0x8020, mandatory: response, dataSet: 'either' },
  { name: 'C-MOVE-RQ', commandField: 0x0021, mandatory: [...request, 'AffectedSOPClassUID', 'Priority', 'MoveDestination'], dataSet: 'required' },
  { name: 'C-MOVE-RSP', commandField: 0x8021, mandatory: response, dataSet: 'either' },
  { name: 'C-ECHO-RQ', commandField: 0x0030, mandatory: [...request, 'AffectedSOPClassUID'], dataSet: 'none' },
  { name: 'C-ECHO-RSP', commandField: 0x8030, mandatory: response, dataSet: 'none' },
  { name: 'N-EVENT-REPORT-RQ', commandField: 0x0100, mandatory: [...request, 'AffectedSOPClassUID', 'AffectedSOPInstanceUID', 'EventTypeID'], dataSet: 'either' },
  { name: 'N-EVENT-REPORT-RSP', commandField: 0x8100, mandatory: response, dataSet: 'either' },
  { name: 'N-GET-RQ', commandField: 0x0110, mandatory: [...request, 'RequestedSOPClassUID', 'RequestedSOPInstanceUID'], dataSet: 'none' },
  { name: 'N-GET-RSP', commandField: 0x8110, mandatory: response, dataSet: 'either' },
  { name: 'N-SET-RQ', commandField: 0x0120, mandatory: [...request, 'RequestedSOPClassUID', 'RequestedSOPInstanceUID'], dataSet: 'required' },
  { name: 'N-SET-RSP', commandField: 0x8120, mandatory: response, dataSet: 'either' },
  { name: 'N-ACTION-RQ', commandField: 0x0130, mandatory: [...request, 'RequestedSOPClassUID', 'RequestedSOPInstanceUID', 'ActionTypeID'], dataSet: 'either' },
  { name: 'N-ACTION-RSP', commandField: 0x8130, mandatory: response, dataSet: 'either' },
  { name: 'N-CREATE-RQ', commandField: 0x0140, mandatory: [...request, 'AffectedSOPClassUID'], dataSet: 'either' },
  { name: 'N-CREATE-RSP', commandField: 0x8140, mandatory: response, dataSet: 'either' },
  { name: 'N-DELETE-RQ', commandField: 0x0150, mandatory: [...request, 'RequestedSOPClassUID', 'RequestedSOPInstanceUID'], dataSet: 'none' },
  { name: 'N-DELETE-RSP', commandField: 0x8150, mandatory: response, dataSet: 'none' },
  { name: 'C-CANCEL-RQ', commandField: 0x0fff, mandatory: ['CommandField', 'MessageIDBeingRespondedTo', 'CommandDataSetType'], dataSet: 'none' },
];

export const messageByCommandField: ReadonlyMap<number, MessageRow> = new Map(messages.map((message) => [message.commandField, message]));

/** The message that a Command Set is, or null for a Command Field of no message. */
export function messageOf(command: CommandSet): MessageRow | null {
  return messageByCommandField.get(command.CommandField) ?? null;
}

/** Whether the sender says that a Data Set follows. Throws CommandProblem when the sender does not say. */
export function announcesDataSet(command: CommandSet): boolean {
  if (command.CommandDataSetType === undefined) throw new CommandProblem('command-field-missing', 'a command set without Command Data Set Type');
  return command.CommandDataSetType !== noDataSet;
}

/** Mandatory elements that a Command Set lacks. An empty UID counts as absent. */
export function missingElements(message: MessageRow, command: CommandSet): readonly CommandKeyword[] {
  return message.mandatory.filter((keyword) => command[keyword] === undefined || command[keyword] === '');
}

/** "(0000,1000)" of a command element. */
export function tagOf(keyword: CommandKeyword): number {
  return commandElements[keyword].tag;
}
