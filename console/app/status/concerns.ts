/** What needs care, in plain words, from the status of the system. */
import type { StatusAnswer } from '@lazaret/pacs/quarantine/requests.ts';
import { plain } from '../words/plain.ts';
import { counted, size } from '../words/amounts.ts';

export interface Concern {
  /** `stop`: objects are not getting through. `care`: they are, but not as they should. */
  readonly level: 'stop' | 'care';
  readonly title: string;
  readonly text: string;
}

/** Under this part of the disk free, or this many bytes, new studies will soon be refused. */
const freePartMin = 0.1;
const freeBytesMin = 10 * 1024 ** 3;
/** More than this waiting means that inspection does not keep up or stands still. */
const waitingMax = 2000;

export function concernsOf(status: StatusAnswer): Concern[] {
  const concerns: Concern[] = [];
  const { inspector, disk, counts } = status;
  if (inspector === null) {
    concerns.push({ level: 'stop', title: 'Nothing is being inspected', text: 'The inspector is not running. What arrives is kept safely and waits; nothing reaches the archive. It is restarted by itself; if this stays, look at “./lazaret doctor”.' });
  } else {
    for (const engine of inspector.engines) {
      if (engine.state !== 'ready') concerns.push({ level: 'stop', title: `The engine ${plain(engine.name, 40)} is ${engine.state}`, text: `${plain(engine.text)} Without it nothing counts as clean: what arrives is held as unscannable.`.trim() });
    }
    if (inspector.engines.length === 0) concerns.push({ level: 'stop', title: 'No engine looks for malicious software', text: 'Without one nothing counts as clean: what arrives is held as unscannable.' });
    if (inspector.sandbox.strength === 'none') concerns.push({ level: 'stop', title: 'Objects are decoded without a sandbox', text: `${plain(inspector.sandbox.text)} A hostile object could take over this server. Install bubblewrap.` });
    if (inspector.sandbox.strength === 'permission-model') concerns.push({ level: 'care', title: 'The sandbox is weaker than it should be', text: `${plain(inspector.sandbox.text)} Namespaces are not available here: install bubblewrap, or allow unprivileged user namespaces.` });
    if (inspector.examiners === 0) concerns.push({ level: 'stop', title: 'No examiner is running', text: 'What arrives waits; nothing reaches the archive.' });
  }
  const { late = 0, infectedMedia = 0 } = status.alarms ?? {};
  if (late > 0) concerns.push({ level: 'care', title: 'Malicious software was found in the archive', text: `${counted(late, 'object')} that people could open ${late === 1 ? 'is' : 'are'} held since a later inspection found malicious software in ${late === 1 ? 'it' : 'them'}. Trace says who opened ${late === 1 ? 'it' : 'them'}, and takes out of sight what came with ${late === 1 ? 'it' : 'them'}.` });
  if (infectedMedia > 0) concerns.push({ level: 'care', title: 'Malicious software came on a medium', text: `${counted(infectedMedia, 'medium', 'media')} of the last seven days carried it in files that stayed behind. Whoever brought ${infectedMedia === 1 ? 'it' : 'them'} has it on their computers: tell them. The receipts name the files.` });
  if (disk.totalBytes > 0 && (disk.freeBytes < freeBytesMin || disk.freeBytes / disk.totalBytes < freePartMin)) {
    concerns.push({ level: disk.freeBytes < freeBytesMin / 10 ? 'stop' : 'care', title: 'The disk is filling up', text: `${size(disk.freeBytes)} of ${size(disk.totalBytes)} are free. When it is full, senders are refused: they keep their images, nothing is lost, but nothing arrives.` });
  }
  if (counts.waiting > waitingMax) concerns.push({ level: 'care', title: 'Inspection does not keep up', text: `${counted(counts.waiting, 'object')} wait for inspection.` });
  return concerns;
}
