/** Limits of the upper layer. Each is checked before anything is kept, and each has its reason. */

/**
 * A-ASSOCIATE-RQ, -AC, and every other PDU but P-DATA-TF. All 128 contexts with seven transfer syntaxes of ordinary length each, with a
 * large user information item, are under 50 KiB; the field itself could declare 4 GiB (PS3.8 §9.3.1).
 */
export const associatePDUBytesMax = 64 * 1024;

/** Presentation Context IDs are the odd numbers of one byte (PS3.8 §9.3.2.2), so there can be no more. */
export const presentationContextsMax = 128;

/** PS3.5 §9.1 and PS3.8 Annex F. */
export const uidBytesMax = 64;

/** PS3.8 §9.3.1: AE titles have 16 bytes, padded with spaces. */
export const aeTitleBytes = 16;

/** PS3.7 §D.3.3.2: Implementation Version Name. */
export const implementationVersionNameBytesMax = 16;

/**
 * The Maximum Length we announce: P-DATA-TF PDUs over it end the association. Nothing of this size is ever kept in memory, PDVs are passed on
 * in the pieces that the network gave. DCMTK and Orthanc send at most 128 KiB; more brings nothing measurable (the kernel hands out 64 KiB a read).
 */
export const maximumLengthDefault = 256 * 1024;

/** Smallest Maximum Length of a peer that we work with: a PDU must hold one PDV header and some bytes (PS3.8 §D.1 lets 0 mean "no limit"). */
export const maximumLengthMin = 128;

/** What we send at most to a peer that announces no limit or an enormous one: a few socket writes. */
export const sendLengthMax = 256 * 1024;

/** An association without a single accepted context could be kept open for nothing; one with none proposed is not allowed (PS3.8 §9.3.2). */
export const presentationContextsMin = 1;
