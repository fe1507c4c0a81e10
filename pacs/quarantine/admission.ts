/**
 * Admission: from the arriving area into the quarantine (DESIGN §3). Success means: the object, its row and its audit entry are durable
 * (promises 1 and 4).
 */
import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { entriesFollow, syncFolder } from '@lazaret/system/durable.ts';
import { objectPath } from '@lazaret/system/layout.ts';
import { refused, unavailable } from '@lazaret/system/failure.ts';
import type { Admission, ReceivedObject } from '../reception/contract.ts';
import type { Group } from './commits.ts';
import type { Parts } from './parts.ts';
import { noteRepeat } from './repeats.ts';
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
  #entriesFollow: boolean | null = null;
  #lastSpace: { readonly at: number; readonly space: Space } | null = null;
  /** Highest number whose sender was told, and whether that is on its way into the ledger. */
  #answered = 0;
  #marking = false;

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
    this.#entriesFollow ??= entriesFollow(this.#parts.layout.arriving);
    if (!this.#entriesFollow) await syncFolder(this.#parts.layout.arriving);
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
    const descriptor = openFile(arriving, received.bytes);
    const kept = ledger.keptAs(received.sha256);
    if (kept !== null) {
      closeSync(descriptor);
      group.record.duplicate(received.source, object, kept);
      noteRepeat(this.#parts.database, kept, received.source, received.receivedAt);
      group.after(() => rmSync(arriving, { force: true }));
      return { outcome: 'duplicate', objectId: kept };
    }
    // Side by side with the ledger: the answer waits for both. What a power failure leaves of only one of them was never acknowledged (recovery.ts).
    group.sync(descriptor);
    const { number, committed } = ledger.add(received, group.auditEntry);
    group.record.admitted(received.source, object);
    group.after(() => {
      committed();
      this.#markAnswered(number);
      const place = objectPath(layout.quarantine, received.objectId);
      renameSync(arriving, place);
      settling.seen(number);
      settling.placed([arriving, place]);
      counts.move(null, transition('arriving', 'admit'));
      queue.add(number, {
        objectId: received.objectId, bytes: received.bytes, sha256: received.sha256, sopClassUID: received.sopClassUID, sopInstanceUID: received.sopInstanceUID,
        transferSyntaxUID: received.transferSyntaxUID, peer: received.source.peer,
      });
    });
    return { outcome: 'admitted', objectId: received.objectId };
  }

  /** With the next conclusions, and synced with the next admissions: the mark may be behind, never ahead. */
  #markAnswered(number: number): void {
    this.#answered = Math.max(this.#answered, number);
    if (this.#marking) return;
    this.#marking = true;
    const { commits, ledger } = this.#parts;
    const end = (): void => {
      this.#marking = false;
    };
    commits.submit(() => ledger.raiseAnswered(this.#answered), 'soon').then(end, end);
  }

  #checkSpace(): void {
    const now = Date.now();
    if (this.#lastSpace === null || now - this.#lastSpace.at > spaceEveryMs) this.#lastSpace = { at: now, space: this.#space() };
    const { freeBytes } = this.#lastSpace.space;
    if (freeBytes < reserveBytes) throw unavailable('space-short', `only ${Math.floor(freeBytes / 2 ** 20)} MiB are free on the disk; nothing more is taken until there is room`);
  }
}

/** The object as a file that can be synced. Throws `object-missing` or `object-length`. */
function openFile(path: string, bytes: number): number {
  let descriptor: number;
  try {
    // A link would make the examiners read whatever it points to; a pipe in its place must not make us wait.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw refused('object-missing', `the object is not in the arriving area (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
  const stat = fstatSync(descriptor);
  if (stat.isFile() && stat.size === bytes) return descriptor;
  closeSync(descriptor);
  if (!stat.isFile()) throw refused('object-missing', 'the object is not in the arriving area');
  throw refused('object-length', `the object has ${stat.size} bytes, not the ${bytes} it was announced with`);
}
