import ms, { type StringValue } from 'ms';
import type { Kind } from './kind.ts';

/**
 * Milliseconds of a duration as people and Go write it: `5m`, `2days`, `1h0m0s`, `1m 30s`, `0.5s`. The ms package reads one
 * number with its unit, so the text is cut into those. Undefined for anything else, a bare number included.
 */
export function parseDuration(text: string): number | undefined {
  const parts = text.trim().match(/\d+(?:\.\d+)?\s*[a-z]+/gi) ?? [];
  if (parts.length === 0 || parts.join('').replaceAll(/\s/g, '') !== text.replaceAll(/\s/g, '')) return undefined;
  let total = 0;
  for (const part of parts) {
    const length: number | undefined = ms(part as StringValue);
    if (length === undefined) return undefined;
    total += length;
  }
  return Math.round(total);
}

/** Milliseconds, at least one: nothing that is repeated or waited for may have length zero. */
export const duration: Kind<number> = {
  accepts: "a duration such as '15s', '10m', '1h30m' or '2days'",
  read: (found) => {
    const length = typeof found === 'string' ? parseDuration(found) : undefined;
    return length !== undefined && length >= 1 ? length : undefined;
  },
};

/** Milliseconds; zero has a meaning of its own. */
export const durationOrZero: Kind<number> = {
  accepts: "a duration such as '15s', '10m' or '2days', or '0s'",
  read: (found) => (typeof found === 'string' ? parseDuration(found) : undefined),
};
