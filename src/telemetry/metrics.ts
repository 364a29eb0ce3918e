import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Alert } from './alerts.ts';

/** From the deadline's open to its close there are 60; proving may begin 20 before. */
const EPOCHS_LEFT_BUCKETS = [0, 2, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80];

/** Seconds from a gateway's request to the answer; a block is lost after 25. */
const WINNING_SECONDS_BUCKETS = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 25];

/** What a manager measures, in Prometheus' text form. Lateness counts against the deadline: epochs left until its Close. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #epochsLeft = this.#add(
    new Histogram({
      name: 'wdpost_epochs_left',
      help: 'Epochs left before Close when a partition was proven, its message was put in the outbox, and it landed; counted at Close',
      labelNames: ['miner', 'step'] as const,
      buckets: EPOCHS_LEFT_BUCKETS,
      registers: [],
    }),
  );
  readonly #partitions = this.#add(
    new Counter({
      name: 'wdpost_partitions_total',
      help: 'Partitions by how they ended, counted at Close: landed, missed or left-out',
      labelNames: ['miner', 'outcome'] as const,
      registers: [],
    }),
  );
  readonly #skipped = this.#add(
    new Counter({
      name: 'wdpost_skipped_sectors_total',
      help: 'Sectors left out of proofs that were submitted',
      labelNames: ['miner'] as const,
      registers: [],
    }),
  );
  readonly #fees = this.#add(
    new Counter({
      name: 'wdpost_fees_fil_total',
      help: 'FIL that the messages of ended deadlines cost',
      labelNames: ['miner'] as const,
      registers: [],
    }),
  );
  readonly #winning = this.#add(
    new Counter({
      name: 'wdpost_winning_total',
      help: 'Requests of gateways for winning proofs (won), and how they ended: answered, late or failed',
      labelNames: ['miner', 'outcome'] as const,
      registers: [],
    }),
  );
  readonly #winningSeconds = this.#add(
    new Histogram({
      name: 'wdpost_winning_seconds',
      help: 'Seconds from the request of a gateway to the answer, of winning proofs that were answered',
      labelNames: ['miner'] as const,
      buckets: WINNING_SECONDS_BUCKETS,
      registers: [],
    }),
  );
  readonly #slots = this.#add(
    new Gauge({
      name: 'wdpost_slots',
      help: 'GPU slots that the partitions need (one to spare not counted), and those that are ready',
      labelNames: ['are'] as const,
      registers: [],
    }),
  );
  readonly #alerts = this.#add(
    new Gauge({
      name: 'wdpost_alerts',
      help: 'Conditions that last',
      labelNames: ['class', 'severity', 'miner'] as const,
      registers: [],
    }),
  );
  readonly #leads = this.#add(
    new Gauge({ name: 'wdpost_leads', help: '1 while this manager leads, 0 while it stands by', registers: [] }),
  );
  readonly #headAt = this.#add(
    new Gauge({
      name: 'wdpost_chain_head_timestamp_seconds',
      help: 'Time of the newest head that was seen; time() minus it is how far the node is behind',
      registers: [],
    }),
  );

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** @param left epochs until Close, negative after it */
  reached(step: 'proven' | 'submitted' | 'landed', minerId: number, left: number): void {
    this.#epochsLeft.observe({ miner: minerId, step }, left);
  }

  ended(outcome: string, minerId: number, partitions: number): void {
    this.#partitions.inc({ miner: minerId, outcome }, partitions);
  }

  skipped(minerId: number, sectors: number): void {
    this.#skipped.inc({ miner: minerId }, sectors);
  }

  paid(minerId: number, fil: number): void {
    this.#fees.inc({ miner: minerId }, fil);
  }

  /** @param tookMs of an answer */
  winning(outcome: 'won' | 'answered' | 'late' | 'failed', minerId: number, tookMs?: number): void {
    this.#winning.inc({ miner: minerId, outcome });
    if (tookMs !== undefined) this.#winningSeconds.observe({ miner: minerId }, tookMs / 1000);
  }

  slots({ needed, ready }: { readonly needed: number; readonly ready: number }): void {
    this.#slots.set({ are: 'needed' }, needed);
    this.#slots.set({ are: 'ready' }, ready);
  }

  alerts(lasting: readonly Alert[]): void {
    this.#alerts.reset();
    for (const { class: alertClass, severity, minerId } of lasting) {
      this.#alerts.inc({ class: alertClass, severity, miner: minerId ?? '' });
    }
  }

  leads(isLeading: boolean): void {
    this.#leads.set(isLeading ? 1 : 0);
  }

  /** @param at of its tipset, seconds since 1970 */
  head(at: number): void {
    this.#headAt.set(at);
  }

  /** A value that is read whenever somebody asks; a failure leaves it out. */
  onScrape(
    init: { readonly name: string; readonly help: string; readonly label: string },
    read: () => Promise<ReadonlyMap<string, number>>,
  ): void {
    this.#add(
      new Gauge({
        name: init.name,
        help: init.help,
        labelNames: [init.label],
        registers: [],
        async collect() {
          this.reset();
          const values = await read().catch(() => new Map<string, number>());
          for (const [label, value] of values) this.set({ [init.label]: label }, value);
        },
      }),
    );
  }

  /** In Prometheus' text form, version 0.0.4. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #add<M extends Counter | Gauge | Histogram>(metric: M): M {
    this.#registry.registerMetric(metric);
    return metric;
  }
}
