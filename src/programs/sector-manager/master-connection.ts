import { hostname } from 'node:os';
import type { Clock } from '../../clock/clock.ts';
import { errorCode, errorText } from '../../errors/coded-error.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import { RpcClient } from '../../rpc/rpc-client.ts';
import type { ClientTls } from '../../rpc/tls.ts';
import type { Logger } from '../../telemetry/logger.ts';

const RECONNECT_MS = 3_000;

/** A connection to the master that is made again for as long as the manager runs. */
export function connectMaster(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: {
    readonly masters: readonly string[];
    readonly token: string | undefined;
    readonly tls: ClientTls | undefined;
    /** Where this manager has its persist stores. */
    readonly stores: () => readonly StorePlace[];
    /** A task ended, or the connection was made again and something may have been missed. */
    readonly onTask: () => void;
    /** The first master reached turns us away: somebody has to act. */
    readonly onRefused: (error: unknown) => void;
  },
): RpcClient {
  const client: RpcClient = new RpcClient(components, {
    urls: init.masters,
    token: init.token,
    tls: init.tls,
    reconnectIntervalMs: RECONNECT_MS,
    hello: () => ({ role: 'submitter', name: `sector-manager@${hostname()}`.slice(0, 100) }),
    onHello: ({ master }) => {
      components.logger.info({ master }, 'connected to the master');
      init.onTask();
      void tellStores({ logger: components.logger, master: client }, init.stores());
    },
    handlers: {
      'task.changed': () => {
        init.onTask();
        return null;
      },
    },
  });
  client.start().catch((error: unknown) => {
    // Closed before a master was ever reached.
    if (errorCode(error) === 'not-connected') return;
    components.logger.error({ reason: errorText(error) }, 'the master turned the manager away');
    init.onRefused(error);
  });
  return client;
}

/** After each connection, and when they change: slaves that have a store elsewhere learn from it what a task's paths mean. Never rejects. */
export async function tellStores(
  { logger, master }: { readonly logger: Logger; readonly master: Pick<RpcClient, 'call'> },
  stores: readonly StorePlace[],
): Promise<void> {
  try {
    await master.call('stores.tell', { stores: stores.map(({ name, path }) => ({ name, path })) });
  } catch (error) {
    // A master of before does not know it, and has no such slaves; one that went away is told when it is back.
    logger.debug({ reason: errorText(error) }, 'the master was not told of the stores');
  }
}
