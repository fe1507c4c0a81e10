/** Media types with parameters (RFC 9110 §8.3.1), as PS3.18 §8.7 uses them. */

export interface MediaType {
  /** Lower case, such as `multipart/related`. */
  readonly type: string;
  /** Names in lower case, values as sent. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest value of a Content-Type that is looked at: the longest legal one (boundary of 70, type, start of 256) stays under it. */
const lengthMax = 1024;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/**
 * Quirk: many user agents send `type=application/dicom` without quotes though "/" is no token character (PS3.18's own older examples did).
 * A slash inside an unquoted value cannot be mistaken for anything else.
 */
const tokenOrSlash = /^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$/;

/** Parses a Content-Type. Null when it is not one, or says one parameter twice: whoever reads the other one would see something else. */
export function parseMediaType(text: string): MediaType | null {
  if (text.length > lengthMax) return null;
  let at = text.indexOf(';');
  const type = (at < 0 ? text : text.slice(0, at)).trim().toLowerCase();
  const [main = '', sub = '', more] = type.split('/');
  if (!token.test(main) || !token.test(sub) || more !== undefined) return null;
  const parameters = new Map<string, string>();
  while (at >= 0 && at < text.length) {
    const rest = text.slice(at + 1);
    if (rest.trim() === '') break;
    const match = /^[ \t]*([^=;\s"]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))[ \t]*(?=;|$)/.exec(rest);
    if (match === null) return null;
    const name = match[1]!.toLowerCase();
    const value = match[2] === undefined ? match[3]! : match[2].replace(/\\(.)/g, '$1');
    if (!token.test(name) || parameters.has(name) || (match[2] === undefined && !tokenOrSlash.test(value))) return null;
    parameters.set(name, value);
    at += 1 + match[0].length;
  }
  return { type, parameters };
}

/** RFC 2046 §5.1.1: 1 to 70 of these, the last not a space. */
export function isBoundary(text: string): boolean {
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(text);
}
