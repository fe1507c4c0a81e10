/** One disc from seeing what is on it to having it in: steps two to four. */
import { useEffect, useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Choice, IncomingStudy } from '@lazaret/pacs/archive/reconciliation/contract.ts';
import type { FileFate, ImportStatus } from '@lazaret/pacs/reception/media/contract.ts';
import { Loading, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { BackIcon } from '../parts/icons.tsx';
import { counted } from '../words/amounts.ts';
import { plain } from '../words/plain.ts';
import { InfectedAlert, isInfected, UnreachedNote, UnreadableNote } from './alert.tsx';
import { patientsOf, type DiscPatient } from './candidates.ts';
import { StudyContents } from './contents.tsx';
import { NextMark, TickMark } from './marks.tsx';
import { Progress } from './progress.tsx';
import { importQuery, isMoving, receiptQuery, take, useStudies, viewerAddress } from './requests.ts';
import { isActive, useSendings } from './sending/senders.ts';
import { Steps } from './steps.tsx';
import { Whose, type Pick } from './whose.tsx';
import { detailsOf, isPacked, mediumName, nameOf, packedWords, stateOf, titleOf } from './words.ts';
import styles from './desk.module.css';

const route = getRouteApi('/desk/$import');

export function DiscPage() {
  const { import: id } = route.useParams();
  const status = useQuery(importQuery(id));
  const sending = useSendings().find((each) => each.import === id);
  const moving = isMoving(status.data) || (sending !== undefined && isActive(sending));
  const studies = useStudies(id, moving);
  const infected = isInfected(status.data);
  const settled = status.data?.state === 'settled';
  const receipt = useQuery({ ...receiptQuery(id, moving), enabled: infected || (status.data?.fates.unreadable ?? 0) > 0 || (settled && (status.data?.archived ?? 0) === 0) });
  const patients = patientsOf(studies.data ?? []);
  const open = patients.filter((patient) => patient.studies.some(isOpen));
  const taking = (studies.data ?? []).some(({ state }) => state === 'taking');
  const step = open.length > 0 ? 3 : taking ? 4 : settled ? 5 : 2;
  if (status.isError && status.data === undefined) return <Trouble error={status.error} what="This import cannot be shown" retry={() => void status.refetch()} />;
  if (status.data === undefined) return <Loading rows={4} what="the disc" />;
  const name = mediumName(status.data);
  return (
    <div className={styles['desk']}>
      <title>{`${name} · Import · Lazaret`}</title>
      <Link to="/desk" className={styles['back']}><BackIcon /> All discs</Link>
      <div className={styles['heading']}><h1><bdi>{name}</bdi></h1><p role="status">{stateOf(status.data)}{patients.length > 0 && ` · ${counted(patients.length, 'patient')}, ${counted(studies.data?.length ?? 0, 'examination')}`}</p></div>
      <Steps at={step} done={step === 5} />
      {infected && <InfectedAlert status={status.data} receipt={receipt.data} />}
      {moving && <section className={styles['card']} aria-label="Progress"><Progress sending={sending} status={status.data} name={name} /></section>}
      <UnreadableNote sending={sending} receipt={receipt.data} />
      <UnreachedNote status={status.data} />
      {status.data.state === 'failed' && <div className={styles['cautionBox']} role="alert"><div><h2>It could not be read</h2><p>{plain(status.data.problem)}</p></div></div>}
      {status.data.state === 'interrupted' && sending === undefined && <div className={styles['cautionBox']}><div><h2>Not all of it was sent</h2><p>Give the same disc again at the desk: it goes on where it was.</p></div></div>}
      {studies.isError && <Trouble error={studies.error} what="What is on the disc cannot be shown" retry={() => void studies.refetch()} />}
      {patients.length > 1 && <TwoPatients patients={patients} />}
      <Patients id={id} patients={patients} moving={moving} />
      {settled && patients.length === 0 && !studies.isError && studies.data !== undefined && (
        <NothingOpen id={id} status={status.data} left={receipt.data?.left ?? []} />
      )}
    </div>
  );
}

export const isOpen = ({ state }: IncomingStudy): boolean => state === 'waiting' || state === 'impossible';

/** Settled, and nobody has to say anything about any of it. */
function NothingOpen({ id, status, left }: { readonly id: string; readonly status: ImportStatus; readonly left: readonly FileFate[] }) {
  const { archived, held, fates } = status;
  const unreached = fates.unreached ?? 0;
  const [head, text] = archived > 0 ? ['All of it is in the archive', (fates.duplicate ?? 0) >= archived ? 'Every image on it was here before, byte for byte. The receipt says as whose.' : 'Nobody has to say any more whose it is. The receipt says as whose it came in.']
    : held > 0 ? ['Nothing could come in yet', 'All images on it are held back. The receipt says why, and who can decide.']
      : unreached > 0 ? ['No image came in', 'It was not read to its end, and no image is among the files that were read.']
        : ['There are no images on it', `It was read to its end: no file on it is a medical image. ${left.some(isPacked) ? packedWords : 'Is it the right disc?'}`];
  return <section className={joined(styles['card'], styles['empty'])}><h2>{head}</h2><p>{text}</p><div className={styles['buttons']}><ReceiptLink id={id} primary /></div></section>;
}

function TwoPatients({ patients }: { readonly patients: readonly DiscPatient[] }) {
  return (
    <div className={styles['several']} role="note">
      <strong aria-hidden="true">{patients.length}</strong>
      <p><b>{patients.length} different patients are on this disc.</b> Say for each of them who it is: {patients.map(({ received }) => nameOf(received.patientName)).join(' and ')}.</p>
    </div>
  );
}

function Patients({ id, patients, moving }: { readonly id: string; readonly patients: readonly DiscPatient[]; readonly moving: boolean }) {
  const [picks, setPicks] = useState<ReadonlyMap<string, Pick>>(new Map());
  const queryClient = useQueryClient();
  const open = patients.filter((patient) => patient.studies.some(isOpen));
  const choices = open.flatMap((patient): Choice[] => {
    const pick = picks.get(patient.key);
    if (pick === undefined || pick.kind === 'later') return [];
    return patient.studies.filter(isOpen).map(({ studyInstanceUID }) => ({ studyInstanceUID, replacement: pick.kind === 'here' ? pick.replacement : null }));
  });
  const bring = useMutation({
    mutationFn: () => take(id, choices),
    onSuccess: (answer) => queryClient.setQueryData(['desk', 'studies', id], answer),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['desk', 'studies', id] }),
  });
  // What is chosen while the disc is still being read comes in once all of it is there.
  const [wanted, setWanted] = useState(false);
  const started = useRef(false);
  useEffect(() => {
    if (!wanted || moving || started.current || choices.length === 0) return;
    started.current = true;
    bring.mutate(undefined, { onSettled: () => { started.current = false; setWanted(false); } });
  });
  const left = open.filter(({ key }) => !picks.has(key)).length;
  const set = (key: string, pick: Pick | undefined): void => {
    const next = new Map(picks);
    if (pick === undefined) next.delete(key);
    else next.set(key, pick);
    setPicks(next);
    setWanted(false);
  };
  const examinations = counted(choices.length, 'examination');
  return (
    <>
      {patients.map((patient, index) => (
        <section key={patient.key} className={joined(styles['card'], styles['patient'])} aria-label={`Patient ${index + 1} of ${patients.length}`}>
          <header>
            {patients.length > 1 && <p className={styles['which']}>Patient {index + 1} of {patients.length}</p>}
            <h2><bdi>{nameOf(patient.received.patientName)}</bdi></h2>
            <p>On the disc: {detailsOf(patient.received)}</p>
          </header>
          {patient.studies.map((study) => <StudyContents key={study.studyInstanceUID} study={study} />)}
          {patient.studies.map((study) => <Outcome key={study.studyInstanceUID} study={study} several={patient.studies.length > 1} />)}
          {patient.studies.some(isOpen) && <Whose patient={patient} pick={picks.get(patient.key)} onPick={(pick) => set(patient.key, pick)} />}
        </section>
      ))}
      {bring.isError && <Trouble error={bring.error} what="It could not be brought in" />}
      {open.length > 0 ? (
        <div className={joined(styles['bottom'], left === 0 && styles['ready'])}>
          <p role="status">{wanted ? `${examinations} will come in as soon as all of the disc is scanned.` : bring.isPending ? 'Bringing in…' : left > 0 ? (patients.length > 1 ? `Choose for ${left === 1 ? 'one more patient' : `${left} more patients`}.` : 'Choose who it is.') : choices.length === 0 ? 'All of it stays out of sight for now.' : `${examinations} ${choices.length === 1 ? 'comes' : 'come'} in.`}</p>
          {left === 0 && choices.length === 0 ? <ReceiptLink id={id} primary /> : <button type="button" className={joined(styles['button'], styles['primary'], styles['large'])} disabled={left > 0 || wanted || bring.isPending} onClick={() => setWanted(true)}>Bring in<NextMark /></button>}
        </div>
      ) : patients.length > 0 && (
        <div className={styles['bottom']}>
          <p role="status">{patients.some(({ studies }) => studies.some(({ state }) => state === 'taking')) ? 'Being brought in…' : moving ? 'The rest is being scanned.' : 'All is in.'}</p>
          <ReceiptLink id={id} primary={!moving} focused={bring.isSuccess} />
        </div>
      )}
    </>
  );
}

