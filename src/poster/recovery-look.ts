import type { MinerInfo, Partition } from '../chain/miner-state.ts';
import type { TipSet } from '../chain/tipset.ts';
import { CodedError } from '../errors/coded-error.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import type { GoodSector } from '../stores/sector-check.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import type { FirstRunGate } from './first-run-gate.ts';
import { readSectors, type SectorReading } from './read-sectors.ts';
import { type Recoverable, recoveryMessages } from './recoveries.ts';
import { declaredSectors, storeRecovery } from './recovery-store.ts';

/** What was read waits so long for the rest of its deadline, to share a message; and this near the cutoff not at all. */
const PATIENCE_EPOCHS = 10;

export interface RecoveryLookInit {
  readonly miner: MinerSettings;
  readonly gate: FirstRunGate;
  readonly deadline: DeadlineInfo;
  readonly head: TipSet;
  readonly signal: AbortSignal;
  /** Whether the chain would refuse any declaration now. */
  readonly isBlocked: (info: MinerInfo, head: TipSet) => Promise<boolean>;
}

/** One look at the faulty sectors of a deadline, which declares what it could read. */
export class RecoveryLook {
  readonly #components: PosterComponents;
  readonly #init: RecoveryLookInit;
  readonly #tooLate = new AbortController();
  readonly #signal: AbortSignal;
  readonly #readings: SectorReading[] = [];
  #head: TipSet;
  #found: Recoverable[] = [];
  /** Height at which the first of them was found. */
  #foundAt = 0;
  /** Sectors that this look has declared. */
  #declared = 0;
  #declaring: Promise<void> = Promise.resolve();

  constructor(components: PosterComponents, init: RecoveryLookInit) {
    this.#components = components;
    this.#init = init;
    this.#head = init.head;
    this.#signal = AbortSignal.any([init.signal, this.#tooLate.signal]);
  }

  /** A newer head than that of the beginning. */
  onHead(head: TipSet): void {
    this.#head = head;
    const { deadline, miner } = this.#init;
    const left = deadline.faultCutoff - head.height;
    if (left <= 0) {
      this.#tooLate.abort(
        new CodedError('too-late', `nothing can be declared any more for deadline ${deadline.index}`),
      );
    }
    const isDue = head.height >= this.#foundAt + PATIENCE_EPOCHS || left <= PATIENCE_EPOCHS;
    if (this.#found.length === 0 || !isDue) return;
    this.#declare().catch((err: unknown) => {
      const at = { err, minerId: miner.minerId, deadline: deadline.index };
      this.#components.logger.warn(at, 'declaring recoveries failed, trying again');
    });
  }

  /** What was read, good or not; empty where nothing is faulty. Undefined where nothing may be declared now. */
  async run(): Promise<readonly SectorReading[] | undefined> {
    const { chain, db, logger } = this.#components;
    const { deadline, head, miner } = this.#init;
    const { address, minerId } = miner;
    const partitions = await chain.partitions(address, deadline.index, head.key);
    const window = { minerId, deadline: deadline.index, open: deadline.open };
    const declared = await declaredSectors(db.kysely, window, head.height);
    const wanted = partitions.map(({ faulty, recovering }) => faulty.subtract(recovering).subtract(declared));
    const faulty = wanted.reduce((all, some) => all.union(some), Bitfield.empty);
    if (faulty.isEmpty) return [];
    const info = await chain.minerInfo(address, head.key);
    if (await this.#init.isBlocked(info, head)) return undefined;
    await this.#read(partitions, wanted, info.windowPoStProofType);
    const readable = this.#readings.filter(({ verdict }) => verdict === 'good').length;
    if (readable === 0) {
      logger.warn({ minerId, deadline: deadline.index, faulty: faulty.count }, 'No recoveries to declare');
    }
    await this.#declare();
    const { maxRecoverSectors } = miner;
    if (maxRecoverSectors > 0 && readable > maxRecoverSectors) {
      logger.warn(
        { minerId },
        `accepted more recoveries (${readable}) than RecoveringSectorLimit (${maxRecoverSectors})`,
      );
    }
    return this.#readings;
  }

  /** One partition after the other: proofs read the same disks. A partition that cannot be read holds up no other. */
  async #read(partitions: readonly Partition[], wanted: readonly Bitfield[], proofType: number): Promise<void> {
    const { chain, logger } = this.#components;
    const { deadline, miner } = this.#init;
    const { address, minerId } = miner;
    for (const partition of partitions.keys()) {
      const some = wanted[partition];
      if (some === undefined || some.isEmpty || this.#tooLate.signal.aborted) continue;
      try {
        const sectors = await chain.sectors(address, some, this.#init.head.key);
        const readings = await readSectors(this.#components, { minerId, proofType, sectors, signal: this.#signal });
        this.#readings.push(...readings);
        const good = Bitfield.of(readings.filter(({ verdict }) => verdict === 'good').map(({ number }) => number));
        if (good.isEmpty) continue;
        if (this.#found.length === 0) this.#foundAt = this.#head.height;
        this.#found.push({ deadline: deadline.index, partition, open: deadline.open, sectors: good });
      } catch (err) {
        this.#init.signal.throwIfAborted();
        logger.warn({ err, minerId, deadline: deadline.index, partition }, 'faulty sectors could not be read');
      }
    }
  }

  /** What was found up to now, in turn after what is being declared. */
  #declare(): Promise<void> {
    const mine = this.#declaring.then(() => this.#declareFound());
    this.#declaring = mine.catch(() => {});
    return mine;
  }

  async #declareFound(): Promise<void> {
    const { gate, miner } = this.#init;
    const found = this.#found;
    const head = this.#head;
    if (found.length === 0 || head.height >= this.#init.deadline.faultCutoff) return;
    const sectors = this.#readings.filter((reading): reading is GoodSector => reading.verdict === 'good');
    const info = await this.#components.chain.minerInfo(miner.address, head.key);
    if (!(await gate.mayDeclare({ sectors, proofType: info.windowPoStProofType, found, head }))) return;
    await this.#store(found, head);
    this.#found = this.#found.filter((one) => !found.includes(one));
    this.#foundAt = this.#head.height;
  }

  async #store(found: readonly Recoverable[], head: TipSet): Promise<void> {
    const { db, clock, logger, onIntent } = this.#components;
    const { minerId, sender, messageConfidence, maxRecoveryFee, maxRecoverSectors } = this.#init.miner;
    if (maxRecoverSectors > 0 && this.#declared >= maxRecoverSectors) return;
    const limits = {
      sectors: maxRecoverSectors === 0 ? 0 : maxRecoverSectors - this.#declared,
      partitions: this.#init.miner.maxPartitionsPerRecovery,
    };
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
      this.#declared += stored.sectors;
      const facts = { minerId, message: stored.messageId, sectors: stored.sectors, height: head.height };
      logger.warn(facts, 'declare faults recovered message published');
      onIntent();
    }
  }
}
