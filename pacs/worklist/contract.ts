/**
 * Orders of the hospital from a Modality Worklist SCP (PS3.4 Annex K), for people who say whose an import is.
 *
 * | request  | socket        | body                                                              | answer |
 * |----------|---------------|-------------------------------------------------------------------|--------|
 * | worklist | web, terminal | WorklistQuery                                                     | WorklistAnswer |
 * | next     | worklist      | null                                                              | { id, query } or null after 20 s: for the worklist process alone |
 * | found    | worklist      | { id, answer: WorklistAnswer }                                    | null |
 */
import type { Replacement } from '../archive/reconciliation/contract.ts';

/** At least one of the three is not ""; wild cards * and ? as in PS3.4 §C.2.2.2.4. */
export interface WorklistQuery {
  readonly patientName: string;
  readonly patientID: string;
  readonly accessionNumber: string;
}

/** One Scheduled Procedure Step. */
export interface WorklistItem extends Replacement {
  readonly requestedProcedureID: string;
  readonly modality: string;
  /** YYYYMMDD or "". */
  readonly scheduledDate: string;
}

/** `unconfigured`: this site names no worklist; `failed`: `text` says why for people. */
export interface WorklistAnswer {
  readonly outcome: 'found' | 'unconfigured' | 'failed';
  readonly text: string;
  readonly items: readonly WorklistItem[];
  /** There are more than the limit. */
  readonly cut: boolean;
}
/** What one question brings at most: more is not a list that people look through. */
export const worklistItemsMax = 200;
