import { randomBytes } from 'node:crypto';
import type { TipSet } from '../chain/tipset.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import { encodeCbor } from '../filecoin/cbor.ts';
import { commRFromCid } from '../filecoin/cid.ts';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { declareFaultsRecoveredParams } from '../filecoin/miner-params.ts';
import { mainnetPolicy } from '../filecoin/policy.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import { addIntent } from '../outbox/add-intent.ts';
import type { GoodSector } from '../stores/sector-check.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { declarableDeadlines, type Recoverable, recoveryMessages } from './recoveries.ts';
import { declaredSectors, recordRecovery } from './recovery-store.ts';

/** Two hours at mainnet's pace; recoveries can be declared until 70 epochs before Open. */
const LOOKAHEAD_EPOCHS = 240;
const RECHECK_EPOCHS = 10;

/** Looks again at faulty sectors of the deadlines ahead and declares recovered what is back. */
export class RecoveryDeclarer {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #signal: AbortSignal;
  /** Open epoch of a window → height of the last look at its faults. */
  readonly #looked = new Map<number, number>();

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings; readonly signal: AbortSignal }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#signal = init.signal;
  }

  async advance(head: TipSet): Promise<void> {
    const current = await this.#components.chain.provingDeadline(this.#miner.address, head.key);
    const due = declarableDeadlines(current, LOOKAHEAD_EPOCHS).filter(
      (deadline) => head.height >= (this.#looked.get(deadline.open) ?? Number.NEGATIVE_INFINITY) + RECHECK_EPOCHS,
    );
    for (const open of this.#looked.keys()) if (open <= head.height) this.#looked.delete(open);
    const limits = { sectors: this.#miner.maxRecoverSectors, partitions: this.#miner.maxPartitionsPerRecovery };
    for (const deadline of due) {
      const found = await this.#readable(deadline, head);
      this.#looked.set(deadline.open, head.height);
      for (const message of recoveryMessages(found, limits)) await this.#declare(message, head);
    }
  }

  /** Faulty sectors, neither recovering nor in a declaration under way, whose files are there. */
  async #readable(deadline: DeadlineInfo, head: TipSet): Promise<Recoverable[]> {
    const { chain, db, checker, logger } = this.#components;
    const { address, minerId } = this.#miner;
    const partitions = await chain.partitions(address, deadline.index, head.key);
    const faulty = partitions
      .map((partition, index) => ({ index, sectors: partition.faulty.subtract(partition.recovering) }))
      .filter((partition) => !partition.sectors.isEmpty);
    if (faulty.length === 0) return [];
    const declared = await declaredSectors(db, { minerId, deadline: deadline.index, open: deadline.open });
    const [info, sectors] = await Promise.all([
      chain.minerInfo(address, head.key),
      chain.sectors(
        address,
        faulty.reduce((all, { sectors: some }) => all.union(some), Bitfield.empty),
        head.key,
      ),
    ]);
    const commR = new Map(sectors.map((sector) => [sector.number, commRFromCid(sector.sealedCid)]));
    const upgraded = new Map(sectors.map((sector) => [sector.number, sector.sectorKeyCid !== null]));
    const results: Recoverable[] = [];
    // One after the other: proofs read the same disks. A partition that cannot be read holds up no other.
    for (const { index, sectors: some } of faulty) {
      try {
        const checks = await checker.check({
          minerId,
          sectorSize: info.sectorSize,
          sectors: [...some.subtract(declared)].map((number) => ({ number, upgraded: upgraded.get(number) ?? false })),
          signal: this.#signal,
        });
        const there = checks.filter((check) => check.verdict === 'good');
        const good = Bitfield.of(await this.#read(there, info.windowPoStProofType, commR));
        results.push({ deadline: deadline.index, partition: index, open: deadline.open, sectors: good });
      } catch (err) {
        if (this.#signal.aborted) return [];
        logger.warn({ err, minerId, deadline: deadline.index, partition: index }, 'faulty sectors could not be read');
      }
    }
    return results.filter((result) => !result.sectors.isEmpty);
  }

  /** Those that give a vanilla proof for a challenge of our own: files that are there may still be corrupt. */
  async #read(
    sectors: readonly GoodSector[],
    proofType: number,
    commR: ReadonlyMap<number, Uint8Array>,
  ): Promise<number[]> {
    if (sectors.length === 0) return [];
    const { rehearser, logger } = this.#components;
    const task = {
      miner_id: this.#miner.minerId,
      proof_type: poStProofType(proofType).name,
      replicas: sectors.map((sector) => ({
        sector_id: sector.number,
        comm_r: [...(commR.get(sector.number) ?? [])],
        cache_dir: sector.cacheDir,
        sealed_file: sector.sealedFile,
      })),
      seed: [...proofSeed(randomBytes(32))],
    };
    const faults = await rehearser.faults(task, this.#signal);
    for (const [sector, reason] of faults) {
      logger.warn(
        { minerId: this.#miner.minerId, sector, reason },
        'sector is there but cannot be proven, not declared recovered',
      );
    }
    return sectors.map((sector) => sector.number).filter((number) => !faults.has(number));
  }

  async #declare(recoveries: readonly Recoverable[], head: TipSet): Promise<void> {
    const { db, clock, logger, onIntent } = this.#components;
    const { minerId, address, sender, messageConfidence, maxFee } = this.#miner;
    const params = encodeCbor(declareFaultsRecoveredParams, { recoveries });
    const messageId = await db.transaction(async (trx) => {
      const id = await addIntent(trx, {
        minerId,
        purpose: 'recover',
        runId: null,
        sender,
        recipient: address,
        method: MinerMethod.DeclareFaultsRecovered,
        params,
        maxFee,
        expiresEpoch: Math.min(...recoveries.map((recovery) => recovery.open)) - mainnetPolicy.faultDeclarationCutoff,
        confidence: messageConfidence,
      });
      await recordRecovery(trx, { messageId: id, minerId, recoveries, now: clock.now() });
      return id;
    });
    const sectors = recoveries.flatMap((recovery) => [...recovery.sectors]);
    logger.warn(
      { minerId, message: messageId, sectors: sectors.length, height: head.height },
      'declare faults recovered message published',
    );
    onIntent();
  }
}
