import type { Clock } from '../../clock/clock.ts';
import { CoalescedLoop } from '../../clock/coalesced-loop.ts';
import type { Database } from '../../database/database.ts';
import { errorText } from '../../errors/coded-error.ts';
import { type PoolChildInit, ProverPool } from '../../ext-processor/prover-pool.ts';
import type { Verifier } from '../../ext-processor/verifier.ts';
import { ChildTasks } from '../../poster/child-tasks.ts';
import type { TaskService } from '../../poster/task-service.ts';
import { joinSlaves } from '../../queue/join-slaves.ts';
import { RPC_VERSION } from '../../rpc/methods.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** In the table of slaves, which the reserve and the watch of the capacity count: the leading manager's children are one. */
const NAME = 'ext-prover';
const RETRY_MS = 5_000;

/** The children of ext-prover.cfg that are no master of ours. */
export class OwnProvers {
  readonly tasks: TaskService;
  readonly #pool: ProverPool;
  readonly #tasks: ChildTasks;
  readonly #telling: CoalescedLoop;
  #db: Database | undefined;

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger; readonly verifier: Verifier },
    init: { readonly children: readonly PoolChildInit[]; readonly onTask: () => void },
  ) {
    this.#telling = new CoalescedLoop(components, {
      retryMs: RETRY_MS,
      onFailure: (error) => components.logger.debug({ error: errorText(error) }, 'slots of children not written yet'),
      work: () => this.#tell(this.#pool.slots),
    });
    this.#pool = new ProverPool(components, {
      stage: 'window_post',
      children: init.children,
      onChange: () => this.#telling.wake(),
    });
    this.#tasks = new ChildTasks({ ...components, pool: this.#pool }, { onFinish: init.onTask });
    this.tasks = this.#tasks;
  }

  /** @throws CodedError `no-ext-prover` */
  async start(): Promise<void> {
    await this.#pool.start();
  }

  /** @param db in which only the leading manager can write; undefined: this one leads no more */
  lead(db: Database | undefined): void {
    this.#db = db;
    this.#telling.wake();
  }

  async close(): Promise<void> {
    this.#tasks.close();
    await this.#pool.close();
    await this.#telling.close();
    await this.#tell(0).catch(() => {});
  }

  async #tell(slots: number): Promise<void> {
    if (this.#db === undefined) return;
    await joinSlaves(this.#db, [{ name: NAME, remote: '', version: RPC_VERSION, slots, sectorSize: null }]);
  }
}
