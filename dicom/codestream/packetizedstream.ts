/** Packets of an elementary stream (PES, ISO/IEC 13818-1 §2.4.3.6; ISO/IEC 11172-1 §2.4.3.3 for those without flags). */

/**
 * Length of the header of a PES packet that begins with `head` (start code included), stuffing included; the text says what is wrong with it.
 * `extra` are bytes of private data in it. Stuffing is FF, so that it says nothing.
 */
export function headerOf(head: Uint8Array): { readonly length: number; readonly extra: number } | string {
  const third = head[6] ?? 0;
  if (third >> 6 === 2) return headerWithFlags(head);
  // MPEG-1: stuffing, buffer size, time stamps.
  let at = 6;
  while (head[at] === 0xff && at < 6 + 16) at += 1;
  if ((head[at] ?? 0) >> 6 === 1) at += 2;
  const kind = (head[at] ?? 0) >> 4;
  if (kind === 2) return { length: at + 5, extra: 0 };
  if (kind === 3) return { length: at + 10, extra: 0 };
  return head[at] === 0x0f ? { length: at + 1, extra: 0 } : 'a packet has a header that is none';
}

function headerWithFlags(head: Uint8Array): { readonly length: number; readonly extra: number } | string {
  const [scrambled, flags, length] = [(head[6]! >> 4) & 3, head[7] ?? 0, head[8] ?? 0];
  if (scrambled !== 0) return 'a packet is scrambled';
  const end = 9 + length;
  if (head.length < Math.min(end, 64)) return 'a packet header is cut off';
  let at = 9;
  if (flags >> 6 === 1) return 'a packet has a time stamp that is none';
  at += flags >> 6 === 2 ? 5 : flags >> 6 === 3 ? 10 : 0;
  if ((flags & 0x20) !== 0) at += 6;
  if ((flags & 0x10) !== 0) at += 3;
  if ((flags & 0x08) !== 0) at += 1;
  if ((flags & 0x04) !== 0) at += 1;
  if ((flags & 0x02) !== 0) at += 2;
  let extra = 0;
  if ((flags & 0x01) !== 0) {
    const extension = head[at] ?? 0;
    at += 1;
    if ((extension & 0x80) !== 0) {
      at += 16;
      extra += 16;
    }
    if ((extension & 0x40) !== 0) {
      extra += head[at] ?? 0;
      at += 1 + (head[at] ?? 0);
    }
    if ((extension & 0x20) !== 0) at += 2;
    if ((extension & 0x10) !== 0) at += 2;
    if ((extension & 0x01) !== 0) {
      const more = (head[at] ?? 0) & 0x7f;
      extra += more;
      at += 1 + more;
    }
  }
  if (at > end) return 'a packet header is shorter than what it holds';
  for (let index = at; index < Math.min(end, head.length); index += 1) if (head[index] !== 0xff) return 'the stuffing of a packet header holds something';
  return { length: end, extra };
}
