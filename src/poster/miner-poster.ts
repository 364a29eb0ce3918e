import type { TipSet } from '../chain/tipset.ts';
import { CoalescedLoop } from '../clock/coalesced-loop.ts';
import { senderTrouble } from './check-sender.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { RecoveryDeclarer } from './declare-recoveries.ts';
import type { PostPolicy } from './facts.ts';
import { deadlinesToProve, openRun } from './open-run.ts';
import { RunDriver } from './run-driver.ts';
import { unfinishedRuns } from './run-store.ts';

/** So long before Close nothing is waited for any more: 15 epochs for a proof of 32 GiB sectors with its reads, 10 for the message. */
const RESERVE_EPOCHS = 25;
const RECHECK_EPOCHS = 4;
const RETRY_MS = 2_000;

/** Posts for one miner. Independent of every other miner's poster. */
export class MinerPoster {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #policy: PostPolicy;
  readonly #drivers = new Map<number, RunDriver>();
  readonly #stopping = new AbortController();
  readonly #loops: readonly CoalescedLoop[];
  #head: TipSet | undefined;

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#policy = {
      submitConfidence: init.miner.submitConfidence,
      maxPartitions: init.miner.maxPartitions,
      reserve: RESERVE_EPOCHS,
      recheckInterval: RECHECK_EPOCHS,
    };
    const recoveries = new RecoveryDeclarer(components, { ...init, signal: this.#stopping.signal });
    const loop = (what: string, work: (head: TipSet) => Promise<void>) =>
      new CoalescedLoop(components, {
        retryMs: RETRY_MS,
        onFailure: (err) => components.logger.warn({ err, minerId: init.miner.minerId }, what),
        work: async () => {
          if (this.#head !== undefined) await work(this.#head);
        },
      });
    this.#loops = [
      loop('opening runs failed, trying again', (head) => this.#openRuns(head)),
      loop('advancing runs failed, trying again', (head) => this.#advanceRuns(head)),
      loop('declaring recoveries failed, trying again', (head) => recoveries.advance(head)),
    ];
  }

  /** A new head; also after a restart, to go on with what the rows say. */
  onHead(head: TipSet): void {
    if (this.#head === undefined) void this.#checkSender(head);
    this.#head = head;
    for (const loop of this.#loops) loop.wake();
  }

  /** A task or message of this miner may have changed. */
  wake(): void {
    this.#loops[1]?.wake();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops.map((loop) => loop.close()));
    await Promise.all([...this.#drivers.values()].map((driver) => driver.settled()));
  }

  async #checkSender(head: TipSet): Promise<void> {
    const { chain, logger } = this.#components;
    const { minerId } = this.#miner;
    try {
      const trouble = await senderTrouble(chain, this.#miner, head);
      if (trouble !== undefined) logger.error({ minerId }, trouble);
    } catch (err) {
      logger.warn({ err, minerId }, 'the sender could not be checked');
    }
  }

  async #openRuns(head: TipSet): Promise<void> {
    const current = await this.#components.chain.provingDeadline(this.#miner.address, head.key);
    for (const deadline of deadlinesToProve(current, this.#miner.challengeConfidence)) {
      await openRun(this.#components, this.#miner, deadline, head);
    }
    this.wake();
  }

  async #advanceRuns(head: TipSet): Promise<void> {
    for (const driver of this.#drivers.values()) driver.beforeRead();
    const runs = await unfinishedRuns(this.#components.db, this.#miner.minerId);
    for (const id of this.#drivers.keys()) if (!runs.some((run) => run.id === id)) this.#drivers.delete(id);
    const results = await Promise.allSettled(
      runs.map((run) => (this.#drivers.get(run.id) ?? this.#newDriver(run.id)).advance(run, head)),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #newDriver(runId: number): RunDriver {
    const init = {
      miner: this.#miner,
      policy: this.#policy,
      onProgress: () => this.wake(),
      signal: this.#stopping.signal,
    };
    const driver = new RunDriver(this.#components, init);
    this.#drivers.set(runId, driver);
    return driver;
  }
}
