import type { TipSet } from '../chain/tipset.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { Action } from './actions.ts';
import { carryOut } from './carry-out.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { decide } from './decide.ts';
import type { PostPolicy } from './facts.ts';
import { gatherFacts, type Memory } from './gather-facts.ts';
import type { Run } from './run.ts';
import type { SectorInfos } from './window-proof.ts';

/** After a failed action its partitions rest this long; a partition's other actions are not held up by it. */
const FAILURE_PAUSE_EPOCHS = 1;

/**
 * Drives one run: gathers facts, decides, and starts what was decided. Actions of different partitions run side by side, so a slow
 * or failing one delays nobody; a partition with an action under way gets no second one.
 */
export class RunDriver {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #policy: PostPolicy;
  readonly #onProgress: () => void;
  readonly #signal: AbortSignal;
  readonly #memory: Memory = { checks: new Map(), pausedUntil: new Map() };
  readonly #busy = new Set<number>();
  /** Partitions whose action ended since the rows were last read: what was read of them may be stale. */
  readonly #changed = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();
  #infos: SectorInfos | undefined;

  constructor(
    components: PosterComponents,
    init: {
      readonly miner: MinerSettings;
      readonly policy: PostPolicy;
      readonly onProgress: () => void;
      readonly signal: AbortSignal;
    },
  ) {
    this.#components = components;
    this.#miner = init.miner;
    this.#policy = init.policy;
    this.#onProgress = init.onProgress;
    this.#signal = init.signal;
  }

  /** To be called before the rows are read for `advance`. */
  beforeRead(): void {
    this.#changed.clear();
  }

  /** `run` as just read from its rows. Resolves once actions are started. */
  async advance(run: Run, head: TipSet): Promise<void> {
    const facts = await gatherFacts(this.#components, run, this.#memory, head);
    const infos = await this.#sectorInfos(run, head);
    for (const action of decide(run, facts, this.#policy)) {
      const touched = partitionsOf(action, run);
      if (touched.some((index) => this.#busy.has(index) || this.#changed.has(index))) continue;
      for (const index of touched) this.#busy.add(index);
      const work = this.#start(action, run, infos, head, touched);
      this.#underWay.add(work);
      work.finally(() => this.#underWay.delete(work));
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #start(action: Action, run: Run, infos: SectorInfos, head: TipSet, touched: readonly number[]): Promise<void> {
    const setting = { miner: this.#miner, run, memory: this.#memory, infos, head, signal: this.#signal };
    try {
      await carryOut(this.#components, action, setting);
    } catch (error) {
      if (this.#signal.aborted) return;
      for (const index of touched) this.#memory.pausedUntil.set(index, head.height + FAILURE_PAUSE_EPOCHS);
      this.#components.logger.error(
        { err: error, minerId: run.minerId, deadline: run.deadline, action: action.kind, partitions: touched },
        'window post step failed',
      );
    } finally {
      for (const index of touched) {
        this.#busy.delete(index);
        this.#changed.add(index);
      }
      this.#onProgress();
    }
  }

  /** Sectors do not change from 60 epochs before Open until Close, so they are read once. */
  async #sectorInfos(run: Run, head: TipSet): Promise<SectorInfos> {
    if (this.#infos !== undefined) return this.#infos;
    const all = run.partitions.reduce((union, partition) => union.union(partition.sectors), Bitfield.empty);
    const sectors = await this.#components.chain.sectors(this.#miner.address, all, head.key);
    this.#infos = new Map(sectors.map((sector) => [sector.number, sector]));
    return this.#infos;
  }
}

function partitionsOf(action: Action, run: Run): readonly number[] {
  switch (action.kind) {
    case 'restart':
    case 'close':
      return run.partitions.map((partition) => partition.index);
    case 'submit':
      return action.partitions;
    default:
      return [action.partition];
  }
}
