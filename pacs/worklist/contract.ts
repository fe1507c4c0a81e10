/**
 * Orders of the hospital from a Modality Worklist SCP (PS3.4 Annex K), for people who say whose an import is.
 *
 * | request  | socket        | body                                                              | answer |
 * |----------|---------------|-------------------------------------------------------------------|--------|
 * | worklist | web, terminal | WorklistQuery, with `person` and `address` for the record         | WorklistAnswer, once it is on the record who asked for whom |
 * | echo     | web, terminal | null                                                              | WorklistAnswer without items: whether the worklist answers (C-ECHO) |
 * | next     | worklist      | null                                                              | Question or null after 20 s: for the worklist process alone |
 * | found    | worklist      | { id, answer: WorklistAnswer }                                    | null |
 */
import type { Replacement } from '../archive/reconciliation/contract.ts';

/** At least one of the three is not ""; wild cards * and ? as in PS3.4 §C.2.2.2.4. */
export interface WorklistQuery {
  readonly patientName: string;
  readonly patientID: string;
  readonly accessionNumber: string;
}
/** As web and terminal ask: who, and from where. Without a person the process that asked is recorded alone. */
export interface WorklistRequest extends WorklistQuery {
  readonly person?: string;
  readonly address?: string;
}

/** What the worklist process is to ask: a query, or null for C-ECHO. */
export interface Question {
  readonly id: string;
  readonly query: WorklistQuery | null;
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
  /** For people; "" where there is nothing to say beside the items. */
  readonly text: string;
  readonly items: readonly WorklistItem[];
  /** There are more than the limit. */
  readonly cut: boolean;
}
/** What one question brings at most: more is not a list that people look through. */
export const worklistItemsMax = 200;
/** Longest value of a query: PN has 64 characters in each of three groups (PS3.5 §6.2). */
export const queryCharactersMax = 194;
