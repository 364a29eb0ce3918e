import { blockCid } from '../../src/filecoin/cid.ts';

/** Of 32 GiB. */
export const PARTITION_SECTORS = 2_349;
export const PROOF_32GIB = 13;
export const SECTOR_BYTES = 2 ** 35;
export const DEADLINES = 48;
export const MINER = 1_000;
export const GENESIS_S = 1_700_000_000;

/** Every tenth number is missing, so that fields of sectors have gaps as real ones do. */
export const sectorNumber = (index: number): number => index + Math.floor(index / 9);

export function partitionSectors(deadline: number, partition: number, partitions: number): number[] {
  const first = (deadline * partitions + partition) * PARTITION_SECTORS;
  return Array.from({ length: PARTITION_SECTORS }, (_, index) => sectorNumber(first + index));
}

export const tipSetCid = (height: number): string => blockCid(Buffer.from(`block ${height}`)).toString();
