import { join } from 'node:path';
import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import type { Servers } from '../servers.ts';
import { type Payload, payloadOf, textOf } from './payload.ts';
import { CONCURRENCY, type Consumer, type ConsumerHooks, type Producer, type System } from './system.ts';

/** Documented for throughput: each process fetches jobs ahead and completes them together. */
const batched = {
  localQueue: { size: 64 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

/** Its own log costs it time, ours is on. */
const logger = new Logger(() => () => {});
const MAX_CONNECTIONS = 20;

export const graphile: System = {
  name: 'graphile',
  about: 'graphile-worker 0.17, default settings, PostgreSQL with synchronous_commit=on',
  server: 'postgres',
  prepare,
  producer,
  consumer: (place, hooks) => consumer(place, hooks, {}),
};

export const graphileBatched: System = {
  ...graphile,
  name: 'graphile-batched',
  about: 'graphile-worker 0.17, local queue of 64 and batched completion, PostgreSQL with synchronous_commit=on',
  consumer: (place, hooks) => consumer(place, hooks, batched),
};

async function prepare(servers: Servers): Promise<string> {
  const folder = await servers.socket('postgres');
  const place = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(join(folder))}`;
  const client = new pg.Client({ connectionString: place });
  await client.connect();
  await client.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
  await client.end();
  await runMigrations({ connectionString: place, preset: { worker: { logger } } });
  return place;
}

async function producer(place: string): Promise<Producer> {
  const pgPool = new pg.Pool({ connectionString: place, max: MAX_CONNECTIONS });
  const utils = await makeWorkerUtils({ pgPool, logger });
  return {
    async enqueue(task) {
      await utils.addJob('prove', payloadOf(task));
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}

async function consumer(place: string, hooks: ConsumerHooks, settings: object): Promise<Consumer> {
  const pgPool = new pg.Pool({ connectionString: place, max: MAX_CONNECTIONS });
  const preset = { worker: { concurrentJobs: CONCURRENCY, ...settings } };
  const taskList = {
    async prove(payload: unknown) {
      hooks.handle(textOf(payload as Payload));
    },
  };
  const runner = await run({ pgPool, preset, taskList, logger, noHandleSignals: true });
  runner.events.on('job:complete', () => hooks.finished());
  return {
    async close() {
      await runner.stop();
      await pgPool.end();
    },
  };
}
