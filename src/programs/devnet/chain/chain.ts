import type { Verifier } from '../../../ext-processor/verifier.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { ChainRandomness } from '../actor/context.ts';
import { endEpoch } from '../actor/deadline-end.ts';
import { type ChainState, withMiner } from '../state/chain-state.ts';
import { applyMessage, findAccount, type Receipt } from './apply-message.ts';
import { derive } from './entropy.ts';
import { MessagePool } from './message-pool.ts';
import { randomnessOf } from './randomness.ts';
import { type Block, type ChainMessage, makeBlock, type TipSet } from './tipset.ts';
import { TipSetStore } from './tipset-store.ts';

export interface HeadChange {
  readonly type: 'revert' | 'apply';
  readonly tipSet: TipSet;
}

export interface ChainInit {
  /** Decides all randomness. */
  readonly seed: string;
  readonly genesis: ChainState;
  /** Height of the first tipset above the genesis is one more than this. */
  readonly startEpoch: number;
  /** Seconds; time stamps are the genesis' plus this times the height. */
  readonly blockDelay: number;
  /** Of the genesis, seconds since 1970. */
  readonly timestamp: number;
}

/** More than one proving period, so that a deadline can be looked at until it comes again. */
const TIPSETS_KEPT = 4000;

/** The chain: makes tipsets when told to, executes messages, tells listeners how the head changes. One thing at a time. */
export class Chain {
  readonly pool = new MessagePool();
  readonly store: TipSetStore;
  readonly #verifier: Pick<Verifier, 'verify'>;
  readonly #logger: Logger;
  readonly #init: ChainInit;
  readonly #messages = new Map<string, ChainMessage>();
  readonly #listeners = new Set<(changes: readonly HeadChange[]) => void>();
  #branch = 0;
  #beaconBranch = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(components: { readonly verifier: Pick<Verifier, 'verify'>; readonly logger: Logger }, init: ChainInit) {
    this.#verifier = components.verifier;
    this.#logger = components.logger;
    this.#init = init;
    const { genesis: state, timestamp } = init;
    const block = makeBlock({
      seed: init.seed,
      branch: 0,
      height: 0,
      parents: [],
      index: 0,
      miner: 0,
      beaconEntries: [this.#beacon(0)],
      messages: [],
    });
    const common = { messages: [], receipts: [], missed: [], state, applied: state, next: state };
    this.store = new TipSetStore(
      { key: [block.cid], height: 0, timestamp, parents: [], blocks: [block], ...common },
      TIPSETS_KEPT,
    );
  }

  get head(): TipSet {
    return this.store.head;
  }

  get blockDelay(): number {
    return this.#init.blockDelay;
  }

  get verifier(): Pick<Verifier, 'verify'> {
    return this.#verifier;
  }

