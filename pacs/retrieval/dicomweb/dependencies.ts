/** What retrieval needs of the process that it runs in. */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { ReadingTools } from '../../archive/reading.ts';
import type { RenderRequest, RenderedAnswer } from '../../quarantine/requests.ts';
import type { Digest } from '../../reception/contract.ts';

export interface RetrievalDependencies extends ReadingTools {
  /** A connection that only reads. */
  readonly database: DatabaseSync;
  /** Puts an access on the record; resolves once that is durable. Where it rejects, nothing is served. */
  record(message: AuditMessage): Promise<void>;
  /** One frame of an archived file as a picture, made in a sandbox. Rejects with `digest-mismatch` where the file is not what was archived. */
  render(digest: Digest, request: RenderRequest): Promise<RenderedAnswer>;
  /** Milliseconds since 1970. */
  now(): number;
}
