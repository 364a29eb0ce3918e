/** Milliseconds since 1970 as 2026-08-01T12:30:05.000Z. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
