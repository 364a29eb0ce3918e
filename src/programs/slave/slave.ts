import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceManager } from '../../cli/service-manager.ts';
import type { Clock } from '../../clock/clock.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import type { SlaveConfig } from '../../config/slave-file.ts';
import { proverBinary } from '../../ext-processor/prover-binary.ts';
import { RpcClient } from '../../rpc/rpc-client.ts';
import { loadClientTls } from '../../rpc/tls.ts';
import { loadClientToken } from '../../rpc/tokens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Heartbeats } from './heartbeats.ts';
import { forcedSectorSize, slaveName } from './identity.ts';
import { ProvingSlot } from './proving-slot.ts';
import { Rehearsals } from './rehearsals.ts';
import { Workshop } from './workshop.ts';

/** For the master to hear that this slave is stopping. */
const LAST_WORDS_MS = 2_000;

/**
 * Runs a slave until the signal. It says hello when its provers have checked their parameters, or have failed to.
 * @throws CodedError when it cannot start, or the master turns it away
 */
export async function runSlave(
  components: { readonly clock: Clock; readonly logger: Logger; readonly service?: ServiceManager },
  config: SlaveConfig,
  init: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, logger } = components;
  const { env, signal } = init;
  // A prover has no business with the master.
  const { WDPOST_TOKEN: _, ...withoutToken } = env;
  const token = await loadClientToken({ file: config.master.tokenFile, env }, 'slave');
  const { tlsCa: ca, tlsCert: cert, tlsKey: key } = config.master;
  const tls = await loadClientTls({ ca, cert, key });
  const sectorSize = forcedSectorSize(env);
  const { memoryPerProof, stores } = config.slave;
  const { attached } = config;
  const readable = stores && [...stores, ...attached.map(({ location }) => location)];
  const name = slaveName({ configured: config.slave.name, host: hostname(), pid: process.pid, env });
  // GPU provers lock a file in TMPDIR: slots of one host that shared it would wait for each other.
  const scratch = await Promise.all(
    Array.from({ length: config.slave.concurrent }, () => mkdtemp(join(tmpdir(), 'wdpost-slot-'))),
  );
  const slots = scratch.map(
    (dir) =>
      new ProvingSlot(components, {
        bin: proverBinary(env),
        env: { ...withoutToken, TMPDIR: dir },
        memoryPerProof,
        stores: readable,
        onChange: () => heartbeats.wake(),
      }),
  );
  const rehearsals = new Rehearsals(components, { env: withoutToken, stores: readable, attached });
  const client: RpcClient = new RpcClient(components, {
    urls: config.master.serverAddr,
    token,
    tls,
    reconnectIntervalMs: config.master.reconnectIntervalMs,
    hello: () => ({
      role: 'slave',
      name,
      sectorSize,
      slots: slots.filter((slot) => slot.isReady).length,
      attempts: workshop.attempts.map(({ id, attempt }) => ({ id, attempt })),
      ...(stores !== undefined && { stores: [...stores] }),
      ...(attached.length > 0 && { attached: attached.map((store) => store.name) }),
    }),
    onHello(answer) {
      for (const closed of answer.closed) void workshop.drop(closed, 'the master has closed it');
      heartbeats.suit(answer);
      heartbeats.wake();
    },
    handlers: {
      'attempt.start': (started, body) => workshop.start(started, body),
      'attempt.cancel': async ({ reason, ...attempt }) => {
        await workshop.drop(attempt, reason);
        return null;
      },
      'task.rehearse': ({ stores: places }, body) => rehearsals.run(body, places),
    },
  });
  const workshop: Workshop = new Workshop({ clock, logger, slots, client, attached });
  const heartbeats = new Heartbeats(
    { clock, logger, client, workshop },
    { intervalMs: Math.min(config.master.heartbeatIntervalMs, config.slave.pullIntervalMs) },
  );

  async function work(): Promise<void> {
    await Promise.all(slots.map((slot) => slot.firstStart));
    if (signal.aborted) return;
    components.service?.ready(components, signal);
    await client.start();
    const ready = slots.filter((slot) => slot.isReady).length;
    const facts = { slave: name, slots: ready, of: slots.length, sectorSize, master: config.master.serverAddr };
    if (ready > 0) logger.info(facts, 'slave ready');
    else logger.warn(facts, 'slave connected, but its prover does not start: it gets no task until it does');
    await heartbeats.run(signal);
  }

  try {
    const stopped = signal.aborted ? undefined : once(signal, 'abort');
    await Promise.race([work(), stopped]);
  } finally {
    logger.info({ slave: name }, 'slave stops');
    if (client.isConnected) await withTimeLimit(clock, LAST_WORDS_MS, 'the master', workshop.stop()).catch(() => {});
    rehearsals.close();
    await client.close();
    await Promise.all(slots.map((slot) => slot.close()));
    await Promise.all(scratch.map((dir) => rm(dir, { recursive: true, force: true })));
  }
}
