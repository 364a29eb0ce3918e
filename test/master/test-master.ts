import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { vi } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { MasterConfig } from '../../src/config/master-file.ts';
import { runMaster } from '../../src/programs/master/master.ts';
import { EventQueue } from '../support/event-queue.ts';

export interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface TestMaster {
  readonly url: string;
  readonly port: number;
  readonly log: EventQueue<LogLine>;
  stop(): Promise<void>;
}

const FAKE_VERIFIER = fileURLToPath(new URL('../support/fake-verifier.mjs', import.meta.url));

/** A master in this process on a real database and a real port, with a verifier of its own that likes proofs beginning with 1. */
export async function startTestMaster(
  databaseUrl: string | readonly string[],
  task: Partial<MasterConfig['task']> = {},
  port = 0,
  verifier = FAKE_VERIFIER,
  clock: Clock = systemClock,
): Promise<TestMaster> {
  vi.stubEnv('WDPOST_PROVER', verifier);
  vi.stubEnv('WDPOST_TOKEN', '');
  const log = new EventQueue<LogLine>();
  const listening = new EventQueue<LogLine>();
  const lines = new Writable({
    write(chunk, _encoding, done) {
      const line: LogLine = JSON.parse(String(chunk));
      log.push(line);
      if (line.msg === 'master listens') listening.push(line);
      done();
    },
  });
  const stopping = new AbortController();
  const ended = runMaster(
    { clock, logger: pino({ level: 'debug' }, lines) },
    {
      server: { listen: { host: '127.0.0.1', port }, maxConnections: 50, insecure: false },
      db: { url: [databaseUrl].flat(), minConnections: 1, maxConnections: 10, idleTimeoutMs: 60_000 },
      task: {
        timeoutMs: 60_000,
        maxRetry: 2,
        heartbeatTimeoutMs: 15_000,
        retryJobIntervalMs: 100,
        archiveJobIntervalMs: 60_000,
        shouldArchiveMs: 60_000,
        retentionMs: 0,
        assumedCloseMs: 2_100_000,
        ...task,
      },
    },
    stopping.signal,
  );
  const first = await Promise.race([listening.next(), ended]);
  if (first === undefined) throw new Error('the master ended');
  const listensOn = Number(first.port);
  return {
    url: `ws://127.0.0.1:${listensOn}`,
    port: listensOn,
    log,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
