/**
 * Cuts a byte stream into PDUs (PS3.8 §9.3). PDUs other than P-DATA-TF are collected (64 KiB at most) and decoded; the fragments of
 * P-DATA-TF PDUs are passed on in the pieces in which they came, without a copy. Nothing is allocated from a declared length.
 */
import { decodePDU } from './decode.ts';
import { associatePDUBytesMax } from './limits.ts';
import { UpperLayerProblem, abortReasons, pduTypes, type PDU } from './pdu.ts';

/** `hold`: leave it where it is; the reader stops before it and asks again at the next `push`. */
export type Reply = 'take' | 'skip' | 'hold';

export interface PDUConsumer {
  /** The header of a PDU of known type and allowed length has come. */
  begin(type: number): Reply;
  /** A whole PDU other than P-DATA-TF. */
  pdu(pdu: PDU): void;
  /** A Presentation Data Value begins (PS3.8 §9.3.5.1, Annex E.2); `length` is that of its fragment. */
  fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): Reply;
  /** Some bytes of the fragment: a view into what was pushed, valid as long as that is. */
  piece(bytes: Uint8Array): void;
  fragmentEnd(): void;
  /** The stream is no longer a sequence of PDUs; whatever follows is dropped. */
  invalid(problem: UpperLayerProblem): void;
}

const headerBytes = 6;
/** First allocation for a collected PDU; it grows with what arrives, not with what is declared. */
const collectBytesInitial = 2048;

export class PDUReader {
  readonly #consumer: PDUConsumer;
  readonly #maximumLength: number;
  #phase: 'header' | 'collect' | 'pdv-header' | 'pdv' | 'skip' | 'dead' = 'header';
  /** Header of the PDU or PDV being read; both have six bytes. */
  readonly #head = new Uint8Array(headerBytes);
  #headFilled = 0;
  #type = 0;
  #body = new Uint8Array(0);
  #bodyFilled = 0;
  /** Bytes of the current PDU that have not come yet. */
  #pduLeft = 0;
  #pdvLeft = 0;

  /** `maximumLength`: what we announced for P-DATA-TF PDUs (PS3.8 §D.1). */
  constructor(consumer: PDUConsumer, maximumLength: number) {
    this.#consumer = consumer;
    this.#maximumLength = maximumLength;
  }

  /** True between two PDUs: nothing of the next one has come. */
  get atBoundary(): boolean {
    return this.#phase === 'header' && this.#headFilled === 0;
  }

