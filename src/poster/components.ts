import type { Chain } from '../chain/chain.ts';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Rehearser } from '../ext-processor/rehearser.ts';
import type { Verifier } from '../ext-processor/verifier.ts';
import type { Address } from '../filecoin/address.ts';
import type { StoreChecker } from '../stores/store-checker.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TaskService } from './task-service.ts';

/** What posting for a miner needs of the rest of the manager. */
export interface PosterComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerts: Alerts;
  readonly db: Database;
  readonly chain: Chain;
  readonly tasks: TaskService;
  readonly verifier: Verifier;
  readonly checker: Pick<StoreChecker, 'check'>;
  readonly rehearser: Rehearser;
  /** A message was put in the outbox. */
  readonly onIntent: () => void;
}

/** A miner to post for, from one [[Miners]] section. Lengths in epochs, 0 already replaced by its default. */
export interface MinerSettings {
  readonly minerId: number;
  readonly address: Address;
  readonly sender: Address;
  readonly challengeConfidence: number;
  readonly submitConfidence: number;
  readonly messageConfidence: number;
  readonly maxPartitions: number;
  /** Share of a partition, 0 to 1, up to which unreadable sectors are skipped rather than the partition left unsent. */
  readonly maxSkipShare: number;
  /** Tasks are submitted as they are ready, not one after the other. */
  readonly parallel: boolean;
  /** attoFIL that one message may cost. */
  readonly maxFee: bigint;
  /** attoFIL that one declaration of recoveries may cost. */
  readonly maxRecoveryFee: bigint;
  /** Nothing is declared before one real partition was proven and verified. */
  readonly firstRunGate: boolean;
  /** 0: no limit of its own. */
  readonly maxRecoverSectors: number;
  /** 0: no limit of its own. */
  readonly maxPartitionsPerRecovery: number;
}
