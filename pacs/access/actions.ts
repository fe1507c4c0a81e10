/**
 * Who may do what. Every HTTP route and DIMSE service declares one Action; decide.ts is the only place that says yes.
 */
export const actions = ['read', 'annotate', 'write-bytes', 'import', 'decide', 'administer', 'sign-in'] as const;
/**
 * `import` is bringing in a medium at the desk and saying whose it is: bytes that come in by the importer, through the quarantine, under a person's name.
 * `sign-in` is what an unauthenticated person may do: fetch the pages' static files, sign in, ask whether the system is up.
 */
export type Action = (typeof actions)[number];

export const roles = ['viewer', 'sender', 'desk', 'reviewer', 'security', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** Who asks. `peer` is a registered DICOM asset, `person` a signed-in user, `token` a bearer token. */
export interface Actor {
  readonly kind: 'person' | 'token' | 'peer' | 'anonymous' | 'terminal';
  readonly name: string;
  readonly roles: readonly Role[];
  readonly address: string;
}

/** The table: what each role may do. An administrator administers; that alone neither opens images nor decides on held objects. */
export const permitted: Readonly<Record<Role, readonly Action[]>> = {
  viewer: ['read'],
  sender: ['write-bytes'],
  // Whoever sits at the import desk.
  desk: ['read', 'import'],
  reviewer: ['read', 'import', 'decide'],
  // One of the two people who may release what was found malicious.
  security: ['read', 'decide'],
  administrator: ['read', 'administer'],
};
