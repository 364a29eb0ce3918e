import { isOpen } from '../../filecoin/deadline.ts';
import type { TipSet } from './chain/tipset.ts';
import { type MinerState, sectorsToProve, upcomingDeadline } from './state/miner-state.ts';

/** Lengths in epochs. */
export interface QuietInit {
  /** The chain runs at its normal pace this long before a deadline with something to prove opens. */
  readonly beforeOpen: number;
  /** And this long after a message landed, so that its confidence is reached at a normal pace. */
  readonly afterMessage: number;
}

/** The challenge is 20 epochs before; a few more for a manager that has to catch up. */
export const defaultQuiet: QuietInit = { beforeOpen: 25, afterMessage: 12 };

/** Recoveries can be declared until 70 epochs before a deadline opens; this long before that they are waited for. */
const BEFORE_CUTOFF = 20;

/** Whether nobody has anything to do in the epoch after `head`, so that it may pass fast. `lastMessage` is a height. */
export function isQuiet(head: TipSet, lastMessage: number, init: QuietInit): boolean {
  if (head.height < lastMessage + init.afterMessage) return false;
  return [...head.next.miners.values()].every((miner) =>
    miner.deadlines.every((_, index) => isDeadlineQuiet(miner, index, head.height + 1, init)),
  );
}

function isDeadlineQuiet(miner: MinerState, index: number, epoch: number, init: QuietInit): boolean {
  const { partitions = [], posted } = miner.deadlines[index] ?? {};
  if (partitions.length === 0) return true;
  const info = upcomingDeadline(miner, index, epoch);
  // Nobody could prove it this time.
  if (info.challenge < miner.createdAt) return true;
  const hasUnrecovered = partitions.some(({ faulty, recovering }) => !faulty.subtract(recovering).isEmpty);
  if (hasUnrecovered && epoch >= info.faultCutoff - BEFORE_CUTOFF && epoch < info.faultCutoff) return false;
  const hasWork = partitions.some(
    (partition, number) => !sectorsToProve(partition).isEmpty && !(isOpen(info) && posted?.has(number)),
  );
  return !hasWork || epoch < info.open - init.beforeOpen;
}
