import { once } from 'node:events';
import type { Clock } from '../../clock/clock.ts';
import { retry } from '../../clock/retry.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../database/embedded-database.ts';
import { errorText } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** An embedded database that is started again, over the same data and socket, whenever it ends by itself. */
export async function keepEmbeddedDatabase(
  components: { readonly clock: Clock; readonly logger: Logger },
  dataDir: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { clock, logger } = components;
  const stopping = new AbortController();
  const start = () => startEmbeddedDatabase(components, { dataDir });
  let current: EmbeddedDatabase = await start();
  const kept = (async () => {
    for (;;) {
      if (current.process.exitCode === null && current.process.signalCode === null) {
        await once(current.process, 'exit');
      }
      if (stopping.signal.aborted) return;
      logger.error({ dataDir }, 'embedded database ended, starting it again');
      current = await retry(
        clock,
        {
          pauseMs: 500,
          maxPauseMs: 10_000,
          signal: stopping.signal,
          onFailure: (error) => logger.error({ reason: errorText(error) }, 'embedded database does not start'),
        },
        start,
      );
    }
  })().catch(() => {});
  return {
    url: current.url,
    async stop() {
      stopping.abort();
      await current.stop();
      await kept;
    },
  };
}
