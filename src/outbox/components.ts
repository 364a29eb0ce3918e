import type { Chain } from '../chain/chain.ts';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Carrier, FeeRules } from './settings.ts';

export interface OutboxComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Pick<Database, 'kysely' | 'transaction'>;
  readonly chain: Chain;
  readonly alerts: Alerts;
}

/** What the parts of the outbox share. */
export interface SendingComponents extends OutboxComponents {
  readonly carrier: Carrier;
  readonly rules: (minerId: number) => FeeRules;
}
