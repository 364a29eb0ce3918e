import type { SectorFault, TaskFact } from '../../src/poster/facts.ts';
import type { Random } from '../chaos/random.ts';
import type { Proof } from './miner-state.ts';
import type { Plan } from './plan.ts';
import { numbersOf, sectorOf } from './sectors.ts';
import type { CopyName } from './stores.ts';

interface SimTask {
  readonly proof: Proof;
  /** Sectors whose second copy is read. */
  readonly second: number;
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

  readonly #onProof: (proof: Proof, epoch: number) => void;

  constructor(plan: Plan, random: Random, onProof: (proof: Proof, epoch: number) => void) {
    this.#onProof = onProof;
    this.#plan = plan;
    this.#random = random;
  }

  /** The same work is one task; a failed one begins anew. */
  submit(proof: Proof, second: number, close: number): string {
    const id = `${proof.randomness}/${proof.partition}/${proof.sectors}/${second}`;
    const known = this.#tasks.get(id)?.fact.state;
    if (known !== 'running' && known !== 'proven') {
      this.#tasks.set(id, { proof, second, close, left: this.#plan.proveEpochs, fact: { state: 'running' } });
    }
    return id;
  }

  get(id: string): TaskFact {
    return this.#tasks.get(id)?.fact ?? { state: 'failed', reason: 'the master does not know the task any more' };
  }

  /** Whether it took it: another proof is made then. */
  refuse(id: string, bytes: Uint8Array): boolean {
    const task = this.#tasks.get(id);
    if (task?.fact.state !== 'proven' || this.proofOf(task.fact.proof) !== this.proofOf(bytes)) return true;
    this.#tasks.set(id, { ...task, left: this.#plan.proveEpochs, fact: { state: 'running' } });
    return true;
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
    const read: Readonly<Record<CopyName, number>> = { first: sectors & ~task.second, second: sectors & task.second };
    // Of files that are gone a prover cannot tell whether it has the wrong mount.
    const gone = sectors & stores.goneOf(partition, epoch);
    const bad =
      ((read.first & stores.badOf(partition, 'first', epoch)) |
        (read.second & stores.badOf(partition, 'second', epoch))) &
      ~gone;
    let unknown =
      gone |
      (read.first & stores.awayOf(partition, 'first', epoch)) |
      (read.second & stores.awayOf(partition, 'second', epoch));
    if (weather.blows('false-faults', epoch))
      unknown |= sectors & this.#random.between(0, 2 ** this.#plan.sectors - 1) & ~bad;
    const faultOf = (number: number, kind: SectorFault['class'], reason: string): SectorFault => {
      const name: CopyName = task.second & (1 << sectorOf(number)) ? 'second' : 'first';
      return { sector: number, class: kind, reason, copy: { number, sealedFile: name, cacheDir: name } };
    };
    const faults = [
      ...numbersOf(partition, bad).map((number) => faultOf(number, 'bad', 'corrupt')),
      ...numbersOf(partition, unknown).map((number) => faultOf(number, 'unknown', 'gone, or away')),
    ];
    if (weather.blows('failing-proofs', epoch) && this.#random.chance(0.7)) {
      task.fact = { state: 'failed', reason: 'the prover failed' };
    } else if (faults.length > 0) {
      task.fact = { state: 'faulted', faults };
    } else {
      const bytes = new Uint8Array(192);
      new DataView(bytes.buffer).setUint32(0, this.#proofs.push(task.proof) - 1);
      this.#onProof(task.proof, epoch);
      task.fact = { state: 'proven', proof: bytes, tookMs: null };
    }
  }
}
