import type { SectorFault, TaskFact } from '../../src/poster/facts.ts';
import type { Random } from '../chaos/random.ts';
import type { Proof } from './miner-state.ts';
import type { Plan } from './plan.ts';
import { numbersOf } from './sectors.ts';

interface SimTask {
  readonly proof: Proof;
  readonly close: number;
  left: number;
  fact: TaskFact;
}

/** The master with slaves enough: a task needs its epochs of work, and the sectors at their end. */
export class SimMaster {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #tasks = new Map<string, SimTask>();
  readonly #proofs: Proof[] = [];

  constructor(plan: Plan, random: Random) {
    this.#plan = plan;
    this.#random = random;
  }

  /** The same work is one task; a failed one begins anew. */
  submit(proof: Proof, close: number): string {
    const id = `${proof.randomness}/${proof.partition}/${proof.sectors}`;
    const known = this.#tasks.get(id)?.fact.state;
    if (known !== 'running' && known !== 'proven') {
      this.#tasks.set(id, { proof, close, left: this.#plan.proveEpochs, fact: { state: 'running' } });
    }
    return id;
  }

  get(id: string): TaskFact {
    return this.#tasks.get(id)?.fact ?? { state: 'failed', reason: 'the master does not know the task any more' };
  }

  proofOf(bytes: Uint8Array): Proof | undefined {
    return this.#proofs[new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)];
  }

  tick(epoch: number): void {
    const { weather } = this.#plan;
    for (const [id, task] of this.#tasks) {
      if (epoch > task.close) this.#tasks.delete(id);
      else if (weather.blows('lost-tasks', epoch) && this.#random.chance(0.1)) this.#tasks.delete(id);
      else if (task.fact.state === 'running' && !weather.blows('slow-proofs', epoch)) this.#work(task, epoch);
    }
  }

  #work(task: SimTask, epoch: number): void {
    const { weather, stores } = this.#plan;
    if (--task.left > 0) return;
    const { partition, sectors } = task.proof;
    const bad = sectors & stores.bad(partition, epoch);
    let unknown = sectors & stores.unknown(partition, epoch);
    if (weather.blows('false-faults', epoch))
      unknown |= sectors & this.#random.between(0, 2 ** this.#plan.sectors - 1) & ~bad;
    const faults = [
      ...numbersOf(partition, bad).map((sector): SectorFault => ({ sector, class: 'bad', reason: 'gone' })),
      ...numbersOf(partition, unknown).map((sector): SectorFault => ({ sector, class: 'unknown', reason: 'away' })),
    ];
    if (weather.blows('failing-proofs', epoch) && this.#random.chance(0.7)) {
      task.fact = { state: 'failed', reason: 'the prover failed' };
    } else if (faults.length > 0) {
      task.fact = { state: 'faulted', faults };
    } else {
      const bytes = new Uint8Array(192);
      new DataView(bytes.buffer).setUint32(0, this.#proofs.push(task.proof) - 1);
      task.fact = { state: 'proven', proof: bytes, tookMs: null };
    }
  }
}
