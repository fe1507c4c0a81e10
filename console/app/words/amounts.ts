/** Times and sizes as people say them. */

const units = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** 523 bytes, 4.1 KB, 526 KB, 2.1 GB: powers of 1,024, three digits. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? '1 byte' : `${whole(bytes)} bytes`;
  return `${value < 10 ? value.toFixed(1) : whole(Math.round(value))} ${units[unit]}`;
}

/** The same where there is little room: 523 B, 4.1 KB. */
export function sizeShort(bytes: number): string {
  return bytes < 1000 ? `${whole(bytes)} B` : size(bytes);
}

/** 1,234,567 */
export function whole(value: number): string {
  return Math.trunc(value).toLocaleString('en-GB');
}

/** `1 object`, `3 objects`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`;
}

/** How long ago: "just now", "4 min", "3 h 12 min", "5 days". A door's clock may run ahead: that is "just now" as well. */
export function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 || hours >= 10 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return counted(days, 'day');
}

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const momentFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** 03:12:44 */
export const clock = (at: number): string => clockFormat.format(at);
/** 24 Nov 2026, 03:12:44 */
export const moment = (at: number): string => momentFormat.format(at);
/** "Today", "Yesterday" or "Fri 20 Nov". */
export function day(at: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
  return days === 0 ? 'Today' : days === 1 ? 'Yesterday' : dayFormat.format(at);
}
function startOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
