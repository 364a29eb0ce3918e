import type { Kind } from './kind.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A whole number of bytes. */
export const byteCount: Kind<number> = {
  accepts: "a size such as '72GiB' or '512MiB', or a number of bytes",
  read: (found) => {
    const match = typeof found === 'string' ? /^(\d+(?:\.\d+)?) ?([KMGT]iB)$/.exec(found) : null;
    const unit = UNITS[match?.[2] ?? ''];
    const bytes = unit === undefined ? found : Math.round(Number(match?.[1]) * unit);
    return typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
  },
};
