import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { errorCode, errorText } from '../errors/coded-error.ts';
import { pruneArchived, pruneCluster, pruneRemoved } from '../queue/prune-archived.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface RetentionInit {
  /** 0: for ever. */
  readonly retentionMs: number;
  readonly archiveIntervalMs: number;
}

/** Others say that the database is away, or that another master leads. */
const QUIET = ['database-unavailable', 'not-leading'];
/** Slaves and masters that do not come back, and challenges of deadlines long over. */
const CLUSTER_AGE_MS = 30 * 24 * 3_600_000;
/** Each walks the whole archive once. */
const WALKS_IN_RETENTION = 30;

/** Keeps the archive to its age until the signal. Never rejects. */
export async function keepRetention(
  components: { readonly clock: Clock; readonly logger: Logger; readonly db: Database },
  init: RetentionInit,
  signal: AbortSignal,
): Promise<void> {
  const { clock, db, logger } = components;
  const { retentionMs, archiveIntervalMs } = init;
  const intervalMs = Math.max(archiveIntervalMs, retentionMs / WALKS_IN_RETENTION);
  for (let pauseMs = Math.min(archiveIntervalMs, intervalMs); !signal.aborted; pauseMs = intervalMs) {
    try {
      await clock.sleep(pauseMs, signal);
      await pruneCluster(db, CLUSTER_AGE_MS);
      if (retentionMs === 0) continue;
      const pruned = await pruneArchived(db, retentionMs, signal);
      await pruneRemoved(db, retentionMs, signal);
      if (pruned > 0) logger.info({ pruned }, 'archived tasks deleted, their retention is over');
    } catch (error) {
      if (signal.aborted || QUIET.includes(errorCode(error) ?? '')) continue;
      logger.error({ error: errorText(error) }, 'deleting archived tasks failed');
    }
  }
}
