/** What retrieval needs of the process that it runs in. */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import type { ReadingTools } from '../../archive/reading.ts';

export interface RetrievalDependencies extends ReadingTools {
  /** A connection that only reads. */
  readonly database: DatabaseSync;
  /** Puts an access on the record; resolves once that is durable. Where it rejects, nothing is served. */
  record(message: AuditMessage): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
}