  onChange(listener: (changes: readonly HeadChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  randomness(tipSet: TipSet): ChainRandomness {
    return randomnessOf(this.store, tipSet);
  }

  /** A message that was pushed or landed, by the CID of its signed form or of the message alone. */
  message(cid: string): ChainMessage | undefined {
    return this.#messages.get(cid);
  }

  /** @throws CodedError `message-refused` */
  push(message: ChainMessage): void {
    this.pool.add(this.head.applied, message);
    this.#messages.set(message.cid, message);
  }

  /** Makes the next tipset, `nullRounds` epochs without one before it. */
  mine(nullRounds = 0): Promise<TipSet> {
    return this.#exclusive(() => this.#mine(nullRounds));
  }

  /** A second block arrives for the epoch of the head: the head is replaced by a tipset with one block more. */
  addBlock(): Promise<TipSet> {
    return this.#exclusive(async () => {
      const { head } = this;
      const parent = this.store.parent(head);
      if (parent === undefined) return head;
      const block = this.#block(head.height, parent, head.blocks.length, []);
      const wider = await this.#execute(parent, head.height, [...head.blocks, block], head.messages);
      this.#setHead(wider, [
        { type: 'revert', tipSet: head },
        { type: 'apply', tipSet: wider },
      ]);
      return wider;
    });
  }

  /** Takes the newest `depth` tipsets back; their messages wait in the pool again. What is mined next is another branch. */
  rewind(depth: number): Promise<TipSet> {
    return this.#exclusive(async () => {
      const reverted = this.#revert(depth);
      this.#setHead(this.head, reverted);
      return this.head;
    });
  }

  /**
   * A heavier branch appears: the newest `depth` tipsets are replaced by one more than that, without their messages.
   * `newBeacon` changes the beacon of these epochs as well, which a chain does where epochs without blocks move.
   */
  reorg(depth: number, newBeacon: boolean): Promise<TipSet> {
    return this.#exclusive(async () => {
      const reverted = this.#revert(depth);
      if (newBeacon) this.#beaconBranch = this.#branch;
      const applied: HeadChange[] = [];
      for (let made = 0; made <= reverted.length; made++) {
        const tipSet = await this.#next(0, []);
        this.store.head = tipSet;
        applied.push({ type: 'apply', tipSet });
      }
      this.#setHead(this.head, [...reverted, ...applied]);
      return this.head;
    });
  }

  async #mine(nullRounds: number): Promise<TipSet> {
    const tipSet = await this.#next(nullRounds, this.pool.select(this.head.next));
    this.#setHead(tipSet, [{ type: 'apply', tipSet }]);
    return tipSet;
  }

  #next(nullRounds: number, messages: readonly ChainMessage[]): Promise<TipSet> {
    const parent = this.head;
    const height = Math.max(parent.height, this.#init.startEpoch) + 1 + nullRounds;
    return this.#execute(parent, height, [this.#block(height, parent, 0, messages)], messages);
  }

  #block(height: number, parent: TipSet, index: number, messages: readonly ChainMessage[]): Block {
    const miners = [...parent.state.miners.keys()];
    const miner = miners[(height + index) % miners.length] ?? 0;
    const first = Math.max(parent.height, this.#init.startEpoch) + 1;
    const beaconEntries = Array.from({ length: height - first + 1 }, (_, offset) => this.#beacon(first + offset));
    return makeBlock({
      seed: this.#init.seed,
      branch: this.#branch,
      height,
      parents: parent.key,
      index,
      miner,
      beaconEntries,
      messages,
    });
  }

  #beacon(round: number): Block['beaconEntries'][number] {
    return { round, data: derive(32, this.#init.seed, 'beacon', this.#beaconBranch, round) };
  }

  async #execute(
    parent: TipSet,
    height: number,
    blocks: readonly Block[],
    messages: readonly ChainMessage[],
  ): Promise<TipSet> {
    const state = parent.next;
    const missed: TipSet['missed'][number][] = [];
    // The end of each epoch without a tipset is made up for first.
    const first = Math.max(parent.height, this.#init.startEpoch) + 1;
    let applied = state;
    for (let epoch = first; epoch < height; epoch++) applied = endOfEpoch(applied, epoch, missed);
    const receipts: Receipt[] = [];
    const randomness = this.randomness(parent);
    for (const { cid, signed } of messages) {
      const sender = findAccount(applied, signed.message.from);
      if (sender === undefined) throw new TypeError(`message ${cid} in a block has no sender`);
      const init = { epoch: height, cid, randomness };
      const executed = await applyMessage({ verifier: this.#verifier }, init, applied, sender, signed.message);
      applied = executed.state;
      receipts.push(executed.receipt);
    }
    const next = endOfEpoch(applied, height, missed);
    const timestamp = this.store.genesis.timestamp + height * this.#init.blockDelay;
    const key = blocks.map(({ cid }) => cid);
    const tipSet = {
      key,
      height,
      timestamp,
      parents: parent.key,
      blocks,
      messages,
      state,
      applied,
      receipts,
      next,
      missed,
    };
    this.store.add(tipSet);
    return tipSet;
  }

  #revert(depth: number): HeadChange[] {
    const reverted: HeadChange[] = [];
    for (
      let parent = this.store.parent(this.head);
      parent !== undefined && reverted.length < depth;
      parent = this.store.parent(this.head)
    ) {
      reverted.push({ type: 'revert', tipSet: this.head });
      this.store.head = parent;
    }
    this.#branch++;
    for (const { tipSet } of reverted) this.pool.restore(tipSet.state, tipSet.messages);
    return reverted;
  }

  #setHead(tipSet: TipSet, changes: readonly HeadChange[]): void {
    this.store.head = tipSet;
    this.pool.prune(tipSet.applied);
    this.#logger.debug({ height: tipSet.height, messages: tipSet.messages.length }, 'head changed');
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function endOfEpoch(state: ChainState, epoch: number, missed: TipSet['missed'][number][]): ChainState {
  let after = state;
  for (const miner of state.miners.values()) {
    const ended = endEpoch(miner, epoch);
    if (ended.miner !== miner) after = withMiner(after, ended.miner);
    missed.push(...ended.missed.map((post) => ({ ...post, miner: miner.id })));
  }
  return after;
}
