/** C-STORE as SCP (PS3.4 Annex B, PS3.7 §9.1.1): judges the command, takes the Data Set into a file, and has it admitted. */
import { randomBytes } from 'node:crypto';
import { encodeFileMeta } from '@lazaret/dicom/fileset/part10.ts';
import type { CommandSet } from '@lazaret/dicom/dimse/commands.ts';
import { statuses } from '@lazaret/dicom/dimse/statuses.ts';
import { Failure } from '@lazaret/system/failure.ts';
import type { ObjectId, Source } from '../contract.ts';
import { Arrival, type ArrivingArea } from '../arrival.ts';
import type { Keeper } from './keeper.ts';
import type { AssociationLimits } from './limits.ts';

/** What a C-STORE response says. `comment` becomes Error Comment and part of the record. */
export interface Outcome {
  readonly status: number;
  readonly comment: string;
}

/** By what rules objects are taken in, and who takes them over. */
export interface StorageOptions {
  readonly keeper: Keeper;
  readonly limits: AssociationLimits;
}

/** PS3.5 §9.1: digits and dots, 64 at most. Finer rules (leading zeros) are for inspection to tell people about. */
const uidForm = /^[0-9.]{1,64}$/;

/**
 * What is wrong with a C-STORE-RQ, or null. `abstractSyntax` is that of its Presentation Context. Statuses by PS3.7 §9.1.1.1.9 and PS3.4 Table B.2-1.
 */
export function judgeStoreRequest(command: CommandSet, abstractSyntax: string, hasDataSet: boolean, missing: readonly string[]): Outcome | null {
  if (missing.length > 0) return { status: statuses.mistypedArgument, comment: `C-STORE without ${missing.join(', ')}` };
  if (!hasDataSet) return { status: statuses.cannotUnderstand, comment: 'C-STORE without a Data Set' };
  if (command.AffectedSOPClassUID !== abstractSyntax) return { status: statuses.sopClassNotSupported, comment: 'the SOP Class is not that of the presentation context' };
  if (!uidForm.test(command.AffectedSOPInstanceUID!)) return { status: statuses.invalidSOPInstance, comment: 'the SOP Instance UID is not digits and dots' };
  return null;
}

/** One object being taken in. After a failure its bytes are dropped unread until the Data Set ends, which is when the sender can be told. */
export class StoreOperation {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly #options: StorageOptions;
  readonly #source: Source;
  readonly #transferSyntaxUID: string;
  #arrival: Arrival | null = null;
  #outcome: Outcome | null;
  #bytes = 0;

  /** With `refusal` nothing is kept of the object. */
  constructor(options: StorageOptions, area: ArrivingArea, source: Source, command: CommandSet, transferSyntaxUID: string, refusal: Outcome | null) {
    this.#options = options;
    this.#source = source;
    this.#transferSyntaxUID = transferSyntaxUID;
    this.sopClassUID = command.AffectedSOPClassUID ?? '';
    this.sopInstanceUID = command.AffectedSOPInstanceUID ?? '';
    this.#outcome = refusal;
    if (refusal !== null) return;
    // Without the sender's AE Title (it is in the ledger): the same Data Set is the same file whoever sends it, and so a duplicate and not a conflict.
    const prefix = encodeFileMeta({ mediaStorageSOPClassUID: this.sopClassUID, mediaStorageSOPInstanceUID: this.sopInstanceUID, transferSyntaxUID });
    const objectId = randomBytes(16).toString('hex') as ObjectId;
    this.#guarded(() => {
      this.#arrival = new Arrival(area, objectId, prefix);
    });
  }

  /** Bytes of the Data Set. False: far over any limit and still coming; the association should end. */
  piece(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    const arrival = this.#arrival;
    if (arrival !== null) {
      if (this.#bytes > this.#options.limits.objectBytesMax) this.#fail({ status: statuses.refusedOutOfResources, comment: `objects over ${this.#options.limits.objectBytesMax} bytes are not taken` });
      else this.#guarded(() => arrival.write(bytes));
    }
    return this.#bytes <= this.#options.limits.objectBytesMax * 2;
  }

  /** The Data Set is whole: admitted, which means durable, or not kept. Never rejects. */
  async finish(): Promise<Outcome> {
    if (this.#arrival === null) return this.#outcome!;
    if (this.#bytes === 0) {
      this.#fail({ status: statuses.cannotUnderstand, comment: 'the Data Set is empty' });
      return this.#outcome!;
    }
    const arrival = this.#arrival;
    try {
      const { bytes, sha256 } = arrival.finish();
      await this.#options.keeper.admit({
        objectId: arrival.objectId, bytes, sha256,
        sopClassUID: this.sopClassUID, sopInstanceUID: this.sopInstanceUID, transferSyntaxUID: this.#transferSyntaxUID,
        source: this.#source, receivedAt: Date.now(),
      });
      this.#arrival = null;
      return { status: statuses.success, comment: '' };
    } catch (error) {
      // The keeper may have admitted the object and died before it could say so. Then the file is not ours to remove: its recovery decides.
      if (error instanceof Failure && error.code === 'channel-closed') this.#arrival = null;
      this.#fail(outcomeOf(error));
      return this.#outcome!;
    }
  }

  /** The association ended before the Data Set did: nothing is kept, nothing was acknowledged. */
  discard(): void {
    this.#fail({ status: statuses.processingFailure, comment: 'the association ended before the object did' });
  }

  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#fail(outcomeOf(error));
    }
  }

  #fail(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#arrival?.discard();
    this.#arrival = null;
  }
}

/** The status for a failure of ours: the sender must know whether to try again. */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Failure)) throw error;
  if (error.code === 'disk-full') return { status: statuses.refusedOutOfResources, comment: error.message };
  if (error.severity === 'refused') return { status: statuses.cannotUnderstand, comment: error.message };
  if (error.code === 'channel-closed' || error.code === 'channel-unavailable') return { status: statuses.processingFailure, comment: 'the quarantine does not answer; send again later' };
  return { status: statuses.processingFailure, comment: error.message };
}
