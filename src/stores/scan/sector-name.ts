export interface SectorName {
  readonly minerId: number;
  readonly number: number;
}

/** The numbers of `s-t0<miner>-<number>`, or why it is no sector. */
export function parseSectorName(name: string): SectorName | string {
  const [, network, miner = '', number = ''] = /^s-([tf])0([1-9]\d*)-(0|[1-9]\d*)$/.exec(name) ?? [];
  if (network === undefined) return 'is not a name of a sector, such as s-t01000-1';
  // Lotus writes t on every network, and so is it looked for when it is proven.
  if (network === 'f') return `is written with f; sectors are looked for as s-t0${miner}-${number}`;
  const parsed = { minerId: Number(miner), number: Number(number) };
  if (!Number.isSafeInteger(parsed.minerId) || !Number.isSafeInteger(parsed.number)) return 'has a number above 2^53';
  return parsed;
}

const LONGEST = 100;

/** @param name a byte for each character, as names of files are bytes */
export function printableName(name: string): string {
  const text = JSON.stringify(Buffer.from(name.slice(0, 2 * LONGEST), 'latin1').toString('utf8')).slice(1, -1);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
