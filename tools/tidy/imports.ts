/** Law 1 as a table: which part may import which. */

/** From the innermost out: a part imports itself and what its row names. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  dicom: [],
  system: ['processes.ts'],
  'processes.ts': ['system'],
  audit: ['system'],
  hospital: ['audit', 'system', 'dicom'],
  'pacs/access': ['audit', 'system', 'dicom'],
  'pacs/reception': ['dicom', 'system', 'audit', 'hospital/assets/lookup.ts', 'pacs/access'],
  'pacs/quarantine': ['dicom', 'system', 'audit', 'hospital/assets', 'pacs/access', 'pacs/reception/contract.ts'],
  'pacs/inspection': ['dicom', 'system', 'audit', 'pacs/access', 'pacs/reception/contract.ts', 'pacs/quarantine'],
  'pacs/archive': ['dicom', 'system', 'audit', 'pacs/access', 'pacs/reception/contract.ts', 'pacs/quarantine', 'pacs/inspection'],
  'pacs/retrieval': ['dicom', 'system', 'audit', 'hospital/assets/lookup.ts', 'pacs/access', 'pacs/reception/contract.ts', 'pacs/quarantine', 'pacs/inspection', 'pacs/archive'],
  'pacs/worklist': ['dicom', 'system', 'audit', 'pacs/access', 'pacs/archive/reconciliation/contract.ts'],
  'pacs/imports': ['dicom', 'system', 'audit', 'pacs/access', 'pacs/reception/contract.ts', 'pacs/reception/media/contract.ts', 'pacs/reception/media/volume.ts', 'pacs/quarantine', 'pacs/inspection/verdict.ts', 'pacs/archive'],
  console: ['system', 'pacs/access', 'pacs/reception/contract.ts', 'pacs/reception/media/contract.ts', 'pacs/archive/reconciliation/contract.ts', 'pacs/worklist/contract.ts', 'pacs/quarantine', 'pacs/inspection/verdict.ts', 'audit', 'dicom'],
  viewer: [],
  processes: ['dicom', 'system', 'audit', 'hospital', 'pacs', 'console', 'viewer', 'processes.ts'],
  cli: ['dicom', 'system', 'audit', 'hospital', 'pacs', 'processes', 'processes.ts'],
  tools: ['dicom', 'system', 'audit', 'hospital', 'pacs', 'processes', 'cli', 'processes.ts', 'test'],
  test: ['dicom', 'system', 'audit', 'hospital', 'pacs', 'console', 'viewer', 'processes', 'cli', 'tools', 'processes.ts'],
};

/** The row of the table that a path belongs to. */
export function partOf(path: string): string {
  const [first, second] = path.split('/');
  return first === 'pacs' ? `pacs/${second}` : first!;
}

/** True when the table lets a file of `from` import the file `to` (both paths from the root). */
export function isPermitted(from: string, to: string): boolean {
  const part = partOf(from);
  if (partOf(to) === part) return true;
  return (mayImport[part] ?? []).some((allowed) => to === allowed || to.startsWith(`${allowed}/`));
}
