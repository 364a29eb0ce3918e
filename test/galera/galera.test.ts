import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { errorCode } from '../../src/errors/coded-error.ts';
import { startTestMaster } from '../master/test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave } from '../master/test-peers.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { findGalera, type GaleraCluster, startGaleraCluster } from './galera-cluster.ts';

const components = { clock: systemClock, logger: silentLogger };
const TASKS = 120;
const TRANSIENT = /^(database-.*|not-leading|connection-lost|not-connected|time-limit)$/;

const provider = await findGalera();
let cluster: GaleraCluster;
beforeAll(async () => {
  if (provider !== undefined) cluster = await startGaleraCluster(provider, 3);
});
afterAll(async () => await cluster?.stop());

/** As every client of the master does it. */
async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!TRANSIENT.test(errorCode(error) ?? '')) throw error;
      await systemClock.sleep(50);
    }
  }
}

async function work(slave: TestSlave): Promise<void> {
  for (;;) {
    const { id, attempt } = await slave.starts.next();
    await untilAnswered(() => slave.client.call('attempt.finish', { id, attempt, output: SAMPLE_PROOF }));
  }
}

/** Somebody at another node who changes the rows that the master changes: whoever commits second is refused there. */
async function meddle(db: Database, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await db.kysely
      .updateTable('task_details')
      .set({ retry_at: sql`retry_at + 1` })
      .where('last_attempt', '<', 2)
      .execute()
      .catch(() => {});
    await systemClock.sleep(10);
  }
}

async function status(db: Database, name: string): Promise<number> {
  const { rows } = await sql<{ Value: string }>`SHOW GLOBAL STATUS LIKE ${name}`.execute(db.kysely);
  return Number(rows[0]?.Value);
}

test('the node in use is killed in the middle of a run, another one is in its rows: nothing is lost, each task proven once', async ({
  skip,
}) => {
  if (provider === undefined) return skip('galera-4 is not installed');
  const urls = cluster.nodes.map(({ url }) => url);
  const master = await startTestMaster(urls, { retryJobIntervalMs: 500, heartbeatTimeoutMs: 3_000 });
  const other = await openDatabase(components, { url: urls[2] ?? '' });
  const submitter = await joinSubmitter(master.url);
  const slaves = await Promise.all(['one', 'two'].map((name) => joinSlave(master.url, name, { slots: 4 })));
  for (const slave of slaves) void work(slave);
  const done = new AbortController();
  const meddling = meddle(other, done.signal);

  const ids: string[] = [];
  for (let index = 0; index < TASKS; index++) {
    if (index === TASKS / 2) void cluster.nodes[0]?.end('SIGKILL');
    const submission = { task: sampleTask(index), closeAt: null };
    ids.push((await untilAnswered(() => submitter.client.call('task.submit', submission))).id);
  }
  for (const id of ids) {
    const isProven = async () =>
      (await untilAnswered(() => submitter.client.call('task.get', { id })))?.state === 'proven';
    await expect.poll(isProven, { timeout: 30_000 }).toBe(true);
  }
  done.abort();
  await meddling;

  const proven = await other.kysely
    .selectFrom('task_attempts')
    .select(['task_id', sql<number>`COUNT(*)`.as('times')])
    .where('outcome', '=', 'proven')
    .groupBy('task_id')
    .execute();
  expect(proven.map(({ task_id, times }) => [task_id, Number(times)]).sort()).toEqual(ids.map((id) => [id, 1]).sort());
  // What is tested did happen.
  const second = await openDatabase(components, { url: urls[1] ?? '' });
  const conflicts = await Promise.all(
    [second, other].flatMap((db) => [status(db, 'wsrep_local_bf_aborts'), status(db, 'wsrep_local_cert_failures')]),
  );
  expect(Math.max(...conflicts)).toBeGreaterThan(0);
  expect(await status(other, 'wsrep_cluster_size')).toBe(2);

  await Promise.all([...slaves, submitter].map(({ client }) => client.close()));
  await master.stop();
  await Promise.all([other.close(), second.close()]);
}, 90_000);
