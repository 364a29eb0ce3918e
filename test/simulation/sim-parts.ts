import type { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { decide } from '../../src/poster/decide.ts';
import type { Pace, PartitionFacts, PostPolicy } from '../../src/poster/facts.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';
import type { Random } from '../chaos/random.ts';
import type { Plan } from './plan.ts';
import type { SimChain } from './sim-chain.ts';
import type { SimMaster } from './sim-master.ts';
import type { SimNode } from './sim-node.ts';
import type { SimOutbox } from './sim-outbox.ts';
import type { Row } from './sim-rows.ts';

/** What is judged; a mutation replaces it to show that the oracle sees it. */
export interface Judgement {
  readonly decide: typeof decide;
}

/** What outlives a process of the manager, and how it reaches the rest of its world. */
export interface SimParts {
  readonly plan: Plan;
  readonly random: Random;
  readonly node: SimNode;
  readonly chain: SimChain;
  readonly master: SimMaster;
  readonly outbox: SimOutbox;
  readonly judgement: Judgement;
  /** By the deadline's open. Durable. */
  readonly rows: Map<number, Row>;
  /** Recoveries. Durable. */
  readonly declared: {
    readonly partition: number;
    readonly bits: number;
    readonly open: number;
    readonly messageId: string;
  }[];
  /** What happens, for people. */
  readonly tell: (text: () => string) => void;
  readonly onGivenUp: (run: Run, partition: RunPartition, skipped: Bitfield) => void;
}

/** What one process remembers of a run, by partition index. */
export interface SimMemory {
  readonly checks: Map<number, NonNullable<PartitionFacts['checks']>>;
  readonly pausedUntil: Map<number, number>;
  readonly looksAgain: Map<number, number>;
  /** In a row. */
  readonly failures: Map<number, number>;
}

export const postPolicy = (plan: Plan): PostPolicy => ({
  submitConfidence: plan.submitConfidence,
  messageConfidence: plan.messageConfidence,
  maxPartitions: plan.maxPartitions,
  recheckInterval: 4,
  maxSkipShare: MAX_SKIP_SHARE,
});

export const paceOf = (plan: Plan): Pace => ({
  expected: plan.proveEpochs,
  slow: plan.proveEpochs + 1,
  slots: plan.partitions,
  ahead: 0,
});

export const MAX_SKIP_SHARE = 0.2;
