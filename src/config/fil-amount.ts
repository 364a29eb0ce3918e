import { type Kind, KindMismatch } from './kind.ts';

const ATTO_DIGITS: Readonly<Record<string, number>> = {
  fil: 18,
  millifil: 15,
  microfil: 12,
  nanofil: 9,
  nfil: 9,
  picofil: 6,
  femtofil: 3,
  attofil: 0,
  afil: 0,
};

/** attoFIL of a text such as `5 nanoFIL` or `0.07FIL`; undefined when it is none or finer than one attoFIL. */
export function parseFilAmount(text: string): bigint | undefined {
  const match = /^(\d+)(?:\.(\d+))?\s*([a-z]+)$/i.exec(text.trim());
  const digits = ATTO_DIGITS[match?.[3]?.toLowerCase() ?? ''];
  if (match === null || digits === undefined) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > digits) return undefined;
  return BigInt(`${match[1]}${fraction.padEnd(digits, '0')}`);
}

/** attoFIL. A number without its unit is refused, since FIL and attoFIL are both in use; 0 needs none. */
export const filAmount: Kind<bigint> = {
  accepts: "an amount with its unit such as '5 nanoFIL', '0.07 FIL' or '100 attoFIL'",
  read: (found) => {
    if (found === 0 || (typeof found === 'string' && /^0+$/.test(found.trim()))) return 0n;
    if (typeof found === 'number' || (typeof found === 'string' && /^[\d.]+$/.test(found.trim()))) {
      throw new KindMismatch('the unit is missing');
    }
    return typeof found === 'string' ? parseFilAmount(found) : undefined;
  },
};
