/**
 * Admission: from the arriving area into the quarantine (DESIGN §3). Success means: the object, its row and its audit entry are durable
 * (promises 1 and 4).
 */
import { lstatSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { objectPath } from '@lazaret/system/layout.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import type { Admission, ReceivedObject } from '../reception/contract.ts';
import type { Group } from './commits.ts';
import type { Parts } from './parts.ts';
import { transition } from './states.ts';

/**
 * Room that is left for the ledger, the audit log and what is under way when no more objects are taken: a full WAL (16 MiB), a segment
 * (64 MiB), and objects that are being written now.
 */
const reserveBytes = 512 * 1024 * 1024;
/** A statfs costs little, but not nothing: its answer holds this long. */
const spaceEveryMs = 200;

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}
/** Space for this account on the file system of `path`. */
export function spaceAt(path: string): Space {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export class Admissions {
  readonly #parts: Parts;
  readonly #space: () => Space;
  #lastSpace: { readonly at: number; readonly space: Space } | null = null;

  constructor(parts: Parts, space: () => Space = () => spaceAt(parts.layout.data)) {
    this.#parts = parts;
    this.#space = space;
  }

  /**
   * Refuses with `object-missing` or `object-length` what is not in the arriving area as told, and with `space-short` everything while the
   * disk is nearly full. What is refused stays where it is: the door removes it.
   */
  async admit(received: ReceivedObject): Promise<Admission> {
    this.#checkSpace();
    return this.#parts.commits.submit((group) => this.#step(group, received));
  }

  #step(group: Group, received: ReceivedObject): Admission {
    const { ledger, layout, queue, counts, settling } = this.#parts;
    const arriving = join(layout.arriving, received.objectId);
    const object = { objectId: received.objectId, sha256: received.sha256, sopClassUID: received.sopClassUID, sopInstanceUID: received.sopInstanceUID };
    const known = ledger.digestOf(received.objectId);
    if (known !== null) {
      // The door asks again since it lost the answer.
      if (known === received.sha256) return { outcome: 'admitted', objectId: received.objectId };
      throw refused('object-known', `object ${received.objectId} was admitted with other bytes`);
    }
    checkFile(arriving, received.bytes);
    const kept = ledger.keptAs(received.sha256);
    if (kept !== null) {
      group.record.duplicate(received.source, object, kept);
      group.after(() => rmSync(arriving, { force: true }));
      return { outcome: 'duplicate', objectId: kept };
    }
    const { number, committed } = ledger.add(received, group.auditEntry);
    group.record.admitted(received.source, object);
    group.after(() => {
      committed();
      const place = objectPath(layout.quarantine, received.objectId);
      renameSync(arriving, place);
      settling.seen(number);
      settling.placed([arriving, place]);
      counts.move(null, transition('arriving', 'admit'));
      queue.add(number, {
        objectId: received.objectId, bytes: received.bytes, sha256: received.sha256, sopClassUID: received.sopClassUID, sopInstanceUID: received.sopInstanceUID,
        transferSyntaxUID: received.transferSyntaxUID,
      });
    });
    return { outcome: 'admitted', objectId: received.objectId };
  }

  #checkSpace(): void {
    const now = Date.now();
    if (this.#lastSpace === null || now - this.#lastSpace.at > spaceEveryMs) this.#lastSpace = { at: now, space: this.#space() };
    const { freeBytes } = this.#lastSpace.space;
    if (freeBytes < reserveBytes) throw unavailable('space-short', `only ${Math.floor(freeBytes / 2 ** 20)} MiB are free on the disk; nothing more is taken until there is room`);
  }
}

function checkFile(path: string, bytes: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  // lstat: a link would make the examiners read whatever it points to.
  if (stat === undefined || !stat.isFile()) throw refused('object-missing', 'the object is not in the arriving area');
  if (stat.size !== bytes) throw refused('object-length', `the object has ${stat.size} bytes, not the ${bytes} it was announced with`);
}
