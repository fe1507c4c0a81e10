/** Files of a tar archive (POSIX ustar and pax paths), as npm packs them. Refuses names that could leave a folder. */
export function* readTar(bytes) {
  let path = null;
  for (let at = 0; at + 512 <= bytes.length;) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) return;
    const text = (from, length) => header.toString('latin1', from, from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const type = text(156, 1);
    const start = at + 512;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > bytes.length) throw new Error('the archive is damaged');
    const content = bytes.subarray(start, start + size);
    at = start + Math.ceil(size / 512) * 512;
    if (type === 'x') {
      path = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString('utf8'))?.[1] ?? null;
      continue;
    }
    const prefix = text(345, 155);
    const name = path ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
    path = null;
    if (type !== '0' && type !== '') continue;
    if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) throw new Error(`the archive holds a file named ${JSON.stringify(name)}`);
    yield [name, content];
  }
}
