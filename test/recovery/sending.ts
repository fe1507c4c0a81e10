/** Objects for the tests of recovery, sent by C-STORE; what was acknowledged is remembered. */
import { encode, transferSyntaxes, withElements } from '../../tools/recipes/encode.ts';
import { pe } from '../../tools/recipes/inert.ts';
import { ctSlice, sopClasses } from '../../tools/recipes/objects.ts';
import { uidOf } from '../../tools/recipes/recipe.ts';
import type { Sent } from '../crash/load.ts';
import { Association, type StoreRequest } from '../scu.ts';
import type { System } from '../system.ts';

export function requestOf(name: string, hostile = false): StoreRequest {
  const base = withElements(ctSlice({ name, index: 0, count: 1, size: 16 }), ['0008,0018', 'UI', uidOf(name)]);
  const elements = hostile ? withElements(base, ['0009,0010', 'LO', 'LAZARET TEST'], ['0009,1001', 'OB', pe()]) : base;
  return { sopClassUID: sopClasses.ct, sopInstanceUID: uidOf(name), transferSyntaxUID: transferSyntaxes.explicit, dataSet: encode(elements) };
}

/** Sends objects one after the other until `enough` says so. */
export async function send(system: System, name: string, sent: Sent[], enough: () => boolean, hostileEvery = Infinity): Promise<void> {
  const association = await Association.open({ ...system.dimse, contexts: [[sopClasses.ct, transferSyntaxes.explicit]] });
  for (let index = 1; !enough(); index += 1) {
    const hostile = index % hostileEvery === 0;
    const request = requestOf(`${name} ${index}`, hostile);
    const one: Sent = { sopInstanceUID: request.sopInstanceUID, hostile, acknowledged: false, attempts: 1 };
    sent.push(one);
    one.acknowledged = (await association.store(request)).status === 0;
  }
  await association.release();
}

export async function sendSome(system: System, name: string, count: number, hostileEvery = Infinity): Promise<Sent[]> {
  const sent: Sent[] = [];
  await send(system, name, sent, () => sent.length >= count, hostileEvery);
  return sent;
}
