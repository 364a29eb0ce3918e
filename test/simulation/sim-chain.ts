import type { Random } from '../chaos/random.ts';
import { closeDeadlines, execute, type MinerState, type Payload, type Post } from './miner-state.ts';
import type { Plan } from './plan.ts';
import { type SimMessage, SimPool } from './sim-pool.ts';

interface Landing {
  readonly message: SimMessage;
  readonly exitCode: number;
}

interface Block {
  readonly height: number;
  /** Of this block and no other: what randomness is drawn from. */
  readonly id: number;
  readonly state: MinerState;
  readonly nonce: number;
  readonly landings: readonly Landing[];
  readonly posts: readonly Post[];
}

/** What a reorganisation undid. */
export interface Upset {
  readonly epoch: number;
  /** Lowest height whose block was replaced. */
  readonly from: number;
  readonly payloads: readonly Payload[];
}

export const BASE_FEE = 100n;
const SPIKE = 200n;
const NULL_ROUNDS = 0.03;

/** The one chain as an all-knowing observer sees it; whether the manager's node is reachable is not its concern. */
export class SimChain {
  readonly pool = new SimPool();
  readonly upsets: Upset[] = [];
  readonly live: number;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #rules: { readonly live: number; readonly partitionSectors: number };
  #blocks: Block[];
  #ids = 1;

  constructor(plan: Plan, random: Random, partitionSectors: number) {
    this.#plan = plan;
    this.#random = random;
    this.live = 2 ** plan.sectors - 1;
    this.#rules = { live: this.live, partitionSectors };
    const count = plan.partitions * plan.policy.periodDeadlines;
    const state = {
      faulty: new Int32Array(count),
      recovering: new Int32Array(count),
      posted: new Int32Array(count).fill(-1),
    };
    this.#blocks = [{ height: 0, id: 1, state, nonce: 0, landings: [], posts: [] }];
  }

  get top(): Block {
    return this.#blocks.at(-1) ?? this.#fail();
  }

  get posts(): Post[] {
    return this.#blocks.flatMap((block) => block.posts);
  }

  /** Whether the chain has a proof of the partition for the window that opened then. */
  hasPosted(open: number, partition: number): boolean {
    for (let index = this.#blocks.length - 1; ; index--) {
      const block = this.#blocks[index];
      // Before its window none is accepted.
      if (block === undefined || block.height < open) return false;
      if (block.posts.some((post) => post.open === open && post.partition === partition)) return true;
    }
  }

  baseFee(epoch: number): bigint {
    return this.#plan.weather.blows('base-fee', epoch) ? BASE_FEE * SPIKE : BASE_FEE;
  }

  /** The highest block not above this height. */
  at(height: number): Block {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#blocks[middle]?.height ?? 0) <= height) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low] ?? this.#fail();
  }

  /** Of the challenge and of the commitment alike. */
  randomness(epoch: number): number {
    return this.at(epoch).id;
  }

  /** Where a nonce was used: a block counts as executing it once there is another one above. */
  find(nonce: number): (Landing & { readonly height: number }) | undefined {
    for (let index = this.#blocks.length - 2; index > 0; index--) {
      const block = this.#blocks[index];
      if (block === undefined || block.nonce <= nonce) return undefined;
      const landing = block.landings.find(({ message }) => message.message.nonce === nonce);
      if (landing !== undefined) return { ...landing, height: this.#blocks[index + 1]?.height ?? 0 };
    }
    return undefined;
  }

  /** One epoch: perhaps a reorganisation, perhaps a block. */
  tick(epoch: number): void {
    const { weather, messageConfidence } = this.#plan;
    if (weather.blows('lost-pool', epoch) && this.#random.chance(0.5)) this.pool.forget();
    if (weather.blows('reorgs', epoch) && this.#random.chance(0.3)) {
      this.#reorganise(epoch, this.#random.between(1, messageConfidence - 1));
    }
    const nulls = weather.blows('null-rounds', epoch) ? 0.6 : NULL_ROUNDS;
    if (!this.#random.chance(nulls)) this.#mine(epoch);
  }

  /** Undoes the blocks of the last epochs; what they held goes back to the pool, and some of the heights get other blocks. */
  #reorganise(epoch: number, depth: number): void {
    const from = Math.max(epoch - depth, 1);
    const kept = this.#blocks.findLastIndex((block) => block.height < from);
    const undone = this.#blocks.splice(kept + 1);
    if (undone.length === 0) return;
    const landings = undone.flatMap((block) => block.landings);
    for (const { message } of landings) this.pool.put(message);
    this.upsets.push({ epoch, from, payloads: landings.map(({ message }) => message.payload) });
    for (let height = from; height < epoch; height++) if (!this.#random.chance(NULL_ROUNDS)) this.#mine(height);
  }

  #mine(height: number): void {
    const { top } = this;
    const { weather, start, partitions, policy } = this.#plan;
    let state = closeDeadlines(top.state, top.height, height, { policy, start, partitions, live: this.live });
    const id = ++this.#ids;
    const messages = weather.blows('congestion', height) ? [] : this.pool.take(top.nonce, this.baseFee(height));
    const landings: Landing[] = [];
    const posts: Post[] = [];
    for (const message of messages) {
      const at = { height, randomness: (epoch: number) => (epoch >= height ? id : this.randomness(epoch)) };
      const execution = execute(state, message.payload, at, this.#rules);
      state = execution.state;
      landings.push({ message, exitCode: execution.exitCode });
      posts.push(...execution.posts);
    }
    this.#blocks.push({ height, id, state, nonce: top.nonce + landings.length, landings, posts });
  }

  #fail(): never {
    throw new Error('a chain has a genesis');
  }
}
