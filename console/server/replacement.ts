/** An identity as a browser sends it; what DICOM holds of it the keeper checks. */
import { z } from 'zod';

const text = (most: number) => z.string().max(most).regex(/^\P{Cc}*$/u, 'holds a control character');
export const replacement = z.strictObject({
  patientName: text(200), patientID: text(64), issuerOfPatientID: text(64), patientBirthDate: z.string().regex(/^(\d{8})?$/, 'is not a date'), patientSex: z.enum(['M', 'F', 'O', '']), accessionNumber: text(16), studyDescription: text(64),
});
