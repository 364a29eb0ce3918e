import { CatchingUp } from '../../chain/catching-up.ts';
import type { Chain } from '../../chain/chain.ts';
import type { TipSet } from '../../chain/tipset.ts';
import type { Clock } from '../../clock/clock.ts';
import { CoalescedLoop } from '../../clock/coalesced-loop.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import type { MinerPoster } from '../../poster/miner-poster.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

const RETRY_MS = 2_000;
const FAILED = 'sending messages failed, trying again';

/** Hands every new head to the outbox and to each miner's poster, which work side by side. */
export class Manager {
  readonly #clock: Clock;
  readonly #chain: Chain;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #posters: readonly MinerPoster[];
  readonly #outbox: Pick<Outbox, 'advance'>;
  readonly #onHead: (head: TipSet) => void;
  readonly #sending: CoalescedLoop;
  readonly #sendsBesideItself: boolean;
  readonly #advances = new Set<Promise<void>>();
  #onWake: () => void = () => {};
  #head: TipSet | undefined;

  constructor(
    components: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly metrics: Metrics;
      readonly chain: Chain;
      readonly outbox: Pick<Outbox, 'advance'>;
    },
    init: {
      readonly posters: readonly MinerPoster[];
      readonly onHead: (head: TipSet) => void;
      /** Whether the outbox may be called again while it still works. */
      readonly sendsBesideItself: boolean;
    },
  ) {
    this.#clock = components.clock;
    this.#chain = components.chain;
    this.#logger = components.logger;
    this.#metrics = components.metrics;
    this.#outbox = components.outbox;
    this.#posters = init.posters;
    this.#onHead = init.onHead;
    this.#sendsBesideItself = init.sendsBesideItself;
    this.#sending = new CoalescedLoop(components, {
      retryMs: RETRY_MS,
      onFailure: (err) => this.#logger.warn({ err }, FAILED),
      work: () => this.#send(),
    });
  }

  /** Something was put in the outbox. */
  onIntent(): void {
    this.#wakeSending();
  }

  /** A task ended. */
  onTask(): void {
    for (const poster of this.#posters) poster.wake();
  }

  /** Follows the chain until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const catchingUp = new CatchingUp();
    for await (const changes of this.#chain.heads(signal)) {
      const head = changes.findLast((change) => change.type !== 'revert')?.tipSet;
      if (head === undefined) continue;
      this.#metrics.head(head.minTimestamp);
      // Deadlines long closed would be proven.
      if (catchingUp.isCatchingUp(head, this.#clock.now())) {
        this.#logger.warn({ height: head.height }, 'the node is behind, waiting for it');
        continue;
      }
      if (this.#head === undefined) this.#logger.info({ height: head.height }, 'following the chain');
      this.#head = head;
      for (const poster of this.#posters) poster.onHead(head);
      this.#onHead(head);
      this.#wakeSending();
    }
    await this.#sending.close();
    await Promise.allSettled(this.#advances);
    await Promise.all(this.#posters.map((poster) => poster.close()));
  }

  #wakeSending(): void {
    this.#onWake();
    this.#sending.wake();
  }

  /** A sender for which the chain node is slow holds up no other: what is put in meanwhile is sent beside its messages. */
  async #send(): Promise<void> {
    if (this.#head === undefined) return;
    let isLeft = false;
    const woken = new Promise<void>((resolve) => {
      this.#onWake = resolve;
    });
    const advance = this.#advance(this.#head).catch((err: unknown) => {
      if (!isLeft) throw err;
      this.#logger.warn({ err }, FAILED);
      this.#sending.wake();
    });
    this.#advances.add(advance);
    const forget = () => this.#advances.delete(advance);
    advance.then(forget, forget);
    await (this.#sendsBesideItself ? Promise.race([advance, woken]) : advance);
    isLeft = true;
  }

  async #advance(head: TipSet): Promise<void> {
    if (!(await this.#outbox.advance(head))) return;
    for (const poster of this.#posters) poster.wake();
  }
}
