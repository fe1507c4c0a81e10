/** A held object for its supplier or a laboratory: encrypted, with a reason; the passphrase is shown once. */
import { useEffect, useId, useRef, useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { LedgerEntry } from '@lazaret/pacs/quarantine/contract.ts';
import { destinationCharactersMax, reasonCharactersMax, reasonCharactersMin } from '../../server/answers.ts';
import { Copy, Hidden, Trouble, joined, partStyles } from '../parts/parts.tsx';
import { sessionQuery } from '../queries.ts';
import { exportObject, type Exported } from './exportrequest.ts';
import styles from './object.module.css';

export function ExportPanel({ entry }: { readonly entry: LedgerEntry }) {
  const session = useQuery(sessionQuery);
  const dialog = useRef<HTMLDialogElement>(null);
  const roles = session.data?.roles ?? [];
  const decides = roles.includes('reviewer') || roles.includes('security');
  if (entry.state !== 'held' || !decides) return null;
  const may = entry.verdict !== 'malicious' || roles.includes('security');
  return (
    <section className={joined(partStyles['card'], styles['card'])} aria-labelledby="export">
      <h2 id="export">Hand it to a specialist</h2>
      <p>{may ? 'For the supplier or a laboratory: an encrypted file with the bytes, what was found and where.' : 'It was found malicious: only somebody with the role security may take it out of the quarantine.'}</p>
      {may && <button type="button" className={partStyles['button']} onClick={() => dialog.current?.showModal()}>Export encrypted…</button>}
      {may && <dialog ref={dialog} className={styles['dialog']} aria-labelledby="export-title"><ExportForm entry={entry} onClose={() => dialog.current?.close()} /></dialog>}
    </section>
  );
}

function ExportForm({ entry, onClose }: { readonly entry: LedgerEntry; readonly onClose: () => void }) {
  const [destination, setDestination] = useState('');
  const [reason, setReason] = useState('');
  const [deIdentified, setDeIdentified] = useState(true);
  const note = useId();
  const mutation = useMutation({ mutationFn: () => exportObject(entry.objectId, { destination: destination.trim(), reason: reason.trim(), deIdentified }) });
  const missing = reasonCharactersMin - reason.trim().length;
  const ready = missing <= 0 && destination.trim().length >= 2 && !mutation.isPending;
  // The next export begins anew, without the patient: what was unticked was for this addressee.
  const close = (): void => {
    mutation.reset();
    setDestination('');
    setReason('');
    setDeIdentified(true);
    onClose();
  };
  if (mutation.data !== undefined) return <Made exported={mutation.data} onClose={close} />;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (ready) mutation.mutate(); }}>
      <h2 id="export-title">Export encrypted</h2>
      <label>Who gets it?<input type="text" value={destination} required maxLength={destinationCharactersMax} placeholder="Company or laboratory, and whom there" onChange={(event) => setDestination(event.target.value)} /></label>
      <label>Why?<textarea rows={2} value={reason} required maxLength={reasonCharactersMax} aria-describedby={note} onChange={(event) => setReason(event.target.value)} /></label>
      <p id={note} className={styles['note']} role="status">{missing > 0 ? `At least ${reasonCharactersMin} characters: it is read by people who were not here.` : 'It goes on the record with your name before a byte leaves.'}</p>
      <label className={styles['check']}><input type="checkbox" checked={deIdentified} onChange={(event) => setDeIdentified(event.target.checked)} /> Overwrite what says whose it is, and private values. Pixels stay: look whether a name is burned into the image.</label>
      {mutation.isError && <Trouble error={mutation.error} what="It is not exported" />}
      <div className={styles['buttons']}>
        <button type="button" className={partStyles['button']} onClick={onClose}>Cancel</button>
        <button type="submit" className={joined(partStyles['button'], partStyles['primary'])} disabled={!ready}>{mutation.isPending ? <>Encrypting…<Hidden> please wait</Hidden></> : 'Make the file'}</button>
      </div>
    </form>
  );
}

/** The file goes to the browser's downloads as soon as it is whole. */
function Made({ exported, onClose }: { readonly exported: Exported; readonly onClose: () => void }) {
  const link = useRef<HTMLAnchorElement>(null);
  const [address, setAddress] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(exported.file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [exported]);
  useEffect(() => { if (address !== '') link.current?.click(); }, [address]);
  return (
    <form onSubmit={(event) => { event.preventDefault(); onClose(); }}>
      <h2 id="export-title">The file is made</h2>
      <p><a ref={link} href={address === '' ? undefined : address} download={exported.name}>{exported.name}</a> went to your downloads. It opens with 7-Zip, WinZip or Keka, not with what Windows brings along.</p>
      {exported.overwrittenFindings > 0 && <p>{exported.overwrittenFindings === 1 ? 'One thing that was found is' : `${exported.overwrittenFindings} things that were found are`} in bytes that were overwritten: who gets the file is told where, and cannot look at it.</p>}
      <p>Its passphrase is shown this once and kept nowhere. Tell it to the addressee by another way than the file: by phone, not by the same mail.</p>
      <p><Copy value={exported.passphrase} shown={exported.passphrase} what="the passphrase" /></p>
      <div className={styles['buttons']}><button type="submit" className={joined(partStyles['button'], partStyles['primary'])}>I have the passphrase</button></div>
    </form>
  );
}
