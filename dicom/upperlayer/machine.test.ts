import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePDU } from './encode.ts';
import { UpperLayerProblem } from './pdu.ts';
import { UpperLayer } from './machine.ts';
import { associateAC, associateRJ, associateRQ, dataPDU, machineIn, Recorder, releaseRP, releaseRQ } from './sample.ts';
import { actions, events, states, transitions, type Event, type State } from './transitions.ts';

/** PS3.8 Table 9-10 as printed, a second time and by hand: columns are Sta1 to Sta13, a dash where the standard leaves the cell empty. */
const printed: Readonly<Record<Event, string>> = {
  Evt1: 'AE-1 - - - - - - - - - - - -',
  Evt2: '- - - AE-2 - - - - - - - - -',
  Evt3: '- AA-1 AA-8 - AE-3 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6',
  Evt4: '- AA-1 AA-8 - AE-4 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6',
  Evt5: 'AE-5 - - - - - - - - - - - -',
  Evt6: '- AE-6 AA-8 - AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7',
  Evt7: '- - AE-7 - - - - - - - - - -',
  Evt8: '- - AE-8 - - - - - - - - - -',
  Evt9: '- - - - - DT-1 - AR-7 - - - - -',
  Evt10: '- AA-1 AA-8 - AA-8 DT-2 AR-6 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6',
  Evt11: '- - - - - AR-1 - - - - - - -',
  Evt12: '- AA-1 AA-8 - AA-8 AR-2 AR-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6',
  Evt13: '- AA-1 AA-8 - AA-8 AA-8 AR-3 AA-8 AA-8 AR-10 AR-3 AA-8 AA-6',
  Evt14: '- - - - - - - AR-4 AR-9 - - AR-4 -',
  Evt15: '- - AA-1 AA-2 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 -',
  Evt16: '- AA-2 AA-3 - AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-2',
  Evt17: '- AA-5 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AR-5',
  Evt18: '- AA-2 - - - - - - - - - - AA-2',
  Evt19: '- AA-1 AA-8 - AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7',
};

/** What each action must do, in order. */
const effects: Readonly<Record<keyof typeof actions, readonly string[]>> = {
  'AE-1': ['connect'],
  'AE-2': ['send A-ASSOCIATE-RQ'],
  'AE-3': ['A-ASSOCIATE confirmation A-ASSOCIATE-AC'],
  'AE-4': ['close', 'A-ASSOCIATE confirmation A-ASSOCIATE-RJ'],
  'AE-5': ['start ARTIM'],
  'AE-6': ['stop ARTIM', 'A-ASSOCIATE indication'],
  'AE-7': ['send A-ASSOCIATE-AC'],
  'AE-8': ['send A-ASSOCIATE-RJ', 'start ARTIM'],
  'DT-1': ['send P-DATA-TF'],
  'DT-2': ['fragment 1 command last 2', 'piece 1 2', 'end'],
  'AR-1': ['send A-RELEASE-RQ'],
  'AR-2': ['A-RELEASE indication'],
  'AR-3': ['A-RELEASE confirmation', 'close'],
  'AR-4': ['send A-RELEASE-RP', 'start ARTIM'],
  'AR-5': ['stop ARTIM'],
  'AR-6': ['fragment 1 command last 2', 'piece 1 2', 'end'],
  'AR-7': ['send P-DATA-TF'],
  'AR-8': ['A-RELEASE indication'],
  'AR-9': ['send A-RELEASE-RP'],
  'AR-10': ['A-RELEASE confirmation'],
  'AA-1': ['send A-ABORT 0', 'start ARTIM'],
  'AA-2': ['stop ARTIM', 'close'],
  'AA-3': ['abort by peer', 'close'],
  'AA-4': ['abort by transport'],
  'AA-5': ['stop ARTIM'],
  'AA-6': [],
  'AA-7': ['send A-ABORT 2'],
  'AA-8': ['send A-ABORT 2', 'start ARTIM', 'abort by provider'],
};

const cause: Readonly<Record<Event, (machine: UpperLayer) => unknown>> = {
  Evt1: (machine) => machine.associate(associateRQ),
  Evt2: (machine) => machine.connected(),
  Evt3: (machine) => machine.receive(encodePDU(associateAC)),
  Evt4: (machine) => machine.receive(encodePDU(associateRJ)),
  Evt5: (machine) => machine.connected(),
  Evt6: (machine) => machine.receive(encodePDU(associateRQ)),
  Evt7: (machine) => machine.accept(associateAC),
  Evt8: (machine) => machine.reject(associateRJ),
  Evt9: (machine) => machine.sendCommand(1, Uint8Array.of(1, 2)),
  Evt10: (machine) => machine.receive(dataPDU({})),
  Evt11: (machine) => machine.release(),
  Evt12: (machine) => machine.receive(releaseRQ),
  Evt13: (machine) => machine.receive(releaseRP),
  Evt14: (machine) => machine.answerRelease(),
  Evt15: (machine) => machine.abort(),
  Evt16: (machine) => machine.receive(encodePDU({ type: 'A-ABORT', source: 0, reason: 0 })),
  Evt17: (machine) => machine.closed(),
  Evt18: (machine) => machine.artimExpired(),
  Evt19: (machine) => machine.receive(Uint8Array.of(0x47, 0x45, 0x54, 0x20, 0x2f, 0x20)),
};
const fromNetwork = new Set<Event>(['Evt3', 'Evt4', 'Evt6', 'Evt10', 'Evt12', 'Evt13', 'Evt16', 'Evt19']);
const onlyOn: Partial<Record<Event, 'acceptor' | 'requestor'>> = { Evt1: 'requestor', Evt2: 'requestor', Evt5: 'acceptor' };

