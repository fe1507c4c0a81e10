/** The rows of the registered DICOM peers (hospital/assets says what a valid one is and which one a peer is). */
import type { DatabaseSync } from 'node:sqlite';
import { eventIDs, eventTypes, objectIDTypes } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { Asset, PeerIdentity } from '@lazaret/hospital/assets/lookup.ts';
import { checkAsset, findAsset } from '@lazaret/hospital/assets/registry.ts';
import { refused } from '@lazaret/system/failure.ts';
import type { Commits } from './commits.ts';
import type { Migration } from './database.ts';
import { checkFields, checkText } from './guards.ts';
import { keeper } from './record.ts';

export const migrations: readonly Migration[] = [
  { name: 'assets-0001', sql: 'CREATE TABLE asset (asset_id TEXT PRIMARY KEY NOT NULL, asset TEXT NOT NULL, changed_at INTEGER NOT NULL) STRICT;' },
];

/** A hospital has some hundreds. */
const assetsMax = 10_000;

export class Assets {
  readonly #database: DatabaseSync;
  readonly #commits: Commits;
  #assets: Asset[] = [];

  constructor(database: DatabaseSync, commits: Commits) {
    this.#database = database;
    this.#commits = commits;
    this.#load();
  }

  find(untrusted: unknown): Asset | null {
    const value = checkFields(untrusted);
    const peer: PeerIdentity = {
      callingAETitle: checkText(value['callingAETitle'], 'callingAETitle', 64), address: checkText(value['address'], 'address', 64),
      certificate: value['certificate'] === null ? null : checkText(value['certificate'], 'certificate', 64),
    };
    return findAsset(this.#assets, peer);
  }

  /** The `assets` request of the terminal. Resolves with all assets once a change is durable. */
  async handle(untrusted: unknown): Promise<readonly Asset[]> {
    const value = checkFields(untrusted);
    switch (value['do']) {
      case 'list': return this.#assets;
      case 'add': {
        const asset = checkAsset(value['asset']);
        if (this.#assets.length >= assetsMax) throw refused('assets-exceeded', `at most ${assetsMax} assets are kept`);
        const title = this.#assets.find((other) => other.aeTitle === asset.aeTitle && other.assetId !== asset.assetId);
        await this.#commits.submit((group) => {
          this.#database.prepare('INSERT OR REPLACE INTO asset (asset_id, asset, changed_at) VALUES (?, ?, ?)').run(asset.assetId, JSON.stringify(asset), group.time);
          group.record.message(changed(group.time, asset, title === undefined ? 'registered' : `registered beside ${title.assetId} with the same AE Title`));
          group.after(() => this.#load());
        });
        return this.#assets;
      }
      case 'remove': {
        const assetId = checkText(checkFields(value['asset'])['assetId'], 'assetId', 64);
        const asset = this.#assets.find((other) => other.assetId === assetId);
        if (asset === undefined) throw refused('asset-unknown', `there is no asset ${assetId}`);
        await this.#commits.submit((group) => {
          this.#database.prepare('DELETE FROM asset WHERE asset_id = ?').run(assetId);
          group.record.message(changed(group.time, asset, 'removed'));
          group.after(() => this.#load());
        });
        return this.#assets;
      }
      default: throw refused('request-invalid', 'assets does list, add or remove');
    }
  }

  #load(): void {
    this.#assets = (this.#database.prepare('SELECT asset FROM asset ORDER BY asset_id').all() as { asset: string }[]).map((row) => JSON.parse(row.asset) as Asset);
  }
}

/** PS3.15 §A.5.3.10 Security Alert, Network Configuration: who may speak to this system has changed. */
function changed(time: number, asset: Asset, what: string): AuditMessage {
  return {
    eventID: eventIDs.securityAlert, eventTypes: [eventTypes.networkConfiguration], action: 'E', time, outcome: 0, outcomeDescription: `asset ${asset.assetId} ${what}`,
    participants: [{ userID: 'terminal', userIsRequestor: true }, keeper],
    objects: [{ typeCode: 2, role: 15, idType: objectIDTypes.nodeID, id: asset.assetId, name: asset.name, details: [['AE Title', asset.aeTitle], ['addresses', asset.addresses.join(' ')], ['certificate', asset.certificate ?? ''], ['may', asset.may.join(' ')]] }],
  };
}
