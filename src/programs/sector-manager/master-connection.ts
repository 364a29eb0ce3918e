import { hostname } from 'node:os';
import type { Clock } from '../../clock/clock.ts';
import { errorCode, errorText } from '../../errors/coded-error.ts';
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
    /** A task ended, or the connection was made again and something may have been missed. */
    readonly onTask: () => void;
    /** The first master reached turns us away: somebody has to act. */
    readonly onRefused: (error: unknown) => void;
  },
): RpcClient {
  const client = new RpcClient(components, {
    urls: init.masters,
    token: init.token,
    tls: init.tls,
    reconnectIntervalMs: RECONNECT_MS,
    hello: () => ({ role: 'submitter', name: `sector-manager@${hostname()}`.slice(0, 100) }),
    onHello: ({ master }) => {
      components.logger.info({ master }, 'connected to the master');
      init.onTask();
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
