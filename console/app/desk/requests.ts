/** What the desk page asks, and how often. */
import { useEffect } from 'react';
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Choice, IncomingStudy, LocalPatient } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { ImportStatus, Receipt } from '@lazaret/pacs/reception/media/contract.ts';
import type { WorklistAnswer } from '@lazaret/pacs/worklist/contract.ts';
import type { UploadState } from '../../server/deskanswers.ts';
import { ask } from '../api.ts';

const busyMs = 700;
/** While nothing of a disc can be shown yet: its first picture is to be there within a second. */
const firstMs = 200;
const quietMs = 5_000;
/** The worklist of a hospital may be slow. */
const worklistTimeoutMs = 30_000;

export const isMoving = (status: ImportStatus | undefined): boolean => status === undefined || !['settled', 'failed'].includes(status.state);

export const importsQuery = queryOptions({ queryKey: ['desk', 'imports'], queryFn: () => ask<readonly ImportStatus[]>('desk/imports'), refetchInterval: (query) => (query.state.data?.some(isMoving) === true ? 2_000 : quietMs) });
export const uploadsQuery = queryOptions({ queryKey: ['desk', 'uploads'], queryFn: () => ask<readonly UploadState[]>('desk/uploads'), refetchInterval: quietMs });
export const importQuery = (id: string) =>
  queryOptions({ queryKey: ['desk', 'import', id], queryFn: () => ask<ImportStatus>(`desk/imports/${id}`), enabled: id !== '', refetchInterval: (query) => (isMoving(query.state.data) ? busyMs : quietMs) });
/** Of an import that is still moving it is as far as it is. */
export const receiptQuery = (id: string, moving: boolean) =>
  queryOptions({ queryKey: ['desk', 'receipt', id], queryFn: () => ask<Receipt>(`desk/imports/${id}/receipt`), enabled: id !== '', refetchInterval: (query) => (moving || isMoving(query.state.data) || (query.state.data?.unreconciled ?? 0) > 0 ? 1_500 : false) });
export const studiesQuery = (id: string, moving: boolean) =>
  queryOptions({
    queryKey: ['desk', 'studies', id], queryFn: () => ask<readonly IncomingStudy[]>(`desk/imports/${id}/studies`), enabled: id !== '', retry: false,
    refetchInterval: (query) => (moving && (query.state.data?.length ?? 0) === 0 ? firstMs : moving || query.state.data?.some(({ state }) => state === 'taking') === true ? busyMs : quietMs),
  });
/** What is on a disc. Once it does not move any more it is asked for anew at once: a second patient must not show up seconds after "Scanned". */
export function useStudies(id: string, moving: boolean) {
  const studies = useQuery(studiesQuery(id, moving));
  const { refetch } = studies;
  useEffect(() => { if (!moving && id !== '') void refetch(); }, [moving, id, refetch]);
  return studies;
}
export const patientsQuery = (text: string) =>
  queryOptions({ queryKey: ['desk', 'patients', text], queryFn: () => ask<readonly LocalPatient[]>(`desk/patients?${new URLSearchParams({ text })}`), enabled: text !== '', staleTime: 10_000, retry: false });
export const worklistQuery = (name: string, id: string) =>
  queryOptions({ queryKey: ['desk', 'worklist', name, id], queryFn: () => ask<WorklistAnswer>(`desk/worklist?${new URLSearchParams({ name, id })}`, {}, worklistTimeoutMs), enabled: name !== '' || id !== '', staleTime: 30_000, retry: false });

export const take = (id: string, choices: readonly Choice[]) =>
  ask<readonly IncomingStudy[]>(`desk/imports/${id}/choices`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ choices }) });
export const cancelUpload = (upload: string) => ask<UploadState>(`desk/uploads/${upload}`, { method: 'DELETE' });
export const pictureAddress = (objectId: string): string => `/console/api/desk/pictures/${objectId}`;
/** The study in the viewer, which has a sign-in of its own. */
export const viewerAddress = (studyInstanceUID: string): string => `/viewer?${new URLSearchParams({ StudyInstanceUIDs: studyInstanceUID })}`;
