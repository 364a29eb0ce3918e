import type { Chain } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import { type DeadlineInfo, newDeadline } from '../filecoin/deadline.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { createRun, runExists } from './run-store.ts';

/**
 * The deadlines to prove now: from Challenge + confidence until Close, so the open one and, from its challenge on, the next.
 */
export function deadlinesToProve(current: DeadlineInfo, challengeConfidence: number): DeadlineInfo[] {
  const { policy, periodStart, index, currentEpoch } = current;
  const next =
    index + 1 < policy.periodDeadlines
      ? newDeadline(periodStart, index + 1, currentEpoch, policy)
      : newDeadline(periodStart + policy.provingPeriod, 0, currentEpoch, policy);
  return [current, next].filter(
    (deadline) => currentEpoch >= deadline.challenge + challengeConfidence && currentEpoch < deadline.close,
  );
}

/** Stores the partitions of a deadline and its challenge as a run; nothing happens when the run is there. */
export async function openRun(
  { clock, logger, db, chain }: PosterComponents,
  miner: MinerSettings,
  deadline: DeadlineInfo,
  head: TipSet,
): Promise<void> {
  const key = { minerId: miner.minerId, periodStart: deadline.periodStart, deadline: deadline.index };
  if (await runExists(db, key)) return;
  const [randomness, info, partitions] = await Promise.all([
    challengeRandomness(chain, miner.address, deadline.challenge, head.key),
    chain.minerInfo(miner.address, head.key),
    chain.partitions(miner.address, deadline.index, head.key),
  ]);
  const posted = head.height < deadline.open ? Bitfield.empty : await settledPosts(chain, miner, deadline, head);
  // Not the chain's active sectors: those leave out the ones never proven yet. Never by expiration: a sector expires at Close.
  const toProve = partitions
    .map((partition, index) => ({
      index,
      sectors: partition.live.subtract(partition.faulty).union(partition.recovering),
      recovering: partition.recovering,
      isPosted: posted.has(index),
    }))
    .filter((partition) => !partition.sectors.isEmpty);
  await createRun(
    db,
    {
      ...key,
      challenge: deadline.challenge,
      open: deadline.open,
      close: deadline.close,
      proofType: info.windowPoStProofType,
      randomness,
      partitions: toProve,
    },
    clock.now(),
  );
  const sectors = toProve.reduce((sum, partition) => sum + Number(partition.sectors.count), 0);
  const level = toProve.length === 0 ? 'debug' : 'info';
  logger[level]({ ...key, partitions: toProve.length, sectors, height: head.height }, 'running window post');
}

/** Partitions posted in this deadline, where the database that knew of them was lost. A post that may yet be undone does not count. */
async function settledPosts(
  chain: Chain,
  miner: MinerSettings,
  deadline: DeadlineInfo,
  head: TipSet,
): Promise<Bitfield> {
  const settled = await chain.tipSetByHeight(Math.max(head.height - miner.messageConfidence, 0), head.key);
  if (settled.height < deadline.open) return Bitfield.empty;
  const deadlines = await chain.deadlines(miner.address, settled.key);
  return deadlines[deadline.index]?.postSubmissions ?? Bitfield.empty;
}
