/** The one place that says yes (DESIGN: access). HTTP routes, DIMSE services and keeper requests all end here. */
import { permitted, type Action, type Actor, type Role } from './actions.ts';

export interface Decision {
  readonly allowed: boolean;
  /** For the audit log and the one who asked; says nothing about what exists. */
  readonly reason: string;
}

/** May `actor` do `action`? */
export function decide(actor: Actor, action: Action): Decision {
  if (action === 'sign-in') return { allowed: true, reason: 'open to everyone' };
  if (actor.kind === 'anonymous') return { allowed: false, reason: 'sign in, or send a token' };
  // Whoever has a shell as the service's own account holds its files already; the terminal's socket is mode 0600.
  if (actor.kind === 'terminal') return { allowed: true, reason: 'terminal of the service account' };
  // Bringing in a medium, deciding on held objects and administering are acts of a person: the record must name somebody who can be asked.
  if (actor.kind !== 'person' && (action === 'import' || action === 'decide' || action === 'administer')) return { allowed: false, reason: `only a person may ${action}` };
  const role = actor.roles.find((each) => Object.hasOwn(permitted, each) && permitted[each].includes(action));
  if (role !== undefined) return { allowed: true, reason: `role ${role}` };
  return { allowed: false, reason: `${nameRoles(actor.roles)} may not ${action}` };
}

function nameRoles(roles: readonly Role[]): string {
  return roles.length === 0 ? 'an account without a role' : `role ${roles.join(', ')}`;
}
