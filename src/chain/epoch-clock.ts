import type { TipSet } from './tipset.ts';

/**
 * Milliseconds of an epoch in the networks that go with the time of day, by genesis block: mainnet and calibration. A node refuses
 * blocks from the future there, and a block of the past is worth nothing. Of any other network that cannot be known.
 */
const EPOCH_MS: ReadonlyMap<string, number> = new Map([
  ['bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2', 30_000],
  ['bafy2bzacecyaggy24wol5ruvs6qm73gjibs2l2iyhcqmvi7r7a4ph7zx3yqd4', 30_000],
]);

/** The epoch that a network is in at a time, in milliseconds since 1970; not whole. */
export type EpochClock = (nowMs: number) => number;

/** Undefined where the network's epochs are not bound to the time of day. */
export function epochClock(genesis: TipSet): EpochClock | undefined {
  const epochMs = EPOCH_MS.get(genesis.key.join());
  return epochMs === undefined ? undefined : (nowMs) => (nowMs - genesis.minTimestamp * 1000) / epochMs;
}
