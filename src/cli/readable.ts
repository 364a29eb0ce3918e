const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In the zone of whoever reads it, as 2026-08-01 12:30:05. */
const local = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });

/** Milliseconds since 1970; null: a dash. */
export function readableTime(ms: number | null): string {
  return ms === null ? '-' : local.format(ms);
}

/** The two largest units: 0s, 12s, 3m12s, 1h05m, 2d03h. */
export function readableDuration(ms: number): string {
  const two = (count: number) => String(count).padStart(2, '0');
  const rest = (unit: number, smaller: number) => two(Math.floor((ms % unit) / smaller));
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m${rest(MINUTE, SECOND)}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h${rest(HOUR, MINUTE)}m`;
  return `${Math.floor(ms / DAY)}d${rest(DAY, HOUR)}h`;
}

/** `in 3m12s`, `3m12s ago`. */
export function readableDistance(ms: number, now: number): string {
  return ms >= now ? `in ${readableDuration(ms - now)}` : `${readableDuration(now - ms)} ago`;
}

/** One line of at most `length` characters. */
export function cutText(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
