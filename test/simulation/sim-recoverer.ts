import { deadlineAt } from '../../src/filecoin/deadline.ts';
import { declarableDeadlines, type Recoverable, recoveryMessages } from '../../src/poster/recoveries.ts';
import { bitsOf, fieldOf } from './sectors.ts';
import { NodeAway } from './sim-node.ts';
import type { SimParts } from './sim-parts.ts';

const LOOK_INTERVAL = 8;

/** Declares what can be read again; its declarations are durable. */
export class SimRecoverer {
  readonly #parts: SimParts;
  #lookedAt = 0;

  constructor(parts: SimParts) {
    this.#parts = parts;
  }

  onHead(height: number): void {
    if (height < this.#lookedAt + LOOK_INTERVAL) return;
    try {
      this.#look(height);
      this.#lookedAt = height;
    } catch (error) {
      if (!(error instanceof NodeAway)) throw error;
    }
  }

  #look(height: number): void {
    const { node, chain, plan, outbox, declared } = this.#parts;
    const { state } = chain.at(height);
    if (state.faulty.every((bits) => bits === 0)) return;
    node.ask('partitions');
    const current = deadlineAt(plan.start, height, plan.policy);
    for (const deadline of declarableDeadlines(current)) {
      const found: Recoverable[] = [];
      for (let index = 0; index < plan.partitions; index++) {
        const partition = deadline.index * plan.partitions + index;
        const pending = declared
          .filter((one) => one.partition === partition && one.open === deadline.open)
          .filter((one) => outbox.fact(one.messageId).state === 'pending')
          .reduce((bits, one) => bits | one.bits, 0);
        const faulty = (state.faulty[partition] ?? 0) & ~(state.recovering[partition] ?? 0) & ~pending;
        const bits = faulty & ~plan.stores.unreadable(partition, node.epoch);
        if (bits === 0) continue;
        found.push({
          deadline: deadline.index,
          partition: index,
          open: deadline.open,
          sectors: fieldOf(partition, bits),
        });
      }
      for (const message of recoveryMessages(found, { sectors: 0, partitions: 0 }))
        this.#declare(message, deadline.faultCutoff);
    }
  }

  #declare(message: readonly Recoverable[], cutoff: number): void {
    const { node, plan, outbox, declared } = this.#parts;
    node.mayDie();
    const sectors = message.map(({ deadline, partition, sectors: field }) => ({
      partition: deadline * plan.partitions + partition,
      bits: bitsOf(field),
    }));
    const messageId = outbox.add({ kind: 'recover', cutoff, sectors });
    const open = message[0]?.open ?? 0;
    declared.push(...sectors.map((one) => ({ ...one, open, messageId })));
    node.mayDie();
  }
}
