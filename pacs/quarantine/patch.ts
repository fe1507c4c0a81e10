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

/** Stretches of the object: an identity has some thirty attributes, and what touches is one. */
export const patchesMax = 128;
/** Bytes of all patches: what is replaced twice over (it is moved into Original Attributes), and the new values. */
export const patchBytesMax = 256 * 1024;
export const patchTextMax = 500;
