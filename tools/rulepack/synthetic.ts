/** Rules as a large set of signatures has them, for measurements: bytes, words and expressions that occur nowhere. The same for the same count. */

/** Source of `count` rules with two patterns each, of the kinds that the built-in pack has: half bytes, a third words, the rest expressions. */
export function syntheticRules(count: number): string {
  let state = 0x9e3779b9;
  const next = (below: number): number => {
    // xorshift32: Marsaglia, Xorshift RNGs, 2003.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const hex = (): string => `{ ${Array.from({ length: 12 }, () => next(256).toString(16).padStart(2, '0')).join(' ')} }`;
  const letters = (length: number): string => Array.from({ length }, () => String.fromCharCode(97 + next(26))).join('');
  const pattern = (index: number): string => (index % 6 < 3 ? hex() : index % 6 < 5 ? `"${letters(14)}"` : `/${letters(8)}[0-9]{1,4}${letters(6)}/`);
  return Array.from({ length: count }, (_, index) => [
    `rule synthetic_${index} {`, '  meta:', '    code = "malware-signature"', '    place = "anywhere"', '    text = "a pattern for measurements"',
    '  strings:', `    $a = ${pattern(index)}`, `    $b = ${pattern(index + 1)}`, '  condition:', '    any of them', '}', '',
  ].join('\n')).join('\n');
}
