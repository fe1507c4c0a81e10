/** The routes of DICOMweb retrieval and search, for the web process to mount. */
import type { Route } from '../../access/routes.ts';
import type { RetrievalDependencies } from './dependencies.ts';
import { searchRoutes } from './query.ts';
import { retrieveRoutes } from './retrieve.ts';

export function retrievalRoutes(dependencies: RetrievalDependencies): Route[] {
  return [...searchRoutes(dependencies), ...retrieveRoutes(dependencies)];
}
