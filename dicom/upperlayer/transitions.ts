/** The upper layer's state table, PS3.8 §9.2.3, Table 9-10, with its labels. Pure data: what is not in it cannot happen. */

/** PS3.8 Tables 9-1 to 9-5. */
export const states = {
  Sta1: 'Idle',
  Sta2: 'Transport connection open (awaiting A-ASSOCIATE-RQ PDU)',
  Sta3: 'Awaiting local A-ASSOCIATE response primitive',
  Sta4: 'Awaiting transport connection opening to complete',
  Sta5: 'Awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ PDU',
  Sta6: 'Association established and ready for data transfer',
  Sta7: 'Awaiting A-RELEASE-RP PDU',
  Sta8: 'Awaiting local A-RELEASE response primitive',
  Sta9: 'Release collision requestor side; awaiting A-RELEASE response primitive',
  Sta10: 'Release collision acceptor side; awaiting A-RELEASE-RP PDU',
  Sta11: 'Release collision requestor side; awaiting A-RELEASE-RP PDU',
  Sta12: 'Release collision acceptor side; awaiting A-RELEASE response primitive',
  Sta13: 'Awaiting transport connection close indication',
} as const;
export type State = keyof typeof states;

export const events = {
  Evt1: 'A-ASSOCIATE request (local user)',
  Evt2: 'Transport connect confirmation',
  Evt3: 'A-ASSOCIATE-AC PDU received',
  Evt4: 'A-ASSOCIATE-RJ PDU received',
  Evt5: 'Transport connection indication',
  Evt6: 'A-ASSOCIATE-RQ PDU received',
  Evt7: 'A-ASSOCIATE response primitive (accept)',
  Evt8: 'A-ASSOCIATE response primitive (reject)',
  Evt9: 'P-DATA request primitive',
  Evt10: 'P-DATA-TF PDU received',
  Evt11: 'A-RELEASE request primitive',
  Evt12: 'A-RELEASE-RQ PDU received',
  Evt13: 'A-RELEASE-RP PDU received',
  Evt14: 'A-RELEASE response primitive',
  Evt15: 'A-ABORT request primitive',
  Evt16: 'A-ABORT PDU received',
  Evt17: 'Transport connection closed indication',
  Evt18: 'ARTIM timer expired',
  Evt19: 'Unrecognized or invalid PDU received',
} as const;
export type Event = keyof typeof events;

/** PS3.8 Tables 9-6 to 9-9. Where `next` has two states, the action itself chooses. */
export const actions = {
  'AE-1': { text: 'Issue transport connect request', next: ['Sta4'] },
  'AE-2': { text: 'Send A-ASSOCIATE-RQ PDU', next: ['Sta5'] },
  'AE-3': { text: 'Issue A-ASSOCIATE confirmation (accept)', next: ['Sta6'] },
  'AE-4': { text: 'Issue A-ASSOCIATE confirmation (reject) and close transport connection', next: ['Sta1'] },
  'AE-5': { text: 'Issue transport connection response; start ARTIM timer', next: ['Sta2'] },
  'AE-6': { text: 'Stop ARTIM timer; issue A-ASSOCIATE indication if acceptable, else send A-ASSOCIATE-RJ PDU and start ARTIM timer', next: ['Sta3', 'Sta13'] },
  'AE-7': { text: 'Send A-ASSOCIATE-AC PDU', next: ['Sta6'] },
  'AE-8': { text: 'Send A-ASSOCIATE-RJ PDU and start ARTIM timer', next: ['Sta13'] },
  'DT-1': { text: 'Send P-DATA-TF PDU', next: ['Sta6'] },
  'DT-2': { text: 'Issue P-DATA indication', next: ['Sta6'] },
  'AR-1': { text: 'Send A-RELEASE-RQ PDU', next: ['Sta7'] },
  'AR-2': { text: 'Issue A-RELEASE indication', next: ['Sta8'] },
  'AR-3': { text: 'Issue A-RELEASE confirmation and close transport connection', next: ['Sta1'] },
  'AR-4': { text: 'Send A-RELEASE-RP PDU and start ARTIM timer', next: ['Sta13'] },
  'AR-5': { text: 'Stop ARTIM timer', next: ['Sta1'] },
  'AR-6': { text: 'Issue P-DATA indication', next: ['Sta7'] },
  'AR-7': { text: 'Send P-DATA-TF PDU', next: ['Sta8'] },
  'AR-8': { text: 'Issue A-RELEASE indication (release collision)', next: ['Sta9', 'Sta10'] },
  'AR-9': { text: 'Send A-RELEASE-RP PDU', next: ['Sta11'] },
  'AR-10': { text: 'Issue A-RELEASE confirmation', next: ['Sta12'] },
  'AA-1': { text: 'Send A-ABORT PDU (service-user source) and start (or restart) ARTIM timer', next: ['Sta13'] },
  'AA-2': { text: 'Stop ARTIM timer if running; close transport connection', next: ['Sta1'] },
  'AA-3': { text: 'Issue A-ABORT or A-P-ABORT indication and close transport connection', next: ['Sta1'] },
  'AA-4': { text: 'Issue A-P-ABORT indication', next: ['Sta1'] },
  'AA-5': { text: 'Stop ARTIM timer', next: ['Sta1'] },
  'AA-6': { text: 'Ignore PDU', next: ['Sta13'] },
  'AA-7': { text: 'Send A-ABORT PDU', next: ['Sta13'] },
  'AA-8': { text: 'Send A-ABORT PDU (service-provider source), issue A-P-ABORT indication, start ARTIM timer', next: ['Sta13'] },
} as const satisfies Record<string, { readonly text: string; readonly next: readonly State[] }>;
export type Action = keyof typeof actions;

