/** Step one: a disc, stick, folder or file, by dropping it or by choosing it. */
import { useId, useRef, useState, type ChangeEvent, type DragEvent } from 'react';
import { joined } from '../parts/parts.tsx';
import { counted } from '../words/amounts.ts';
import { DiscMark, FileMark, FolderMark } from './marks.tsx';
import { discsOf, dropped, type Disc } from './sending/disc.ts';
import { send } from './sending/senders.ts';
import styles from './desk.module.css';

export function PutIn({ small }: { readonly small: boolean }) {
  const [over, setOver] = useState(false);
  const [looking, setLooking] = useState<number | null>(null);
  const [trouble, setTrouble] = useState('');
  const folder = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const head = useId();

  const begin = (discs: readonly Disc[]): void => {
    const full = discs.filter(({ files }) => files.length > 0);
    setTrouble(full.length === 0 ? 'Nothing is in it, as far as this browser can see. Wait until the drive has settled and try again, or see below what else you can do.' : '');
    for (const disc of full) send(disc);
  };
  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    setOver(false);
    setLooking(0);
    try {
      begin(await dropped(event.dataTransfer, setLooking));
    } catch {
      setTrouble('The drive stopped answering while its files were listed. Clean the disc or try another drive, and give it again. What was sent before is not lost.');
    } finally {
      setLooking(null);
    }
  };
  const choose = (event: ChangeEvent<HTMLInputElement>): void => {
    const files = [...(event.target.files ?? [])];
    // The same disc can be chosen again.
    event.target.value = '';
    if (files.length > 0) begin(discsOf(files));
  };

  return (
    <section className={joined(styles['putin'], small && styles['putinSmall'], over && styles['over'])} aria-labelledby={head}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={(event) => { if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false); }} onDrop={(event) => void drop(event)}>
      <div className={styles['disc']}><DiscMark size={small ? 48 : 84} /></div>
      <div className={styles['invite']}>
        <h2 id={head}>{over ? 'Let go: it will be sent and scanned' : small ? 'Next disc' : 'Put the disc in and drop it here'}</h2>
        <p>{small ? 'You need not wait for the first one.' : 'A disc, a stick, a folder, a ZIP or an image file. Nothing on it is started; only clean images come in.'}</p>
        <div className={styles['buttons']}>
          <button type="button" className={joined(styles['button'], styles['primary'])} onClick={() => folder.current?.click()}><FolderMark />Choose disc or folder</button>
          <button type="button" className={styles['button']} onClick={() => file.current?.click()}><FileMark />Choose file</button>
        </div>
        <input ref={folder} type="file" hidden multiple aria-label="Disc or folder" data-give="folder" {...{ webkitdirectory: '' }} onChange={choose} />
        <input ref={file} type="file" hidden multiple aria-label="Image file, ZIP file or single images" data-give="file" onChange={choose} />
        <p className={styles['note']} role="status">{looking !== null ? `Looking at what is on it: ${counted(looking, 'file')} so far…` : ''}</p>
        {trouble !== '' && <p className={styles['caution']} role="alert">{trouble}</p>}
        <details className={styles['help']}>
          <summary>The disc does not show up?</summary>
          <ol>
            <li>Wait until the drive has stopped blinking. If a viewer starts from the disc, close it: you do not need it.</li>
            <li>Press <strong>Choose disc or folder</strong> and pick the drive itself (for example <em>D:</em>), not a single picture.</li>
            <li>Wipe the disc from the middle outwards and try another drive.</li>
            <li>No drive here, or a tablet? The disc can be read on the server: ask whoever runs Lazaret for <code>./lazaret import /dev/sr0</code>. Its receipt then appears below.</li>
            <li>Otherwise ask for another copy, or for the images over the network.</li>
          </ol>
        </details>
      </div>
    </section>
  );
}
