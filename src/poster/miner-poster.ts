import type { TipSet } from '../chain/tipset.ts';
import { CoalescedLoop } from '../clock/coalesced-loop.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { RecoveryDeclarer } from './declare-recoveries.ts';
import type { PostPolicy } from './facts.ts';
import { deadlinesToProve, openRun } from './open-run.ts';
import { RunDriver } from './run-driver.ts';
import { unfinishedRuns } from './run-store.ts';

const RECHECK_EPOCHS = 4;
const RETRY_MS = 2_000;

/** Posts for one miner. Independent of every other miner's poster. */
export class MinerPoster {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #policy: PostPolicy;
  readonly #drivers = new Map<number, RunDriver>();
  readonly #stopping = new AbortController();
  readonly #recoveries: RecoveryDeclarer;
  readonly #loops: readonly CoalescedLoop[];
  #head: TipSet | undefined;
  #deadline: { readonly head: TipSet; readonly current: Promise<DeadlineInfo> } | undefined;
  #submitting: Promise<void> = Promise.resolve();

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#policy = {
      submitConfidence: init.miner.submitConfidence,
      messageConfidence: init.miner.messageConfidence,
      maxPartitions: init.miner.maxPartitions,
      maxSkipShare: init.miner.maxSkipShare,
      recheckInterval: RECHECK_EPOCHS,
    };
    this.#recoveries = new RecoveryDeclarer(components, { ...init, signal: this.#stopping.signal });
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
      loop('declaring recoveries failed, trying again', async (head) =>
        this.#recoveries.onHead(head, await this.#currentDeadline(head)),
      ),
    ];
  }

  /** A new head; also after a restart, to go on with what the rows say. */
  onHead(head: TipSet): void {
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
    await this.#recoveries.idle();
    await Promise.all([...this.#drivers.values()].map((driver) => driver.close()));
  }

  async #openRuns(head: TipSet): Promise<void> {
    const current = await this.#currentDeadline(head);
    const results = await Promise.allSettled(
      deadlinesToProve(current, this.#miner.challengeConfidence).map((deadline) =>
        openRun(this.#components, this.#miner, deadline, head),
      ),
    );
    this.wake();
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Asked once for each head. */
  #currentDeadline(head: TipSet): Promise<DeadlineInfo> {
    if (this.#deadline?.head === head) return this.#deadline.current;
    const current = this.#components.chain.provingDeadline(this.#miner.address, head.key);
    this.#deadline = { head, current };
    current.catch(() => {
      if (this.#deadline?.head === head) this.#deadline = undefined;
    });
    return current;
  }

  async #advanceRuns(head: TipSet): Promise<void> {
    const ids = await unfinishedRuns(this.#components.db, this.#miner.minerId);
    for (const id of this.#drivers.keys()) if (!ids.includes(id)) this.#drivers.delete(id);
    for (const id of ids) (this.#drivers.get(id) ?? this.#newDriver(id)).wake(head);
  }

  #newDriver(runId: number): RunDriver {
    const driver = new RunDriver(this.#components, {
      runId,
      miner: this.#miner,
      policy: this.#policy,
      signal: this.#stopping.signal,
      inOrder: (work) => (this.#miner.parallel ? work() : this.#afterOthers(work)),
    });
    this.#drivers.set(runId, driver);
    return driver;
  }

  /** The master hands out what came first first, so the order of submission is the order of proving. */
  #afterOthers(work: () => Promise<void>): Promise<void> {
    const mine = this.#submitting.then(work);
    this.#submitting = mine.catch(() => {});
    return mine;
  }
}
