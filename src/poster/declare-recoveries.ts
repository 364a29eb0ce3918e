import type { MinerInfo, Partition } from '../chain/miner-state.ts';
import type { SectorInfo } from '../chain/sector-info.ts';
import type { TipSet } from '../chain/tipset.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { FirstRunGate } from './first-run-gate.ts';
import { readSectors, type SectorReading } from './read-sectors.ts';
import { declarableDeadlines, lookInterval, type Recoverable, recoveryMessages } from './recoveries.ts';
import { declaredSectors, storeRecovery } from './recovery-store.ts';
import { recoveryTrouble } from './recovery-trouble.ts';

/** Looks again at the faulty sectors of deadlines that can be declared for, and declares recovered what gives a real vanilla proof. */
export class RecoveryDeclarer {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #signal: AbortSignal;
  readonly #gate: FirstRunGate;
  /** Open epoch of a window → height of the last look at its faults. */
  readonly #looked = new Map<number, number>();
  /** Deadline → what was said of its sectors at the last look. */
  readonly #told = new Map<number, ReadonlySet<string>>();

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings; readonly signal: AbortSignal }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#signal = init.signal;
    this.#gate = new FirstRunGate(components, init);
  }

  /** @param current the proving deadline at this head */
  async advance(head: TipSet, current: DeadlineInfo): Promise<void> {
    for (const open of this.#looked.keys()) if (open <= head.height) this.#looked.delete(open);
    for (const deadline of declarableDeadlines(current)) {
      const last = this.#looked.get(deadline.open) ?? Number.NEGATIVE_INFINITY;
      if (head.height < last + lookInterval(deadline, head.height)) continue;
      await this.#look(deadline, head);
      this.#looked.set(deadline.open, head.height);
    }
  }

  async #look(deadline: DeadlineInfo, head: TipSet): Promise<void> {
    const { chain, db, logger } = this.#components;
    const { address, minerId } = this.#miner;
    const partitions = await chain.partitions(address, deadline.index, head.key);
    const window = { minerId, deadline: deadline.index, open: deadline.open };
    const declared = await declaredSectors(db.kysely, window, head.height);
    const wanted = partitions.map(({ faulty, recovering }) => faulty.subtract(recovering).subtract(declared));
    const faulty = wanted.reduce((all, some) => all.union(some), Bitfield.empty);
    if (faulty.isEmpty) {
      this.#tell(deadline, []);
      return;
    }
    const info = await chain.minerInfo(address, head.key);
    if (await this.#isBlocked(info, head)) return;
    const readings = await this.#read(partitions, wanted, info, deadline, head);
    this.#tell(deadline, readings);
    const good = Bitfield.of(readings.filter(({ verdict }) => verdict === 'good').map(({ number }) => number));
    const found = wanted
      .map((some, partition) => ({ partition, sectors: some.intersection(good) }))
      .filter(({ sectors }) => !sectors.isEmpty)
      .map((one): Recoverable => ({ ...one, deadline: deadline.index, open: deadline.open }));
    if (found.length === 0) {
      logger.warn({ minerId, deadline: deadline.index, faulty: faulty.count }, 'No recoveries to declare');
      return;
    }
    const sectors = readings.filter((reading) => reading.verdict === 'good');
    if (!(await this.#gate.mayDeclare({ sectors, proofType: info.windowPoStProofType, found, head }))) return;
    await this.#declare(found, good.count, head);
  }

  /** One partition after the other: proofs read the same disks. A partition that cannot be read holds up no other. */
  async #read(
    partitions: readonly Partition[],
    wanted: readonly Bitfield[],
    info: MinerInfo,
    deadline: DeadlineInfo,
    head: TipSet,
  ): Promise<SectorReading[]> {
    const { chain, logger } = this.#components;
    const { address, minerId } = this.#miner;
    const readings: SectorReading[] = [];
    for (const partition of partitions.keys()) {
      const some = wanted[partition];
      if (some === undefined || some.isEmpty) continue;
      try {
        const sectors: readonly SectorInfo[] = await chain.sectors(address, some, head.key);
        const init = { minerId, proofType: info.windowPoStProofType, sectors, signal: this.#signal };
        readings.push(...(await readSectors(this.#components, init)));
      } catch (err) {
        this.#signal.throwIfAborted();
        logger.warn({ err, minerId, deadline: deadline.index, partition }, 'faulty sectors could not be read');
      }
    }
    return readings;
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

  async #declare(found: readonly Recoverable[], readable: number, head: TipSet): Promise<void> {
    const { db, clock, logger, onIntent } = this.#components;
    const { minerId, sender, messageConfidence, maxRecoveryFee, maxRecoverSectors } = this.#miner;
    if (maxRecoverSectors > 0 && readable > maxRecoverSectors) {
      logger.warn(
        { minerId },
        `accepted more recoveries (${readable}) than RecoveringSectorLimit (${maxRecoverSectors})`,
      );
    }
    const limits = { sectors: maxRecoverSectors, partitions: this.#miner.maxPartitionsPerRecovery };
    for (const recoveries of recoveryMessages(found, limits)) {
      const stored = await storeRecovery(db, {
        minerId,
        sender,
        maxFee: maxRecoveryFee,
        confidence: messageConfidence,
        recoveries,
        height: head.height,
        now: clock.now(),
      });
      if (stored === undefined) continue;
      const facts = { minerId, message: stored.messageId, sectors: stored.sectors, height: head.height };
      logger.warn(facts, 'declare faults recovered message published');
      onIntent();
    }
  }
}
