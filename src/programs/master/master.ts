import { hostname } from 'node:os';
import type { ServiceManager } from '../../cli/service-manager.ts';
import type { Clock } from '../../clock/clock.ts';
import { Gate } from '../../clock/gate.ts';
import { untilAborted } from '../../clock/until-aborted.ts';
import type { MasterConfig } from '../../config/master-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import { Leadership } from '../../leadership/leadership.ts';
import { RpcServer } from '../../rpc/rpc-server.ts';
import { loadServerTls } from '../../rpc/tls.ts';
import { loadTokens } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { advertisedAddress } from './advertised-address.ts';
import { masterHandlers } from './handlers.ts';
import { type ChildInit, listenAsChild, masterName } from './listen-as-child.ts';
import { Reign } from './reign.ts';

/** Three full messages of a foreign manager, 7,047 replicas, are 1.65 MB. */
const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;
/** For a hello that comes before it is decided who leads. */
const DECISION_LIMIT_MS = 5_000;
/** What slaves and managers hear. */
const REPLACED = 'this master leads no more';

/**
 * Runs a master until the signal, then ends in order: it leads, or stands by until the one that leads is gone.
 * @throws CodedError when it cannot start
 */
export async function runMaster(
  components: { readonly clock: Clock; readonly logger: Logger; readonly service?: ServiceManager },
  config: MasterConfig,
  signal: AbortSignal,
  child?: ChildInit,
): Promise<void> {
  const { clock, logger } = components;
  const { listen, insecure, maxConnections, ...server } = config.server;
  const tokens = await loadTokens({ file: server.tokenFile, env: process.env });
  const tls = await loadServerTls({ cert: server.tlsCert, key: server.tlsKey, clientCa: server.tlsClientCa });
  const asks = tokens.length > 0 || tls?.clientCa !== undefined;
  if (child !== undefined && asks) tokens.push({ secret: child.token, scopes: new Set(['submit']) });
  const db = await waitForDatabase(components, config.db, signal);
  if (db === undefined) return;
  const verifier = createVerifier(components);
  const decided = new Gate(components);
  let reign: Reign | undefined;
  let leadership: Leadership | undefined;
  const handlers = masterHandlers({
    name: hostname(),
    heartbeatTimeoutMs: config.task.heartbeatTimeoutMs,
    async reign() {
      await decided.wait(DECISION_LIMIT_MS);
      await leadership?.settled();
      return reign;
    },
    leader: () => leadership?.leader,
  });
  const rpc = new RpcServer(
    { clock, logger, handlers },
    { ...listen, tokens, tls, insecure, maxConnections, maxPayloadBytes: MAX_PAYLOAD_BYTES },
  );
  try {
    const address = await listenAsChild({ ...components, db, rpc }, { port: listen.port, signal, child });
    if (address === undefined) return;
    leadership = new Leadership(
      { ...components, db },
      {
        role: 'master',
        name: masterName(address.port),
        address: config.server.advertise ?? advertisedAddress({ ...address, hostname: hostname() }),
        async onLead(fenced) {
          const next = new Reign({ ...components, db: fenced, verifier }, config.task);
          try {
            await next.start();
            reign = next;
          } catch (error) {
            await next.close(REPLACED);
            throw error;
          }
        },
        async onLost() {
          const last = reign;
          reign = undefined;
          await last?.close(REPLACED);
        },
      },
    );
    await leadership.start();
    decided.open();
    logger.info(address, 'master listens');
    components.service?.ready(components, signal);
    child?.onReachable(address.port);
    await untilAborted(signal);
    logger.info('master stops');
  } finally {
    await rpc.close();
    await leadership?.close();
    await verifier.close();
    await db.close();
  }
}
