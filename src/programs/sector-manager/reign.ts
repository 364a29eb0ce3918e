import { ChainWatch } from '../../chain/chain-watch.ts';
import type { ConnectedChain } from '../../chain/connect-chain.ts';
import { Outbox } from '../../outbox/outbox.ts';
import type { OutboxInit } from '../../outbox/settings.ts';
import type { MinerSettings, PosterComponents } from '../../poster/components.ts';
import { MinerPoster } from '../../poster/miner-poster.ts';
import { ShadowOutbox } from '../../poster/shadow-outbox.ts';
import { SectorIndex } from '../../stores/index/sector-index.ts';
import { watchGrowth } from '../../stores/index/watch-growth.ts';
import { keepReconciled } from '../../stores/reconcile/keep-reconciled.ts';
import type { StoreChecker } from '../../stores/store-checker.ts';
import type { AlertBook } from '../../telemetry/alert-book.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { WinningProver } from '../../winning/winning-prover.ts';
import { WinningService } from '../../winning/winning-service.ts';
import { AlertStore } from './alert-store.ts';
import { Manager } from './manager.ts';
import { watchCapacity } from './preflight/capacity-watch.ts';
import { recordRuns } from './record-runs.ts';
import type { WinningSettings } from './winning-settings.ts';

interface Components extends Omit<PosterComponents, 'onIntent' | 'alerts' | 'checker'> {
  readonly checker: StoreChecker;
  readonly chain: ConnectedChain;
  readonly alerts: AlertBook;
  readonly metrics: Metrics;
}

interface ReignInit {
  readonly miners: readonly MinerSettings[];
  readonly sending: OutboxInit;
  /** Everything but sending. */
  readonly shadow: boolean;
  readonly winning?: WinningSettings & { readonly prover: WinningProver };
  /** It cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

/** Everything a manager has while it leads, made with the lead and thrown away with it. */
export class Reign {
  readonly #book: AlertBook;
  readonly #alerts: ReturnType<AlertBook['scope']>;
  readonly #store: AlertStore;
  readonly #manager: Manager;
  readonly #chainWatch: ChainWatch;
  readonly #winning: WinningService | undefined;
  readonly #over = new AbortController();
  readonly #init: ReignInit;
  readonly #watch: () => Promise<void>;
  #running: Promise<unknown> = Promise.resolve();

  /** @param components `db` in which only the leader can write */
  constructor(components: Components, init: ReignInit) {
    this.#book = components.alerts;
    this.#alerts = components.alerts.scope();
    this.#init = init;
    this.#store = new AlertStore(components);
    const ours = { ...components, alerts: this.#alerts, onIntent: () => this.#manager.onIntent() };
    const posters = init.miners.map((miner) => new MinerPoster(ours, { miner }));
    this.#chainWatch = new ChainWatch(ours, init);
    this.#manager = new Manager(
      { ...ours, outbox: init.shadow ? new ShadowOutbox(ours) : new Outbox(ours, init.sending) },
      { posters, onHead: (head) => this.#chainWatch.onHead(head), sendsBesideItself: !init.shadow },
    );
    this.#winning = init.winning && new WinningService({ ...ours, prover: init.winning.prover }, init.winning);
    this.#watch = async () => {
      const { signal } = this.#over;
      await Promise.all([
        watchCapacity(ours, init.miners, signal),
        recordRuns(ours, init.miners, signal),
        watchGrowth(ours, signal),
        keepReconciled({ ...ours, index: new SectorIndex(ours) }, init.miners, signal),
      ]);
    };
  }

  async start(): Promise<void> {
    this.#book.speak(await this.#store.load(), (id, alert) => this.#store.keep(id, alert));
    this.#chainWatch.start();
    this.#winning?.start();
    const running = this.#manager.run(this.#over.signal).catch(this.#init.onFailure);
    this.#running = Promise.all([running, this.#watch()]);
  }

  /** A task ended. */
  onTask(): void {
    this.#manager.onTask();
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#book.beQuiet();
    await this.#winning?.close();
    await this.#running;
    await this.#chainWatch.close();
    this.#alerts.forget();
    await this.#store.close();
  }
}
