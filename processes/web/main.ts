/**
 * The web process: HTTPS, the sign-in page, DICOMweb, the viewer and the console.
 *
 * SECURITY: faces people and systems, so assume that it can be taken over. It decodes HTTP, multipart headers and JSON, never a Data Set; it
 * writes new files into arriving/ and nothing else that counts; it reads the index and archived files; it knows no password and no token
 * (the keeper compares them) and makes no outward connection.
 */
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { consoleRoutes } from '@lazaret/console/server/routes.ts';
import type { Route } from '@lazaret/pacs/access/routes.ts';
import { stowRoutes } from '@lazaret/pacs/reception/stow/routes.ts';
import { retrievalRoutes } from '@lazaret/pacs/retrieval/dicomweb/routes.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { runProcess, type Running, type Settings } from '@lazaret/system/process.ts';
import { Authentication } from './authentication.ts';
import { serverCertificate } from './certificate.ts';
import { listFiles } from './files.ts';
import { viewerRoutes } from './pages.ts';
import { createServer, stopServer } from './server.ts';
import { Sessions } from './sessions.ts';
import { SignatureEpoch } from './signatures.ts';
import { signInRoutes } from './signin.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function main(settings: Settings): Promise<Running> {
  const { layout } = settings;
  const keeper = await connectChannel(layout.sockets.web);
  const certificate = serverCertificate(layout.tls, settings.host, Date.now());
  const sessions = new Sessions(Date.now);
  const database = new DatabaseSync(layout.database, { readOnly: true });
  const series = database.prepare('SELECT seriesInstanceUID FROM instances JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE sopInstanceUID = ? AND studyInstanceUID = ?');
  const signatures = new SignatureEpoch(keeper);
  const routes: Route[] = [
    { method: 'GET', url: '/healthz', action: 'sign-in', audience: 'service', handler: () => ({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'up\n' }) },
    ...signInRoutes({ keeper, sessions, files: listFiles(folder('./signin')) }),
    ...stowRoutes({
      arriving: layout.arriving, keeper,
      seriesOf: (studyInstanceUID, sopInstanceUID) => (series.get(sopInstanceUID, studyInstanceUID) as { seriesInstanceUID: string } | undefined)?.seriesInstanceUID ?? null,
    }),
    ...retrievalRoutes({
      database, archive: layout.archive, now: Date.now,
      record: (message) => keeper.request('record', message),
      acceptable: (epoch) => signatures.accepts(epoch),
      recheck: (digest) => keeper.request('recheck', { digest }),
      damage: (digest, found) => keeper.request('damage', { digest, found }),
    }),
    ...consoleRoutes({ keeper, pages: folder('../../console/dist') }),
    ...viewerRoutes(listFiles(folder('../../viewer/dist'))),
  ];
  const app = await createServer({
    certificate,
    authentication: new Authentication(keeper, sessions, Date.now),
    routes,
    log: (line) => void process.stderr.write(`[web] ${line}\n`),
  });
  await app.listen({ host: settings.host, port: settings.httpsPort });
  const address = app.server.address();
  // Without the keeper nothing can be admitted or put on the record: end, and be started again with the next one.
  void keeper.closed.then(() => process.exit(1));
  return {
    ready: { https: { host: settings.host, port: typeof address === 'object' && address !== null ? address.port : settings.httpsPort }, certificate: { sha256: certificate.fingerprint, selfSigned: certificate.selfSigned, validTo: certificate.validTo } },
    async stop() {
      signatures.stop();
      await stopServer(app);
      database.close();
    },
  };
}

await runProcess(main);
