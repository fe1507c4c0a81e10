/**
 * Person names (VR PN) for matching. PS3.4 §C.2.2.2.1 lets a server match names without regard to case, accents and the like;
 * both sides are folded the same way and compared literally.
 */

/** Longest text that a matching column holds, in UTF-16 units: every VR that is matched is at most 64 characters a component group (PS3.5 §6.2), names have three groups. */
export const matchingTextMax = 256;

/** Case, accents and width out; component delimiters and runs of spaces become one space. `*` and `?` pass. */
export function foldText(text: string): string {
  // Printable ASCII, the usual case, needs no normalisation.
  const plain = /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : text.normalize('NFKD').replace(/\p{M}+/gu, '').toUpperCase().toLowerCase();
  return plain.replace(/[\^\s]+/g, ' ').trim();
}

/**
 * The matching column of a name: its component groups (alphabetic, ideographic, phonetic) folded, each between '=':
 * `=yamada taro=山田 太郎=`. '' for no name.
 */
export function foldName(groups: readonly string[]): string {
  const folded = groups.map(foldText).filter((group) => group !== '');
  return folded.length === 0 ? '' : `=${folded.join('=')}=`.slice(0, matchingTextMax);
}

/** Names that have an index of their beginnings (studyNames), by their matching column. */
export const nameKinds: Readonly<Record<string, number>> = { patientName: 1, referringPhysicianName: 2 };
/** Most beginnings kept of one name. Real names have two to six words in each of at most three groups. */
const beginningsMax = 16;

/** What a folded name (foldName) may begin with: each of its groups, from each of their words on. */
export function beginningsOf(foldedName: string): readonly string[] {
  const found = new Set<string>();
  for (const group of foldedName.split('=')) {
    for (let at = 0; at >= 0 && at < group.length; at = group.indexOf(' ', at) + 1 || -1) {
      if (found.size < beginningsMax) found.add(group.slice(at));
    }
  }
  return [...found];
}
