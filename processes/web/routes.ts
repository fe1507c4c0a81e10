/** Every route of this server, in one list: what main.ts mounts and what test/access walks. */
import type { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Uploads } from '@lazaret/console/server/desk/uploads.ts';
import { consoleRoutes } from '@lazaret/console/server/routes.ts';
import type { Route } from '@lazaret/pacs/access/routes.ts';
import { stowRoutes } from '@lazaret/pacs/reception/stow/routes.ts';
import { retrievalRoutes } from '@lazaret/pacs/retrieval/dicomweb/routes.ts';
import type { Layout } from '@lazaret/system/layout.ts';
import type { Keeper } from './authentication.ts';
import { listFiles } from './files.ts';
import { viewerRoutes } from './pages.ts';
import type { Sessions } from './sessions.ts';
import { signInRoutes } from './signin.ts';
import type { SignatureEpoch } from './signatures.ts';

export interface RouteParts {
  readonly keeper: Keeper;
  readonly sessions: Sessions;
  readonly layout: Layout;
  /** A connection that only reads. */
  readonly database: DatabaseSync;
  readonly signatures: Pick<SignatureEpoch, 'accepts'>;
  /** Of the desk page; where it is not given, one that nobody started. */
  readonly uploads?: Uploads;
}

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export function allRoutes({ keeper, sessions, layout, database, signatures, uploads = new Uploads({ folder: layout.uploads, keeper }) }: RouteParts): readonly Route[] {
  const series = database.prepare('SELECT seriesInstanceUID FROM instances JOIN series USING (seriesKey) JOIN studies USING (studyKey) WHERE sopInstanceUID = ? AND studyInstanceUID = ?');
  const archived = database.prepare('SELECT 1 FROM instances WHERE digest = ?');
  return [
    { method: 'GET', url: '/healthz', action: 'sign-in', audience: 'service', handler: () => ({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'up\n' }) },
    ...signInRoutes({ keeper, sessions, files: listFiles(folder('./signin')) }),
    ...stowRoutes({
      arriving: layout.arriving, keeper,
      seriesOf: (studyInstanceUID, sopInstanceUID) => (series.get(sopInstanceUID, studyInstanceUID) as { seriesInstanceUID: string } | undefined)?.seriesInstanceUID ?? null,
    }),
    ...retrievalRoutes({
      database, archive: layout.archive, now: Date.now,
      record: (message) => keeper.request('record', message),
      isArchived: (digest) => archived.get(digest) !== undefined,
      acceptable: (epoch) => signatures.accepts(epoch),
      recheck: (digest) => keeper.request('recheck', { digest }),
      render: (digest, request) => keeper.request('render', { digest, request }),
      damage: (digest, found) => keeper.request('damage', { digest, found }),
    }),
    ...consoleRoutes({ keeper, pages: folder('../../console/dist'), uploads, quarantine: layout.quarantine }),
    ...viewerRoutes(listFiles(folder('../../viewer/dist'))),
  ];
}
