/**
 * Puts the fragments of P-DATA together to DIMSE messages (PS3.7 §6.3, PS3.8 Annex E): the Command Set whole, bounded; the Data Set in
 * pieces, as they come. One message at a time, on one Presentation Context, Command Set first: asynchronous operations are never negotiated.
 */
import { CommandProblem, commandSetBytesMax, decodeCommandSet, type CommandSet } from './commands.ts';
import { announcesDataSet } from './messages.ts';

export interface MessageUser {
  /** A whole Command Set. `hasDataSet`: pieces and an end follow. */
  command(contextID: number, command: CommandSet, hasDataSet: boolean): void;
  dataSetPiece(bytes: Uint8Array): void;
  dataSetEnd(): void;
}

export class MessageReader {
  readonly #user: MessageUser;
  #contextID = 0;
  #expects: 'command' | 'more-command' | 'data-set' = 'command';
  #isCommand = false;
  #isLast = false;
  #command = new Uint8Array(0);
  #filled = 0;

  constructor(user: MessageUser) {
    this.#user = user;
  }

  /** True while a message has begun and not ended. */
  get inMessage(): boolean {
    return this.#expects !== 'command';
  }

  /** A fragment begins. Throws CommandProblem when it cannot come here: then the association must end. */
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): void {
    if (isCommand !== (this.#expects !== 'data-set')) {
      throw new CommandProblem('message-order-invalid', isCommand ? 'a command set begins before the data set of the last one ended' : 'a data set comes without a command set that announces it');
    }
    if (this.#expects === 'command') this.#contextID = contextID;
    else if (contextID !== this.#contextID) throw new CommandProblem('message-order-invalid', `a message began on presentation context ${this.#contextID} and goes on in ${contextID}`);
    if (isCommand) {
      if (this.#filled + length > commandSetBytesMax) throw new CommandProblem('command-length-exceeded', `a command set of more than ${commandSetBytesMax} bytes`);
      this.#expects = 'more-command';
    }
    this.#isCommand = isCommand;
    this.#isLast = isLast;
  }

  piece(bytes: Uint8Array): void {
    if (!this.#isCommand) return this.#user.dataSetPiece(bytes);
    const needed = this.#filled + bytes.length;
    if (needed > this.#command.length) {
      const larger = new Uint8Array(Math.max(needed, this.#command.length * 2));
      larger.set(this.#command.subarray(0, this.#filled));
      this.#command = larger;
    }
    this.#command.set(bytes, this.#filled);
    this.#filled = needed;
  }

  /** The fragment ended; with the last one of a Command Set the message is told. Throws CommandProblem. */
  fragmentEnd(): void {
    if (!this.#isLast) return;
    if (!this.#isCommand) {
      this.#expects = 'command';
      return this.#user.dataSetEnd();
    }
    const command = decodeCommandSet(this.#command.subarray(0, this.#filled));
    this.#filled = 0;
    const hasDataSet = announcesDataSet(command);
    this.#expects = hasDataSet ? 'data-set' : 'command';
    this.#user.command(this.#contextID, command, hasDataSet);
  }
}
