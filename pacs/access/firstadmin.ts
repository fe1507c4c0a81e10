/**
 * The first administrator. While there is none, the keeper makes a fresh one-time code at each start and reports it in its ready line;
 * the supervisor prints it on the terminal. Whoever reads it there names the first administrator on the sign-in page.
 */
import type { AccessStore } from './store.ts';

/** What the keeper's ready line carries as `firstAdministrator`; null once an administrator exists. */
export async function firstAdministrator(store: AccessStore): Promise<{ readonly code: string; readonly text: string } | null> {
  const code = await store.firstAdministratorCode();
  if (code === null) return null;
  return { code, text: `No administrator yet. Open /sign-in and make one with this one-time code (valid for a day, once): ${code}` };
}
