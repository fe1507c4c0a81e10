/**
 * Fuzz target of the upper layer and the DIMSE reader: mutated streams of a good association, cut at random. Whatever comes, nothing is thrown,
 * the state is one of the table, and nothing is delivered twice or past an abort. A canary with a planted fault must be found by the same mutations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandProblem, encodeCommandSet } from '../dimse/commands.ts';
import { MessageReader } from '../dimse/reader.ts';
import { encodePDU } from './encode.ts';
import { UpperLayer } from './machine.ts';
import { UpperLayerProblem } from './pdu.ts';
import { Recorder, associateAC, associateRQ, dataPDU, releaseRQ } from './sample.ts';
import { states } from './transitions.ts';

const rounds = 4000;

/** A small generator of its own, so that a seed replays (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const echo = [...encodeCommandSet({ CommandField: 0x30, MessageID: 1, AffectedSOPClassUID: '1.2.840.10008.1.1', CommandDataSetType: 0x0101 })];
const store = [...encodeCommandSet({ CommandField: 1, MessageID: 2, AffectedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', AffectedSOPInstanceUID: '1.2.3', Priority: 0, CommandDataSetType: 1 })];
/** The seeds: PDUs of a good association, in order. */
const seeds: readonly Uint8Array[] = [
  encodePDU(associateRQ), dataPDU({ bytes: echo }), dataPDU({ contextID: 3, bytes: store }, { contextID: 3, control: 0, bytes: [1, 2, 3] }), dataPDU({ contextID: 3, control: 2, bytes: [4] }), releaseRQ,
];

function mutate(random: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(seeds.filter(() => random(12) > 0).flatMap((seed) => [...seed]));
  for (let count = random(6); count > 0 && bytes.length > 0; count--) {
    const at = random(bytes.length);
    switch (random(5)) {
      case 0: bytes[at] = random(256); break;
      case 1: bytes[at] = bytes[at]! ^ (1 << random(8)); break;
      case 2: bytes = bytes.subarray(0, at); break;
      case 3: bytes = Uint8Array.from([...bytes.subarray(0, at), ...seeds[random(seeds.length)]!, ...bytes.subarray(at)]); break;
      default: bytes[at] = [0, 0xff, 0x7f, 0x80][random(4)]!;
    }
  }
  return bytes;
}

/** Drives an acceptor as the association door does. Returns what it delivered. */
function target(bytes: Uint8Array, random: (below: number) => number): number {
  let delivered = 0;
  const messages = new MessageReader({ command: () => delivered++, dataSetPiece: (piece) => (delivered += piece.length), dataSetEnd: () => delivered++ });
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof CommandProblem)) throw error;
      machine.abort();
    }
  };
  class User extends Recorder {
    override associateRequested(): void {
      machine.accept(associateAC);
    }
    override fragment(contextID: number, isCommand: boolean, isLast: boolean, length: number): 'take' {
      guarded(() => messages.fragment(contextID, isCommand, isLast, length));
      return 'take';
    }
    override piece(piece: Uint8Array): void {
      assert.ok(machine.state === 'Sta6' || machine.state === 'Sta7', 'data delivered outside an association');
      messages.piece(piece);
    }
    override fragmentEnd(): void {
      guarded(() => messages.fragmentEnd());
    }
    override releaseRequested(): void {
      machine.answerRelease();
    }
  }
  const machine: UpperLayer = new UpperLayer('acceptor', new User(), 4096);
  machine.connected();
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random(200));
    assert.equal(machine.receive(bytes.subarray(at, end)), end - at);
    assert.ok(Object.hasOwn(states, machine.state));
    at = end;
  }
  machine.closed();
  assert.equal(machine.state, 'Sta1');
  return delivered;
}

test('mutated associations never throw, never hang, never leave the table', () => {
  let delivered = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const random = generator(seed);
    const bytes = mutate(random);
    try {
      delivered += target(bytes, random);
    } catch (error) {
      assert.fail(`seed ${seed}: ${(error as Error).stack}`);
    }
  }
  // The mutations must not all die at the first PDU, or the rest was never tried.
  assert.ok(delivered > rounds);
});

/** The planted fault. */
function believing(bytes: Uint8Array): void {
  for (let at = 0; at + 12 <= bytes.length; ) {
    if (bytes[at] !== 4) {
      at += 6 + ((bytes[at + 4]! << 8) | bytes[at + 5]!);
      continue;
    }
    const length = ((bytes[at + 6]! << 24) | (bytes[at + 7]! << 16) | (bytes[at + 8]! << 8) | bytes[at + 9]!) >>> 0;
    if (length > 4096) throw new UpperLayerProblem('pdv-length-wrong', 'the canary');
    at += 6 + ((bytes[at + 4]! << 8) | bytes[at + 5]!);
  }
}

test('canary: a reader that believes a PDV’s length is found out by the same mutations', () => {
  let found = 0;
  for (let seed = 1; seed <= rounds && found === 0; seed++) {
    try {
      believing(mutate(generator(seed)));
    } catch {
      found = seed;
    }
  }
  assert.ok(found > 0, 'the mutations are too tame to find anything');
});
