/** One question to the worklist: C-FIND (PS3.4 §K.4.1) or C-ECHO, bounded in time and answers. Nothing is thrown: what went wrong is an answer with a sentence. */
import { withDataSet, noDataSet, type CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { messageOf } from '@lazaret/dicom/dimse/messages.ts';
import { describeStatus, statusType } from '@lazaret/dicom/dimse/statuses.ts';
import { identifierBytesMax } from '@lazaret/dicom/dimse/identifier.ts';
import { explicitVRLittleEndian, implicitVRLittleEndian } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import { Failure, unavailable } from '@lazaret/system/failure.ts';
import type { AnsweredPresentationContext } from '@lazaret/dicom/upperlayer/pdu.ts';
import { WorklistAssociation, type AssociationOptions } from './association.ts';
import { worklistItemsMax, type WorklistAnswer, type WorklistItem, type WorklistQuery } from './contract.ts';
import { encodeQuery, readItem, verification, worklistFind } from './identifier.ts';

const findContextID = 1;
const echoContextID = 3;
const transferSyntaxUIDs = [explicitVRLittleEndian, implicitVRLittleEndian];
/** One association, one question: Message IDs need not be counted. */
const messageID = 1;

/** Asks a peer. `query: null` asks by C-ECHO whether it is there and takes worklist questions. */
export async function askWorklist(options: Omit<AssociationOptions, 'presentationContexts'>, query: WorklistQuery | null): Promise<WorklistAnswer> {
  const association = new WorklistAssociation({
    ...options,
    presentationContexts: [{ id: findContextID, abstractSyntax: worklistFind, transferSyntaxes: transferSyntaxUIDs }, { id: echoContextID, abstractSyntax: verification, transferSyntaxes: transferSyntaxUIDs }],
  });
  try {
    const accepted = await association.open();
    const answer = query === null ? await echo(association, accepted) : await find(association, accepted, query, options);
    await association.release();
    return answer;
  } catch (error) {
    association.end(unavailable('worklist-given-up', 'given up'));
    if (error instanceof Failure) return failed(error.message);
    throw error;
  }
}

/** An answer that says why there is none. */
export function failed(text: string): WorklistAnswer {
  return { outcome: 'failed', text, items: [], cut: false };
}

async function echo(association: WorklistAssociation, accepted: readonly AnsweredPresentationContext[]): Promise<WorklistAnswer> {
  const takesQuestions = accepted.some(({ id }) => id === findContextID);
  if (!takesQuestions) return failed('The system answers, but it offers no Modality Worklist to our AE Title.');
  if (!accepted.some(({ id }) => id === echoContextID)) return { outcome: 'found', text: 'It takes worklist questions (it does not offer C-ECHO).', items: [], cut: false };
  association.request(echoContextID, { AffectedSOPClassUID: verification, CommandField: 0x0030, MessageID: messageID, CommandDataSetType: noDataSet }, null);
  const { command } = await association.next(0);
  expect(command, 'C-ECHO-RSP');
  return command.Status === 0 ? { outcome: 'found', text: 'It answers.', items: [], cut: false } : failed(`The worklist answers C-ECHO with: ${describeStatus(command.Status!)}.`);
}

async function find(association: WorklistAssociation, accepted: readonly AnsweredPresentationContext[], query: WorklistQuery, { limits }: Pick<AssociationOptions, 'limits'>): Promise<WorklistAnswer> {
  const context = accepted.find(({ id }) => id === findContextID);
  if (context === undefined) throw unavailable('worklist-not-offered', 'The system answers, but it offers no Modality Worklist to our AE Title. Its settings must name ours.');
  association.request(findContextID, { AffectedSOPClassUID: worklistFind, CommandField: 0x0020, MessageID: messageID, Priority: 0, CommandDataSetType: withDataSet }, encodeQuery(query, context.transferSyntax));
  const items: WorklistItem[] = [];
  let read = 0;
  let unreadable = 0;
  let cancelled = false;
  for (;;) {
    const { command, dataSet } = await association.next(identifierBytesMax);
    expect(command, 'C-FIND-RSP');
    const type = statusType(command.Status!);
    if (type !== 'pending') {
      const cut = cancelled || (type === 'cancel' && items.length > 0);
      if (type !== 'success' && type !== 'cancel') return failed(`The worklist refuses the question: ${describeStatus(command.Status!)}${command.ErrorComment === undefined || command.ErrorComment === '' ? '' : `, "${command.ErrorComment}"`}.`);
      return { outcome: 'found', text: unreadable === 0 ? '' : `${unreadable === 1 ? '1 answer' : `${unreadable} answers`} of the worklist could not be read without loss and ${unreadable === 1 ? 'is' : 'are'} not shown.`, items, cut };
    }
    read += 1;
    if (read > limits.answersMax) throw unavailable('worklist-endless', `The worklist went on after ${limits.answersMax} answers and was cut off. Ask more narrowly.`);
    if (dataSet === null) throw unavailable('response-invalid', 'The worklist announced an answer and sent none.');
    if (cancelled) continue;
    if (items.length === worklistItemsMax) {
      cancelled = true;
      association.cancel(findContextID, messageID);
      continue;
    }
    const item = itemOf(dataSet, context.transferSyntax);
    if (item === null) unreadable += 1;
    else items.push(item);
  }
}

/** An answer that is no Identifier is one that cannot be shown; the others may still be what was looked for. */
function itemOf(dataSet: Uint8Array, transferSyntaxUID: string): WorklistItem | null {
  try {
    return readItem(dataSet, transferSyntaxUID);
  } catch (error) {
    if ((error as Error).name === 'IdentifierProblem') return null;
    throw error;
  }
}

function expect(command: CommandSet, name: string): void {
  if (messageOf(command)?.name !== name || command.MessageIDBeingRespondedTo !== messageID || command.Status === undefined) {
    throw unavailable('response-invalid', 'The worklist answered something else than was asked.');
  }
}
