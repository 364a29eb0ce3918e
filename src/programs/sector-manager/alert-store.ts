import type { Clock } from '../../clock/clock.ts';
import { CoalescedLoop } from '../../clock/coalesced-loop.ts';
import type { Database } from '../../database/database.ts';
import { errorText } from '../../errors/coded-error.ts';
import type { KeptAlert } from '../../telemetry/alerts.ts';
import type { Logger } from '../../telemetry/logger.ts';

const RETRY_MS = 5_000;

/** Keeps the alerts that last in the table `alerts`, for the next manager or the next life of this one. */
export class AlertStore {
  readonly #db: Database;
  readonly #changed = new Map<string, KeptAlert | undefined>();
  readonly #loop: CoalescedLoop;

  /** @param components `db` in which only the leader can write */
  constructor(components: { readonly clock: Clock; readonly logger: Logger; readonly db: Database }) {
    this.#db = components.db;
    this.#loop = new CoalescedLoop(components, {
      retryMs: RETRY_MS,
      onFailure: (error) =>
        components.logger.warn({ reason: errorText(error) }, 'alerts could not be kept, trying again'),
      work: () => this.#write(),
    });
  }

  async load(): Promise<KeptAlert[]> {
    const rows = await this.#db.kysely.selectFrom('alerts').selectAll().execute();
    return rows.map(({ id, class: alertClass, severity, miner_id, deadline, text, since, told_at }) => ({
      id,
      class: alertClass,
      severity,
      ...(miner_id !== null && { minerId: miner_id }),
      ...(deadline !== null && { deadline }),
      text,
      since,
      toldAt: told_at,
    }));
  }

  /** @param alert undefined: it is over */
  keep(id: string, alert: KeptAlert | undefined): void {
    this.#changed.set(id, alert);
    this.#loop.wake();
  }

  /** Waits for what is being written; the rest is given up. */
  async close(): Promise<void> {
    await this.#loop.close();
  }

  async #write(): Promise<void> {
    const changes = [...this.#changed];
    if (changes.length === 0) return;
    await this.#db.transaction(async (trx) => {
      for (const [id, alert] of changes) {
        await trx.deleteFrom('alerts').where('id', '=', id).execute();
        if (alert !== undefined) await trx.insertInto('alerts').values(rowOf(alert)).execute();
      }
    });
    for (const [id, alert] of changes) if (this.#changed.get(id) === alert) this.#changed.delete(id);
  }
}

function rowOf({ id, class: alertClass, severity, minerId, deadline, text, since, toldAt }: KeptAlert) {
  return {
    id,
    class: alertClass,
    severity,
    miner_id: minerId ?? null,
    deadline: deadline ?? null,
    text,
    since,
    told_at: toldAt,
  };
}