/** Table 9-10. Rows are events, columns states, as printed in the standard. */
export const transitions: Readonly<Record<Event, Readonly<Partial<Record<State, Action>>>>> = {
  Evt1: { Sta1: 'AE-1' },
  Evt2: { Sta4: 'AE-2' },
  Evt3: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AE-3', Sta6: 'AA-8', Sta7: 'AA-8', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-6' },
  Evt4: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AE-4', Sta6: 'AA-8', Sta7: 'AA-8', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-6' },
  Evt5: { Sta1: 'AE-5' },
  Evt6: { Sta2: 'AE-6', Sta3: 'AA-8', Sta5: 'AA-8', Sta6: 'AA-8', Sta7: 'AA-8', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-7' },
  Evt7: { Sta3: 'AE-7' },
  Evt8: { Sta3: 'AE-8' },
  Evt9: { Sta6: 'DT-1', Sta8: 'AR-7' },
  Evt10: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AA-8', Sta6: 'DT-2', Sta7: 'AR-6', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-6' },
  Evt11: { Sta6: 'AR-1' },
  Evt12: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AA-8', Sta6: 'AR-2', Sta7: 'AR-8', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-6' },
  Evt13: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AA-8', Sta6: 'AA-8', Sta7: 'AR-3', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AR-10', Sta11: 'AR-3', Sta12: 'AA-8', Sta13: 'AA-6' },
  Evt14: { Sta8: 'AR-4', Sta9: 'AR-9', Sta12: 'AR-4' },
  Evt15: { Sta3: 'AA-1', Sta4: 'AA-2', Sta5: 'AA-1', Sta6: 'AA-1', Sta7: 'AA-1', Sta8: 'AA-1', Sta9: 'AA-1', Sta10: 'AA-1', Sta11: 'AA-1', Sta12: 'AA-1' },
  Evt16: { Sta2: 'AA-2', Sta3: 'AA-3', Sta5: 'AA-3', Sta6: 'AA-3', Sta7: 'AA-3', Sta8: 'AA-3', Sta9: 'AA-3', Sta10: 'AA-3', Sta11: 'AA-3', Sta12: 'AA-3', Sta13: 'AA-2' },
  Evt17: { Sta2: 'AA-5', Sta3: 'AA-4', Sta4: 'AA-4', Sta5: 'AA-4', Sta6: 'AA-4', Sta7: 'AA-4', Sta8: 'AA-4', Sta9: 'AA-4', Sta10: 'AA-4', Sta11: 'AA-4', Sta12: 'AA-4', Sta13: 'AR-5' },
  Evt18: { Sta2: 'AA-2', Sta13: 'AA-2' },
  Evt19: { Sta2: 'AA-1', Sta3: 'AA-8', Sta5: 'AA-8', Sta6: 'AA-8', Sta7: 'AA-8', Sta8: 'AA-8', Sta9: 'AA-8', Sta10: 'AA-8', Sta11: 'AA-8', Sta12: 'AA-8', Sta13: 'AA-7' },
};
