/**
 * Third-party notices of the built viewer. Its distribution ships none, so they are gathered from the code itself: every comment in it that
 * speaks of a licence or of copyright, once. What a bundler threw away cannot be found here.
 */
const words = /\b(?:licen[cs]ed?|copyright|\(c\) ?\d{4})\b/i;
/** Longer comments are documentation that mentions a licence in passing. */
const commentCharactersMax = 8000;

export function noticesOf(files, name, version) {
  const notices = new Map();
  for (const [path, bytes] of files) {
    if (!/\.(?:js|css)$/.test(path)) continue;
    for (const [comment] of bytes.toString('utf8').matchAll(/\/\*[\s\S]*?\*\//g)) {
      if (comment.length > commentCharactersMax || !words.test(comment)) continue;
      const text = comment.slice(2, -2).split('\n').map((line) => line.replace(/^\s*[*!]? ?/, '').trimEnd()).join('\n').trim();
      // Same text in other bundles, and sentences of documentation without a holder or a licence's name.
      if (text === '' || !/copyright|\(c\)|MIT|BSD|Apache|ISC|MPL|zlib|@licen[cs]e|SPDX/i.test(text)) continue;
      notices.set(text.replace(/\s+/g, ' '), text);
    }
  }
  const parts = [...notices.values()].toSorted((a, b) => a.localeCompare(b, 'en'));
  return `The viewer is ${name} ${version} (Open Health Imaging Foundation, MIT license: LICENSE.txt).\nIts files contain the work of others. These are the notices found in them:\n\n${parts.join(`\n\n${'-'.repeat(40)}\n\n`)}\n`;
}
