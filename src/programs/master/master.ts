import { hostname } from 'node:os';
import type { Clock } from '../../clock/clock.ts';
import type { MasterConfig } from '../../config/master-file.ts';
import { waitForDatabase } from '../../database/wait-for-database.ts';
import { DatabaseHealth } from '../../dispatch/database-health.ts';
import { Housekeeping } from '../../dispatch/housekeeping.ts';
import { Leader } from '../../dispatch/leader.ts';
import { createVerifier } from '../../ext-processor/verifier.ts';
import type { LeasePolicy } from '../../queue/end-lost-attempts.ts';
import { assertClosed } from '../../rpc/gatekeeper.ts';
import { RpcServer } from '../../rpc/rpc-server.ts';
import { loadTokens } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { masterHandlers } from './handlers.ts';
import { Submitters } from './submitters.ts';

/** Three full messages of a foreign manager, 7,047 replicas, are 1.65 MB. */
const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;

/**
 * Runs a master until the signal, then ends in order.
 * @throws CodedError when it cannot start
 */
export async function runMaster(
  components: { readonly clock: Clock; readonly logger: Logger },
  config: MasterConfig,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = components;
  const tokens = await loadTokens({ file: config.server.tokenFile, env: process.env });
  assertClosed({ ...config.server.listen, tokens, insecure: config.server.insecure });
  const db = await waitForDatabase(components, config.db, signal);
  if (db === undefined) return;
  const health = new DatabaseHealth(components);
  const verifier = createVerifier(components);
  const submitters = new Submitters();
  const policy: LeasePolicy = {
    maxRetry: config.task.maxRetry,
    retryIntervalMs: config.task.retryJobIntervalMs,
    heartbeatTimeoutMs: config.task.heartbeatTimeoutMs,
    progressTimeoutMs: config.task.timeoutMs,
  };
  const leader = new Leader(
    { clock, logger, db, verifier, health },
    { policy, onChange: (id, state) => submitters.tell(id, state) },
  );
  const housekeeping = new Housekeeping(
    { clock, logger, db, health, leader },
    {
      policy,
      sweepIntervalMs: config.task.retryJobIntervalMs,
      archiveIntervalMs: config.task.archiveJobIntervalMs,
      archiveAfterMs: config.task.shouldArchiveMs,
    },
  );
  const handlers = masterHandlers(
    { leader, submitters },
    { name: hostname(), heartbeatTimeoutMs: policy.heartbeatTimeoutMs },
  );
  const server = new RpcServer(
    { clock, logger, handlers },
    {
      ...config.server.listen,
      tokens,
      insecure: config.server.insecure,
      maxConnections: config.server.maxConnections,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
    },
  );
  try {
    await housekeeping.sweep();
    const address = await server.start();
    logger.info(address, 'master listens');
    housekeeping.start();
    await untilAborted(signal);
    logger.info('master stops');
  } finally {
    await server.close();
    await housekeeping.close();
    await leader.dispatcher.close();
    await verifier.close();
    await db.close();
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
