/** Sizes, times and lengths of time as the terminal shows them. */

export function sizeOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  const exponent = Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  return `${(bytes / 1_000 ** exponent).toPrecision(3)} ${['', 'kB', 'MB', 'GB', 'TB'][exponent]}`;
}

/** Local time as ISO 8601 writes it: a date that no two countries read differently. */
export function momentOf(time: number): string {
  const local = new Date(time - new Date(time).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

export function lengthOf(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A moment as people write it at the terminal: 2026-11-24, 20261124, 2026-11-24 09:30, or ISO 8601 with a zone; local time otherwise. Null: none of these. */
export function parseMoment(text: string): number | null {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})?)?$/.exec(text.trim());
  if (match === null) return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = ''] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  // Date.parse lets 31 February pass as a day of March.
  if (!Number.isFinite(time) || (zone === '' && new Date(time).getDate() !== Number(day))) return null;
  return time;
}
