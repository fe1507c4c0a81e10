/**
 * The first administrator. While there is none, the keeper makes a fresh one-time code at each start and reports it in its ready line;
 * the supervisor prints it on the terminal. Whoever reads it there names the first administrator on the sign-in page.
 */
import type { AccessStore } from './store.ts';

/** What the keeper's ready line carries as `firstAdministratorCode`; undefined once there is an administrator. */
export function firstAdministratorCode(store: AccessStore): string | undefined {
  return store.firstAdministratorCode() ?? undefined;
}
