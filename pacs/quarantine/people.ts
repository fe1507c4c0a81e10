/** What people want to see of an object, from the metadata that inspection reported. The object itself is not looked into. */
import type { InstanceReport } from './contract.ts';

export interface Person {
  readonly patientName: string;
  readonly patientID: string;
  readonly studyInstanceUID: string;
  readonly studyDescription: string;
  readonly modality: string;
}

export const nobody: Person = { patientName: '', patientID: '', studyInstanceUID: '', studyDescription: '', modality: '' };
/** PS3.5 §6.2: LO has at most 64 characters, PN 64 a component group; more is for nobody to read. */
const lengthMax = 200;

type Attributes = Readonly<Record<string, { readonly Value?: readonly unknown[] } | undefined>>;

/** Never throws: metadata that is not what it should be says nothing here, and the index refuses it. */
export function personOf(report: InstanceReport | null): Person {
  if (report === null) return nobody;
  let attributes: Attributes;
  try {
    attributes = JSON.parse(report.metadata) as Attributes;
  } catch {
    return { ...nobody, studyInstanceUID: report.studyInstanceUID };
  }
  if (typeof attributes !== 'object' || attributes === null) return nobody;
  return {
    patientName: textOf(attributes['00100010']?.Value?.[0]),
    patientID: textOf(attributes['00100020']?.Value?.[0]),
    studyInstanceUID: report.studyInstanceUID,
    studyDescription: textOf(attributes['00081030']?.Value?.[0]),
    modality: textOf(attributes['00080060']?.Value?.[0]),
  };
}

/** PS3.18 §F.2.2: a person's name is an object of its component groups. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, lengthMax);
  if (typeof value !== 'object' || value === null) return '';
  const { Alphabetic: alphabetic, Ideographic: ideographic, Phonetic: phonetic } = value as Record<string, unknown>;
  const group = [alphabetic, ideographic, phonetic].find((each) => typeof each === 'string' && each !== '');
  return typeof group === 'string' ? group.slice(0, lengthMax) : '';
}
