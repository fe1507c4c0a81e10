/**
 * The web process: HTTPS, the sign-in page, DICOMweb, the viewer and the console.
 *
 * SECURITY: faces people and systems, so assume that it can be taken over. It decodes HTTP, multipart headers and JSON, never a Data Set; it
 * writes new files into arriving/ and nothing else that counts; it reads the index and archived files; it knows no password and no token
 * (the keeper compares them) and makes no outward connection.
 */
import { DatabaseSync } from 'node:sqlite';
import { Uploads } from '@lazaret/console/server/desk/uploads.ts';
import { connectChannel } from '@lazaret/system/channel.ts';
import { runProcess, type Running, type Settings } from '@lazaret/system/process.ts';
import { Authentication } from './authentication.ts';
import { serverCertificate } from './certificate.ts';
import { allRoutes } from './routes.ts';
import { createServer, stopServer } from './server.ts';
import { Sessions } from './sessions.ts';
import { SignatureEpoch } from './signatures.ts';

async function main(settings: Settings): Promise<Running> {
  const { layout } = settings;
  const keeper = await connectChannel(layout.sockets.web);
  const certificate = serverCertificate(layout.tls, settings.host, Date.now());
  const sessions = new Sessions(Date.now);
  const database = new DatabaseSync(layout.database, { readOnly: true });
  const signatures = new SignatureEpoch(keeper);
  const uploads = new Uploads({ folder: layout.uploads, keeper });
  await uploads.start();
  const routes = allRoutes({ keeper, sessions, layout, database, signatures, uploads });
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
      uploads.stop();
      await stopServer(app);
      database.close();
    },
  };
}

await runProcess(main);
