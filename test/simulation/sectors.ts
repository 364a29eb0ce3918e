import { Bitfield } from '../../src/filecoin/bitfield.ts';

/** Sectors of one partition are bits here and numbers to the poster: partition (of all the miner's) × 32 + bit. */
const SPAN = 32;

export const numberOf = (partition: number, sector: number): number => partition * SPAN + sector;

export const sectorOf = (number: number): number => number % SPAN;

export function bitsOf(sectors: Iterable<number>): number {
  let bits = 0;
  for (const number of sectors) bits |= 1 << sectorOf(number);
  return bits;
}

export function numbersOf(partition: number, bits: number): number[] {
  const numbers: number[] = [];
  for (let sector = 0; bits >> sector !== 0; sector++)
    if (bits & (1 << sector)) numbers.push(numberOf(partition, sector));
  return numbers;
}

export const fieldOf = (partition: number, bits: number): Bitfield =>
  bits === 0 ? Bitfield.empty : Bitfield.of(numbersOf(partition, bits));

export function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
