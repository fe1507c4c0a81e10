/**
 * The association process: DIMSE 11112 and DICOM TLS 2762. Decodes PDUs and command sets, writes Data Sets to files unread.
 *
 * SECURITY: faces the clinical network. May write the arriving area and ask the keeper; reads nothing but its certificate.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Door, doorOptions, type DoorOptions } from '@lazaret/pacs/reception/association/door.ts';
import { KeeperLink } from '@lazaret/pacs/reception/association/keeper.ts';
import { runProcess, type Running, type Settings } from '@lazaret/system/process.ts';

/** The keeper may still be recovering after a crash when we start. */
const keeperTimeoutMs = 30_000;

await runProcess(association);

/** Opens the door once the keeper answers, so that nobody is let in whose objects could not be kept. */
async function association(settings: Settings): Promise<Running> {
  const keeper = new KeeperLink(settings.layout.sockets.association);
  await keeper.open(keeperTimeoutMs);
  const door = new Door(doorOptions({
    host: settings.host, port: settings.dimsePort, tls: tlsMaterial(settings), aeTitle: settings.aeTitle,
    arriving: settings.layout.arriving, privateSOPClasses: settings.privateSOPClasses, keeper,
  }));
  await door.open();
  return {
    ready: { dimse: door.dimse, dimseTls: door.dimseTls },
    async stop() {
      await door.stop();
      await keeper.close();
    },
  };
}

/** DICOM TLS opens when somebody put a certificate and its key there: `certificate.pem`, `key.pem` and, for peers with an authority, `authorities.pem`. */
function tlsMaterial({ layout, dimseTlsPort }: Settings): DoorOptions['tls'] {
  const read = (name: string): string | null => {
    const path = join(layout.dicomTls, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  };
  const [certificate, key, trusted] = [read('certificate.pem'), read('key.pem'), read('authorities.pem')];
  return certificate === null || key === null ? null : { port: dimseTlsPort, certificate, key, trusted };
}
