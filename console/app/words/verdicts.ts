/** Verdicts, states, doors and SOP Classes in words. */
import type { LedgerEntry, State, Verdict } from '@lazaret/pacs/quarantine/contract.ts';
import type { Source } from '@lazaret/pacs/reception/contract.ts';
import { storageSOPClassByUID } from '@lazaret/dicom/dictionary/sopclasses.ts';
import { plain } from './plain.ts';

export const verdictWords: Readonly<Record<Verdict, { readonly name: string; readonly meaning: string }>> = {
  clean: { name: 'Clean', meaning: 'Every byte is accounted for, and no engine found anything.' },
  malicious: { name: 'Malicious', meaning: 'Something in it was made to run or to do harm.' },
  malformed: { name: 'Malformed', meaning: 'It is not encoded as the standard says. Usually a damaged transfer or a faulty device, seldom an attack.' },
  unscannable: { name: 'Unscannable', meaning: 'It could not be inspected to the end, so nobody can say that it is clean.' },
};

export const stateWords: Readonly<Record<State, { readonly name: string; readonly meaning: string }>> = {
  arriving: { name: 'Arriving', meaning: 'Being received.' },
  waiting: { name: 'Waiting', meaning: 'Safe on disk, waiting for inspection.' },
  inspecting: { name: 'Inspecting', meaning: 'Being inspected now.' },
  cleared: { name: 'Cleared', meaning: 'Found clean, on its way to the archive.' },
  archived: { name: 'Archived', meaning: 'In the archive: can be found, opened and passed on.' },
  held: { name: 'Held', meaning: 'Kept back. Nobody can open it; people decide what becomes of it.' },
  released: { name: 'Released', meaning: 'Released by people, on its way to the archive.' },
  destroyed: { name: 'Destroyed', meaning: 'Destroyed by two people. The record of it remains.' },
};

/** Where it came from, in a few words: the registered name, else the AE Title, else the address. */
export function sourceName(source: Source): string {
  return plain(source.peer || source.callingAETitle || source.address || 'unknown source', 64);
}
export function doorName(source: Source): string {
  switch (source.door) {
    case 'association': return `DICOM association${source.callingAETitle === '' ? '' : `, ${plain(source.callingAETitle, 16)} → ${plain(source.calledAETitle, 16)}`}`;
    case 'stow': return 'DICOMweb (STOW-RS)';
    case 'media': return 'disc or USB medium';
    case 'terminal': return 'terminal of the server';
  }
}

/** "CT Image Storage" as "CT Image"; a private class says that it is one. */
export function sopClassName(uid: string): string {
  if (uid === '') return 'Kind not known';
  const sopClass = storageSOPClassByUID.get(uid);
  if (sopClass === undefined) return `Private or unknown kind (${plain(uid, 64)})`;
  return sopClass.name.replace(/ Storage( SOP Class)?/, '');
}

/** Patient and study for a heading; what is not known is said. */
export function subject(entry: Pick<LedgerEntry, 'modality' | 'studyDescription'>): string {
  return [entry.modality, entry.studyDescription].map((text) => plain(text, 120)).filter((text) => text !== '').join(' · ') || 'Study not known';
}
