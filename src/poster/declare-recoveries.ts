import type { MinerInfo } from '../chain/miner-state.ts';
import type { TipSet } from '../chain/tipset.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { FirstRunGate } from './first-run-gate.ts';
import type { SectorReading } from './read-sectors.ts';
import { declarableDeadlines, lookInterval } from './recoveries.ts';
import { RecoveryLook } from './recovery-look.ts';
import { recoveryTrouble } from './recovery-trouble.ts';

/** Deadlines looked at side by side: each has one slave, or this host, read for it. */
const LOOKS = 4;

/** Looks again at the faulty sectors of deadlines that can be declared for, and declares recovered what gives a real vanilla proof. */
export class RecoveryDeclarer {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #signal: AbortSignal;
  readonly #gate: FirstRunGate;
  /** Open epoch of a window → height from which on its faults are looked at again. */
  readonly #dueAt = new Map<number, number>();
  /** Open epoch of a window → the look at its faults that is under way. */
  readonly #looks = new Map<number, { readonly look: RecoveryLook; readonly done: Promise<void> }>();
  /** Deadline → what was said of its sectors at the last look. */
  readonly #told = new Map<number, ReadonlySet<string>>();
  #now: { readonly head: TipSet; readonly current: DeadlineInfo } | undefined;

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings; readonly signal: AbortSignal }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#signal = init.signal;
    this.#gate = new FirstRunGate(components, init);
  }

  /** Starts what is due, the nearest window first; nothing waits for it. @param current the proving deadline at this head */
  onHead(head: TipSet, current: DeadlineInfo): void {
    this.#now = { head, current };
    for (const open of this.#dueAt.keys()) if (open <= head.height) this.#dueAt.delete(open);
    for (const { look } of this.#looks.values()) look.onHead(head);
    this.#startLooks();
  }

  /** Resolves when no look is under way. */
  async idle(): Promise<void> {
    while (this.#looks.size > 0) await Promise.all([...this.#looks.values()].map(({ done }) => done));
  }

  #startLooks(): void {
    if (this.#now === undefined || this.#signal.aborted) return;
    const { head, current } = this.#now;
    for (const deadline of declarableDeadlines(current)) {
      if (this.#looks.size >= LOOKS) return;
      const isDue = head.height >= (this.#dueAt.get(deadline.open) ?? Number.NEGATIVE_INFINITY);
      if (isDue && !this.#looks.has(deadline.open)) this.#start(deadline, head);
    }
  }

  #start(deadline: DeadlineInfo, head: TipSet): void {
    const { logger } = this.#components;
    const look = new RecoveryLook(this.#components, {
      miner: this.#miner,
      gate: this.#gate,
      deadline,
      head,
      signal: this.#signal,
      isBlocked: (info, at) => this.#isBlocked(info, at),
    });
    const run = async () => {
      try {
        const readings = await look.run();
        if (readings !== undefined) this.#tell(deadline, readings);
        this.#dueAt.set(deadline.open, head.height + lookInterval(deadline, head.height));
      } catch (err) {
        // Again with the next head.
        this.#dueAt.set(deadline.open, (this.#now?.head.height ?? head.height) + 1);
        if (this.#signal.aborted) return;
        const at = { err, minerId: this.#miner.minerId, deadline: deadline.index };
        logger.warn(at, 'declaring recoveries failed, trying again');
      } finally {
        this.#looks.delete(deadline.open);
        this.#startLooks();
      }
    };
    // Entered before it runs, so that its end finds it.
    const done = Promise.resolve().then(run);
    this.#looks.set(deadline.open, { look, done });
  }

  async #isBlocked(info: MinerInfo, head: TipSet): Promise<boolean> {
    const { alerts, chain, logger } = this.#components;
    const { address, minerId } = this.#miner;
    const condition = `recovery-blocked/${minerId}`;
    const text = await recoveryTrouble(chain, { address, info }, head).catch((err: unknown) => {
      logger.warn({ err, minerId }, 'fee debt could not be read');
      return undefined;
    });
    if (text === undefined) alerts.resolve(condition);
    else alerts.raise(condition, { class: 'recovery-blocked', severity: 'critical', minerId, text });
    return text !== undefined;
  }

  /** What cannot be proven is said once, and alarmed until it can be. */
  #tell(deadline: DeadlineInfo, readings: readonly SectorReading[]): void {
    const { alerts, logger } = this.#components;
    const { minerId } = this.#miner;
    const at = { minerId, deadline: deadline.index };
    const doubtful = readings.filter((reading) => reading.verdict !== 'good');
    const before = this.#told.get(deadline.index);
    for (const { number, verdict, reason } of doubtful) {
      if (before?.has(`${number} ${reason}`)) continue;
      logger.warn({ ...at, verdict }, `bad sector ${number}: ${reason} (faulty on chain, not declared recovered)`);
    }
    this.#told.set(deadline.index, new Set(doubtful.map(({ number, reason }) => `${number} ${reason}`)));
    const condition = `faults-not-recovering/${minerId}/${deadline.index}`;
    const [first] = doubtful;
    if (first === undefined) {
      alerts.resolve(condition);
      return;
    }
    const text =
      `${doubtful.length} faulty sectors of deadline ${deadline.index} cannot be proven and lose their reward each day, the first ` +
      `is ${first.number}: ${first.reason}`;
    alerts.raise(condition, { class: 'faults-not-recovering', severity: 'warning', ...at, text });
  }
}
