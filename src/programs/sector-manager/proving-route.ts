import type { Clock } from '../../clock/clock.ts';
import type { Database } from '../../database/database.ts';
import { createRehearser, type Rehearser } from '../../ext-processor/rehearser.ts';
import type { Verifier } from '../../ext-processor/verifier.ts';
import { slaveRehearser } from '../../poster/slave-rehearser.ts';
import { rpcTaskService, type TaskService } from '../../poster/task-service.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Cluster } from './cluster.ts';
import { connectMaster, tellStores } from './master-connection.ts';
import { OwnProvers } from './own-provers.ts';

/** By whom partitions are proven: slaves of a master, or children of this process. */
export interface ProvingRoute {
  readonly tasks: TaskService;
  readonly rehearser: Rehearser;
  /** @param db in which only the leading manager can write; undefined: this one leads no more */
  lead(db: Database | undefined): void;
  /** `stores` says something else now. */
  storesChanged(): void;
  close(): Promise<void>;
}

/** @throws CodedError `no-ext-prover` where none of the children starts */
export async function openProvingRoute(
  components: { readonly clock: Clock; readonly logger: Logger; readonly verifier: Verifier },
  init: {
    readonly cluster: Cluster;
    /** Where this manager has its persist stores. */
    readonly stores: () => readonly StorePlace[];
    /** A task ended, or may have. */
    readonly onTask: () => void;
    /** The master turns us away. */
    readonly onRefused: (error: unknown) => void;
  },
): Promise<ProvingRoute> {
  const local = createRehearser(components);
  const { cluster, onTask, onRefused, stores } = init;
  const { children } = cluster;
  if (children !== undefined) {
    const provers = new OwnProvers(components, { children, onTask });
    try {
      await provers.start();
    } catch (error) {
      await provers.close();
      throw error;
    }
    return {
      tasks: provers.tasks,
      rehearser: local,
      lead: (db) => provers.lead(db),
      storesChanged() {},
      close: () => provers.close(),
    };
  }
  const master = connectMaster(components, { ...cluster, stores, onTask, onRefused });
  return {
    tasks: rpcTaskService(master),
    rehearser: slaveRehearser(components, { master, local }),
    lead() {},
    storesChanged: () => void tellStores({ ...components, master }, init.stores()),
    close: () => master.close(),
  };
}