function Outcome({ study, several }: { readonly study: IncomingStudy; readonly several: boolean }) {
  const what = several ? `${titleOf(study)}: ` : '';
  switch (study.state) {
    case 'waiting': return null;
    case 'impossible': return <div className={styles['cautionBox']} role="alert"><div><h2>{what}It cannot come in under that name</h2><p>{plain(study.problem, 300)} It stays out of sight: choose again, or let it come in as it is.</p></div></div>;
    case 'taking': return <p className={styles['outcome']} role="status"><span className={joined(styles['working'])} aria-hidden="true" /><span>{what}being brought in{study.replacement === null ? '' : <> as <strong><bdi>{nameOf(study.replacement.patientName)}</bdi></strong></>}…</span></p>;
    case 'taken': return (
      <p className={joined(styles['outcome'], styles['in'])}><TickMark /><span>{what}in the archive{study.replacement === null ? ' as it came' : <> as <strong><bdi>{nameOf(study.replacement.patientName)}</bdi></strong>, {detailsOf(study.replacement)}</>}</span>
        <a className={joined(styles['button'])} href={viewerAddress(study.studyInstanceUID)} target="_blank" rel="noreferrer">Look at it<span className={partStyles['hidden']}> in the viewer: {titleOf(study)}</span></a></p>
    );
  }
}

/** `focused`: the button that was pressed has gone, and this stands in its place. */
function ReceiptLink({ id, primary, focused = false }: { readonly id: string; readonly primary: boolean; readonly focused?: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => { if (focused && document.activeElement === document.body) link.current?.focus({ preventScroll: true }); }, [focused]);
  return <Link ref={link} to="/desk/$import/receipt" params={{ import: id }} className={joined(styles['button'], primary && styles['primary'], styles['large'])}>Receipt<NextMark /></Link>;
}
