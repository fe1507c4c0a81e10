/**
 * Text that came with an object, made harmless to read (THREATS C4). Nothing is refused for its characters: 5 % of honest objects
 * contain < or >. Markup cannot happen (React writes text nodes); what remains are characters that are invisible, that change
 * the order in which others are read, or that pile up. They are shown as marks, so that the reader sees that something is there.
 */

/** Longest text shown in one place; a tag value may be 4 GiB. */
export const plainCharactersMax = 400;
/** Honest scripts stack at most a handful of marks on one letter (Vietnamese 2, Tibetan 4). */
const combiningMarksMax = 4;

const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** Invisible ones that no name needs. Zero width (non-)joiner is needed between letters in Persian and Indic scripts. */
const invisible = /[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;
/** U+FFFD: every font has it, unlike the pictures of control characters. */
const mark = '\ufffd';
const letter = /[\p{L}\p{M}]/u;

/** `text` for display: controls, bidirectional overrides, invisible characters and stacks of marks made visible, length bounded. */
export function plain(text: string, charactersMax = plainCharactersMax): string {
  let shown = '';
  let count = 0;
  let marks = 0;
  let previous = '';
  for (const character of text.toWellFormed()) {
    if (count >= charactersMax) return `${shown}…`;
    const code = character.codePointAt(0) ?? 0;
    const isMark = /\p{M}/u.test(character);
    marks = isMark ? marks + 1 : 0;
    count += 1;
    if (code >= 0x09 && code <= 0x0d) shown += ' ';
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) shown += mark;
    else if (bidi.test(character) || invisible.test(character)) shown += mark;
    else if ((code === 0x200c || code === 0x200d) && !letter.test(previous)) shown += mark;
    else if (!isMark || marks <= combiningMarksMax) shown += character;
    previous = character;
  }
  return shown;
}

/** True when `plain` would show something other than `text`: worth a word to the reader. */
export function isOdd(text: string): boolean {
  return plain(text, Number.POSITIVE_INFINITY) !== text;
}

/**
 * A Person Name (PS3.5 §6.2.1) as people write it: "DOE^JANE^^DR" is "DOE, JANE (DR)"; of several component groups the first with
 * its ideographic one behind it.
 */
export function personName(value: string): string {
  const groups = value.split('=').slice(0, 2).map(nameGroup).filter((group) => group !== '');
  return plain(groups.length < 2 ? (groups[0] ?? '') : `${groups[0]} · ${groups[1]}`, 160);
}

function nameGroup(group: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group.split('^').map((part) => part.trim());
  const first = [given, middle].filter((part) => part !== '').join(' ');
  const title = [prefix, suffix].filter((part) => part !== '').join(', ');
  const name = [family, first].filter((part) => part !== '').join(', ');
  return title === '' ? name : `${name} (${title})`.trim();
}
