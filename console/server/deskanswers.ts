/** What the desk page and its server agree on. Pure: both sides import it. */
import type { UploadHead } from '@lazaret/pacs/reception/media/contract.ts';

/** What a browser says of a disc before it sends it. */
export type Begin = Pick<UploadHead, 'name' | 'kind' | 'key' | 'files' | 'bytes'>;

export interface UploadState extends Begin {
  readonly upload: string;
  /** Of the import that reads it; "" before that. */
  readonly import: string;
  readonly begunAt: number;
  /** Lines of the listing that are here. */
  readonly listed: number;
  /** Files that need not be sent any more, as ranges of their numbers, both ends included. */
  readonly have: readonly (readonly [from: number, to: number])[];
  /** Files of which so many bytes are here. */
  readonly parts: readonly (readonly [number: number, bytes: number])[];
}
