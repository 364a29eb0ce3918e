import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/clock/system-clock.ts';
import { startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

/** One private MariaDB for the run; each test file makes schemas of its own in it (test/support/database.ts). */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-test-'));
  const database = await startEmbeddedDatabase(
    { clock: systemClock, logger: createLogger('test', { LOG_LEVEL: 'warn' }) },
    { dataDir: join(home, 'database') },
  );
  project.provide('databaseUrl', database.url);
  return async () => {
    await database.stop();
    await rm(home, { recursive: true });
  };
}