  /** Takes bytes of the stream. Returns how many it took: fewer than given only when the consumer said `hold`; offer the rest again later. */
  push(chunk: Uint8Array): number {
    let at = 0;
    for (;;) {
      switch (this.#phase) {
        case 'header': {
          at = this.#fillHead(chunk, at);
          if (this.#headFilled < headerBytes) return at;
          if (!this.#beginPDU()) return at;
          break;
        }
        case 'collect': {
          const take = Math.min(this.#pduLeft, chunk.length - at);
          this.#collect(chunk.subarray(at, at + take));
          at += take;
          this.#pduLeft -= take;
          if (this.#pduLeft > 0) return at;
          this.#endPDU();
          break;
        }
        case 'pdv-header': {
          at = this.#fillHead(chunk, at);
          if (this.#headFilled < headerBytes) return at;
          if (!this.#beginPDV()) return at;
          break;
        }
        case 'pdv': {
          const take = Math.min(this.#pdvLeft, chunk.length - at);
          if (take > 0) this.#consumer.piece(take === chunk.length ? chunk : chunk.subarray(at, at + take));
          at += take;
          this.#pdvLeft -= take;
          this.#pduLeft -= take;
          if (this.#pdvLeft > 0) return at;
          this.#phase = this.#pduLeft > 0 ? 'pdv-header' : 'header';
          this.#consumer.fragmentEnd();
          break;
        }
        case 'skip': {
          const take = Math.min(this.#pduLeft, chunk.length - at);
          at += take;
          this.#pduLeft -= take;
          if (this.#pduLeft > 0) return at;
          this.#phase = 'header';
          break;
        }
        case 'dead':
          return chunk.length;
      }
    }
  }

  #fillHead(chunk: Uint8Array, start: number): number {
    let at = start;
    while (this.#headFilled < headerBytes && at < chunk.length) this.#head[this.#headFilled++] = chunk[at++]!;
    return at;
  }

  /** The type is judged before the length is believed: an HTTP request is not a PDU of 542,393,671 bytes. */
  #beginPDU(): boolean {
    const type = this.#head[0]!;
    const length = readU32(this.#head, 2);
    const problem = judgeHeader(type, length, this.#maximumLength);
    if (problem !== null) {
      this.#die(problem);
      return true;
    }
    const reply = this.#consumer.begin(type);
    if (reply === 'hold') return false;
    this.#headFilled = 0;
    this.#type = type;
    this.#pduLeft = length;
    if (reply === 'skip') this.#phase = 'skip';
    else if (type === pduTypes['P-DATA-TF']) this.#phase = 'pdv-header';
    else {
      this.#phase = 'collect';
      this.#body = new Uint8Array(Math.min(length, collectBytesInitial));
      this.#bodyFilled = 0;
    }
    return true;
  }

  #collect(bytes: Uint8Array): void {
    const needed = this.#bodyFilled + bytes.length;
    if (needed > this.#body.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed, this.#body.length * 2), this.#bodyFilled + this.#pduLeft));
      larger.set(this.#body.subarray(0, this.#bodyFilled));
      this.#body = larger;
    }
    this.#body.set(bytes, this.#bodyFilled);
    this.#bodyFilled = needed;
  }

  #endPDU(): void {
    this.#phase = 'header';
    const body = this.#body;
    this.#body = new Uint8Array(0);
    let pdu: PDU;
    try {
      pdu = decodePDU(this.#type, body);
    } catch (error) {
      if (!(error instanceof UpperLayerProblem)) throw error;
      this.#die(error);
      return;
    }
    this.#consumer.pdu(pdu);
  }

  #beginPDV(): boolean {
    const length = readU32(this.#head, 0);
    // PS3.8 §9.3.5.1: the length counts the context ID and the message control header; PDVs fill their PDU exactly.
    if (length < 2 || length + 4 > this.#pduLeft || (this.#pduLeft - length - 4 > 0 && this.#pduLeft - length - 4 < headerBytes)) {
      this.#die(new UpperLayerProblem('pdv-length-wrong', `a PDV declares ${length} bytes where ${this.#pduLeft - 4} are left in its PDU`));
      return true;
    }
    const control = this.#head[5]!;
    const reply = this.#consumer.fragment(this.#head[4]!, (control & 1) === 1, (control & 2) === 2, length - 2);
    if (reply === 'hold') return false;
    // The consumer may have found the PDU invalid and ended the stream.
    if (this.#phase !== 'pdv-header') return true;
    this.#headFilled = 0;
    this.#pduLeft -= headerBytes;
    if (reply === 'skip') this.#phase = 'skip';
    else {
      this.#pdvLeft = length - 2;
      this.#phase = 'pdv';
    }
    return true;
  }

  /** Ends the stream: whatever follows is dropped unread. */
  end(): void {
    this.#phase = 'dead';
    this.#body = new Uint8Array(0);
  }

  #die(problem: UpperLayerProblem): void {
    this.end();
    this.#consumer.invalid(problem);
  }
}

/** What is wrong with the header of a PDU, or null. */
function judgeHeader(type: number, length: number, maximumLength: number): UpperLayerProblem | null {
  switch (type) {
    case pduTypes['P-DATA-TF']:
      if (length > maximumLength) return new UpperLayerProblem('pdu-length-exceeded', `a P-DATA-TF PDU of ${length} bytes; ${maximumLength} were announced as Maximum Length`);
      if (length < headerBytes) return new UpperLayerProblem('pdu-length-wrong', `a P-DATA-TF PDU of ${length} bytes has no PDV`);
      return null;
    case pduTypes['A-ASSOCIATE-RQ']:
    case pduTypes['A-ASSOCIATE-AC']:
      if (length > associatePDUBytesMax) return new UpperLayerProblem('pdu-length-exceeded', `an A-ASSOCIATE PDU of ${length} bytes; at most ${associatePDUBytesMax} are taken`);
      return null;
    case pduTypes['A-ASSOCIATE-RJ']:
    case pduTypes['A-RELEASE-RQ']:
    case pduTypes['A-RELEASE-RP']:
    case pduTypes['A-ABORT']:
      if (length !== 4) return new UpperLayerProblem('pdu-length-wrong', `a PDU of type ${type} has 4 bytes, this one declares ${length}`);
      return null;
    default:
      return new UpperLayerProblem('pdu-type-unknown', `PDU type ${type} is not one of PS3.8 §9.3`, abortReasons.unrecognizedPDU);
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
