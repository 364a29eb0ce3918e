import type { Database } from '../database/database.ts';
import type { Address } from '../filecoin/address.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Chain } from './chain.ts';
import { cutoffsBetween, type Disputable, disputedDeadlines, lastClose, looksBetween, sinceClose } from './disputes.ts';
import type { TipSet } from './tipset.ts';
import { readWatch, writeWatch } from './watch-store.ts';

/** Written when a number changes, else so often, in epochs: as many looks a restart has to repeat. */
const WRITE_EPOCHS = 60;
/** More in a row do not come by chance: one epoch in a thousand has no block. */
const NULL_ROUNDS_MAX = 20;

export interface MinerWatchComponents {
  readonly logger: Logger;
  readonly db: Database;
  readonly chain: Chain;
  readonly alerts: Alerts;
}

export interface WatchedMiner {
  readonly minerId: number;
  readonly address: Address;
}

/**
 * Looks for disputes of a miner's proofs and for faults that stay. A head costs one call (StateMinerDeadlines), every third head
 * one more (ChainGetTipSetByHeight), each cutoff of a deadline one (StateMinerPartitions), the first head one more; after a time
 * without any manager three for each deadline that closed meanwhile.
 */
export class MinerWatch {
  readonly #components: MinerWatchComponents;
  readonly #miner: WatchedMiner;
  /** Any of the miner's deadlines: the grid of all others. */
  #grid: DeadlineInfo | undefined;
  #last: Disputable | undefined;
  #written: Disputable | undefined;
  #faultsSeenTo: number | undefined;
  /** Conditions of disputes by deadline, with the close of the proof. */
  readonly #disputed = new Map<number, number>();

  constructor(components: MinerWatchComponents, miner: WatchedMiner) {
    this.#components = components;
    this.#miner = miner;
  }

  async look(head: TipSet): Promise<void> {
    this.#grid ??= await this.#components.chain.provingDeadline(this.#miner.address, head.key);
    await this.#lookForDisputes(this.#grid, head);
    await this.#lookForFaults(this.#grid, head);
  }

  async #lookForDisputes(grid: DeadlineInfo, head: TipSet): Promise<void> {
    const { chain, db } = this.#components;
    this.#written ??= await readWatch(db, this.#miner.minerId);
    let before = this.#last ?? this.#written;
    for (const height of before === undefined ? [] : looksBetween(before.height, head.height, grid)) {
      const at = await chain.tipSetByHeight(height, head.key);
      const between = await this.#disputable(grid, at);
      if (before !== undefined) await this.#compare(before, between, grid, at);
      before = between;
    }
    const now = await this.#disputable(grid, head);
    if (before !== undefined) await this.#compare(before, now, grid, head);
    this.#last = now;
    this.#closeAlerts(grid, head.height);
    const written = this.#written;
    const isSame = written !== undefined && written.counts.join() === now.counts.join();
    if (isSame && Math.abs(now.height - written.height) < WRITE_EPOCHS) return;
    await writeWatch(db, this.#miner.minerId, now);
    this.#written = now;
  }

  async #disputable(grid: DeadlineInfo, { height, key }: TipSet): Promise<Disputable> {
    const { chain } = this.#components;
    // The state of a tipset is the one that its parent left, closes of the parent's epoch done; null rounds may lie between them.
    const parent =
      sinceClose(height, grid) < NULL_ROUNDS_MAX
        ? (await chain.tipSetByHeight(Math.max(height - 1, 0), key)).height
        : height - 1;
    const deadlines = await chain.deadlines(this.#miner.address, key);
    return { height: parent + 1, counts: deadlines.map(({ disputableProofCount }) => disputableProofCount) };
  }

  async #compare(before: Disputable, after: Disputable, grid: DeadlineInfo, at: TipSet): Promise<void> {
    const { minerId } = this.#miner;
    for (const deadline of disputedDeadlines(before, after, grid)) {
      const partitions = await this.#newlyFaulty(deadline, before.height, at);
      const where = partitions.length === 0 ? '' : `, partition ${partitions.join(', ')}`;
      this.#disputed.set(deadline, lastClose(deadline, after.height, grid));
      this.#components.alerts.raise(`proof-disputed/${minerId}/${deadline}`, {
        class: 'proof-disputed',
        severity: 'critical',
        minerId,
        deadline,
        text:
          `a proof of miner ${minerId}, deadline ${deadline}${where} was disputed with success between epochs ${before.height} and ` +
          `${after.height}: its sectors are faulty and a fine was paid; find out why the proof was bad before they are declared recovered`,
      });
    }
  }

  /** Partitions with more faulty sectors than before. Only said, so nothing is lost where the node does not know any more. */
  async #newlyFaulty(deadline: number, from: number, at: TipSet): Promise<number[]> {
    const { chain, logger } = this.#components;
    const faulty = async ({ key }: TipSet) => {
      return (await chain.partitions(this.#miner.address, deadline, key)).map((partition) => partition.faulty.count);
    };
    try {
      const [before, after] = await Promise.all([chain.tipSetByHeight(from, at.key).then(faulty), faulty(at)]);
      return after.flatMap((count, index) => (count > (before[index] ?? 0) ? [index] : []));
    } catch (err) {
      logger.warn({ err, minerId: this.#miner.minerId, deadline }, 'the partitions of a disputed proof are not known');
      return [];
    }
  }

  /** A dispute is over when its deadline is proven anew. */
  #closeAlerts(grid: DeadlineInfo, height: number): void {
    for (const [deadline, close] of this.#disputed) {
      if (lastClose(deadline, height, grid) <= close) continue;
      this.#disputed.delete(deadline);
      this.#components.alerts.resolve(`proof-disputed/${this.#miner.minerId}/${deadline}`);
    }
  }

  async #lookForFaults(grid: DeadlineInfo, head: TipSet): Promise<void> {
    const { chain, alerts } = this.#components;
    const { minerId, address } = this.#miner;
    const from = this.#faultsSeenTo ?? head.height - grid.policy.challengeWindow;
    for (const deadline of cutoffsBetween(from, head.height, grid)) {
      const partitions = await chain.partitions(address, deadline, head.key);
      const staying = partitions.flatMap(({ faulty, recovering }, index) => {
        const count = faulty.subtract(recovering).count;
        return count === 0 ? [] : [{ index, count }];
      });
      const condition = `faults-stay/${minerId}/${deadline}`;
      if (staying.length === 0) {
        alerts.resolve(condition);
        continue;
      }
      const sectors = staying.reduce((sum, { count }) => sum + count, 0);
      alerts.raise(condition, {
        class: 'faults-stay',
        severity: 'warning',
        minerId,
        deadline,
        text:
          `${sectors} sectors of miner ${minerId}, deadline ${deadline}, partition ${staying.map(({ index }) => index).join(', ')} ` +
          'are faulty and not declared recovered in time for the next proof: they cost a fee each day and are terminated after 42 days; check their files',
      });
    }
    this.#faultsSeenTo = head.height;
  }
}