test('the table is the printed one, cell by cell', () => {
  for (const event of Object.keys(events) as Event[]) {
    const row = (Object.keys(states) as State[]).map((state) => transitions[event][state] ?? '-').join(' ');
    assert.equal(row, printed[event], event);
  }
});

for (const side of ['acceptor', 'requestor'] as const) {
  test(`${side}: every event in every state does what its action says, or nothing`, () => {
    let tried = 0;
    for (const state of Object.keys(states) as State[]) {
      for (const event of Object.keys(events) as Event[]) {
        if (onlyOn[event] !== undefined && onlyOn[event] !== side) continue;
        const made = machineIn(state, side);
        if (made === null) continue;
        tried++;
        const { machine, user } = made;
        assert.equal(machine.state, state);
        const action = transitions[event][state];
        const where = `${event} in ${state}`;
        if (action !== undefined) {
          cause[event](machine);
          assert.deepEqual(user.effects, effects[action], where);
          const next: readonly State[] = actions[action].next;
          const expected = action === 'AR-8' ? (side === 'requestor' ? 'Sta9' : 'Sta10') : next[0];
          assert.equal(machine.state, expected, where);
          continue;
        }
        // Bytes before or after the transport connection, a timer that was stopped and a second close are no events; the rest is the caller's error.
        const harmless = event === 'Evt18' || (state === 'Sta1' && (fromNetwork.has(event) || event === 'Evt17'));
        if (harmless) cause[event](machine);
        else assert.throws(() => cause[event](machine), (error) => error instanceof UpperLayerProblem && error.code === 'event-unexpected', where);
        assert.equal(machine.state, state, where);
        assert.deepEqual(user.effects, [], where);
      }
    }
    assert.ok(tried > 150);
  });
}

test('the provider refuses a request itself for the protocol version and for its own limits (AE-6)', () => {
  for (const [request, objection, expected] of [
    [{ ...associateRQ, protocolVersion: 2 }, null, [1, 2, 2]],
    [associateRQ, { type: 'A-ASSOCIATE-RJ', result: 2, source: 3, reason: 2 }, [2, 3, 2]],
  ] as const) {
    const user = new Recorder();
    user.objects = objection;
    const machine = new UpperLayer('acceptor', user);
    machine.connected();
    machine.receive(encodePDU(request));
    assert.equal(machine.state, 'Sta13');
    assert.deepEqual([...user.sent[0]!.subarray(7)], expected);
    assert.deepEqual(user.effects, ['start ARTIM', 'stop ARTIM', 'send A-ASSOCIATE-RJ', 'start ARTIM']);
  }
});

test('while the user is busy, P-DATA and A-RELEASE wait; A-ABORT does not', () => {
  const { machine, user } = machineIn('Sta6', 'acceptor')!;
  user.isBusy = true;
  const bytes = Uint8Array.from([...dataPDU({}), ...releaseRQ]);
  assert.equal(machine.receive(bytes), 6);
  assert.deepEqual(user.effects, []);
  user.isBusy = false;
  assert.equal(machine.receive(bytes.subarray(6)), bytes.length - 6);
  assert.deepEqual(user.effects, ['fragment 1 command last 2', 'piece 1 2', 'end', 'A-RELEASE indication']);
  const other = machineIn('Sta6', 'acceptor')!;
  other.user.isBusy = true;
  other.machine.receive(encodePDU({ type: 'A-ABORT', source: 0, reason: 0 }));
  assert.deepEqual(other.user.effects, ['abort by peer', 'close']);
});

test('a PDV for a context that was not accepted ends the association', () => {
  const { machine, user } = machineIn('Sta6', 'acceptor')!;
  machine.receive(dataPDU({ contextID: 5 }));
  assert.equal(machine.state, 'Sta13');
  assert.equal((user.problems[0] as UpperLayerProblem).code, 'context-unknown');
});

test('after our abort the rest of the peer’s data is dropped unread', () => {
  const { machine, user } = machineIn('Sta6', 'acceptor')!;
  const bytes = dataPDU({ bytes: [1, 2, 3, 4] });
  machine.receive(bytes.subarray(0, 14));
  machine.abort();
  user.effects = [];
  assert.equal(machine.receive(bytes.subarray(14)), 2);
  assert.equal(machine.receive(dataPDU({})), dataPDU({}).length);
  assert.deepEqual(user.effects, []);
});

test('a command is cut to the peer’s Maximum Length', () => {
  const { machine, user } = machineIn('Sta6', 'requestor')!;
  assert.equal(machine.fragmentBytesMax, 16378);
  machine.sendCommand(1, new Uint8Array(40000));
  assert.deepEqual(user.sent.slice(-3).map((pdu) => [pdu.length, pdu[11]]), [[16390, 1], [16390, 1], [7256, 3]]);
  machine.sendData(3, true, Uint8Array.of(9));
  assert.deepEqual([...user.sent.at(-2)!], [4, 0, 0, 0, 0, 7, 0, 0, 0, 3, 3, 2]);
  assert.throws(() => machine.sendData(3, true, new Uint8Array(16379)), RangeError);
});
