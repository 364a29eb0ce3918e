import { EPOCH_DURATION_SECONDS } from '../filecoin/policy.ts';
import type { TipSet } from './tipset.ts';

/**
 * Genesis blocks of mainnet and calibration, whose epochs go with the time of day: a node refuses blocks from the future there, and
 * blocks of the past are worth nothing. Of any other network that cannot be known.
 */
const PUBLIC: readonly string[] = [
  'bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2',
  'bafy2bzacecyaggy24wol5ruvs6qm73gjibs2l2iyhcqmvi7r7a4ph7zx3yqd4',
];

/** The epoch that a network is in at a time, in milliseconds since 1970; not whole. */
export type EpochClock = (nowMs: number) => number;

/** Undefined where the network's epochs are not bound to the time of day. */
export function epochClock(genesis: TipSet): EpochClock | undefined {
  if (!PUBLIC.includes(genesis.key.join())) return undefined;
  return (nowMs) => (nowMs / 1000 - genesis.minTimestamp) / EPOCH_DURATION_SECONDS;
}
