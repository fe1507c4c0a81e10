/**
 * A job for an examiner: what of an archived object is to be served otherwise, so that it is under a local identity (pacs/archive/reconciliation asks and
 * checks). The object itself is only read.
 */
import type { Identity } from '@lazaret/dicom/dataset/identity.ts';
import type { Provenance } from '@lazaret/dicom/dataset/replace.ts';

export interface PatchRequest {
  readonly identity: Identity;
  readonly provenance: Provenance;
}

/** `impossible`: `text` says why, for people. Made from hostile bytes: whoever uses it checks it. */
export interface PatchAnswer {
  readonly outcome: 'patched' | 'impossible';
  readonly text: string;
  /** Sorted, without overlap; `bytes` is base64. */
  readonly patches: readonly { readonly offset: number; readonly length: number; readonly bytes: string }[];
  /** DICOM JSON of the object as it will be served; ranges of bulk data are those of the stored file. */
  readonly metadata: string;
}

export { patchBytesMax, patchesMax } from '@lazaret/dicom/dataset/replace.ts';
export { deflatedPatchBytesMax } from '@lazaret/dicom/dataset/repacking.ts';
export const patchTextMax = 500;
