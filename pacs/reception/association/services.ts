/**
 * The DIMSE services of this door. Each declares the Action that it is (pacs/access) and the permission that an asset needs;
 * an operation that is not in the table is answered with "unrecognized operation".
 */
import type { Offer } from '@lazaret/dicom/upperlayer/negotiation.ts';
import { storageSOPClasses, verification } from '@lazaret/dicom/dictionary/sopclasses.ts';
import { transferSyntaxes, type Codec } from '@lazaret/dicom/dataset/transfersyntaxes.ts';
import type { Asset } from '@lazaret/hospital/assets/lookup.ts';
import { actions, type Action, type Actor, type Role } from '../../access/actions.ts';
import { decide } from '../../access/decide.ts';

export interface ServiceRow {
  readonly name: 'C-ECHO' | 'C-STORE';
  /** Command Field of the request. */
  readonly commandField: number;
  readonly action: Action;
  readonly permission: Asset['may'][number];
}

export const services: readonly ServiceRow[] = [
  { name: 'C-ECHO', commandField: 0x0030, action: 'sign-in', permission: 'echo' },
  { name: 'C-STORE', commandField: 0x0001, action: 'write-bytes', permission: 'store' },
];

/** Throws unless every service declares an Action that exists: such a door does not open. */
export function checkServices(rows: readonly ServiceRow[]): void {
  for (const row of rows) {
    if (!(actions as readonly string[]).includes(row.action)) throw new Error(`the service ${row.name} declares no action: it cannot be decided who may use it`);
  }
}

/** The roles that an asset's permissions amount to. */
const rolesOf: Readonly<Record<Asset['may'][number], Role | null>> = { echo: null, store: 'sender', find: 'viewer', retrieve: 'viewer' };

export function actorOf(asset: Asset, address: string): Actor {
  const roles = [...new Set(asset.may.map((permission) => rolesOf[permission]).filter((role) => role !== null))];
  return { kind: 'peer', name: asset.assetId, roles, address };
}

/** May this asset use this service? */
export function permits(asset: Asset, address: string, service: ServiceRow): boolean {
  return asset.may.includes(service.permission) && decide(actorOf(asset, address), service.action).allowed;
}

/** Transfer syntaxes that are no encoding of a stored object: real-time video (PS3.22) and two that were never used for storage. */
const notStored: ReadonlySet<Codec> = new Set<Codec>(['smpte', 'mime', 'xml']);
const storageTransferSyntaxes: ReadonlySet<string> = new Set(transferSyntaxes.filter((syntax) => !notStored.has(syntax.codec)).map((syntax) => syntax.uid));
/** Verification has no Data Set; any of these three is taken (PS3.5 §10.1 asks for the first). */
const verificationTransferSyntaxes: ReadonlySet<string> = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2']);

export const storageOffer: Offer = { transferSyntaxes: storageTransferSyntaxes, scuRole: true, scpRole: false };
export const verificationOffer: Offer = { transferSyntaxes: verificationTransferSyntaxes, scuRole: true, scpRole: false };

/** The service behind each Abstract Syntax: Verification, every storage SOP Class of the standard, and those that the site configured. */
export function abstractSyntaxes(privateSOPClasses: readonly string[]): ReadonlyMap<string, { readonly service: ServiceRow; readonly offer: Offer }> {
  const [echo, store] = services as [ServiceRow, ServiceRow];
  const table = new Map([[verification, { service: echo, offer: verificationOffer }]]);
  for (const uid of [...storageSOPClasses.map((sopClass) => sopClass.uid), ...privateSOPClasses]) table.set(uid, { service: store, offer: storageOffer });
  return table;
}
