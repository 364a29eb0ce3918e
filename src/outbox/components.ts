import type { Chain } from '../chain/chain.ts';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface OutboxComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Pick<Database, 'kysely'>;
  readonly chain: Chain;
}
