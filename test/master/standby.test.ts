import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as baseTest, expect } from 'vitest';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { endMasterProcess, type MasterProcess, runVerb, startMasterProcess } from './daemon-process.ts';
import { joinSlave, joinSubmitter, type TestSlave, type TestSubmitter } from './test-peers.ts';

interface Pair {
  readonly schema: TestDatabase;
  readonly leader: MasterProcess;
  readonly standby: MasterProcess;
  readonly urls: string[];
}

/** Two masters on one database; the first one leads. */
const test = baseTest.extend<{ pair: Pair }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from a pattern
  pair: async ({}, use) => {
    const home = await mkdtemp(join(tmpdir(), 'wdpost-standby-'));
    const schema = await createTestDatabase();
    const databaseUrl = schema.url;
    const leader = await startMasterProcess(home, { name: 'leader', databaseUrl });
    const standby = await startMasterProcess(home, { name: 'standby', databaseUrl });
    await use({ schema, leader, standby, urls: [leader, standby].map(({ port }) => `ws://127.0.0.1:${port}`) });
    await Promise.all([endMasterProcess(leader), endMasterProcess(standby)]);
    await schema.drop();
    await rm(home, { recursive: true });
  },
});

/** With a task that runs, and one that waits. */
async function peersAtWork(urls: readonly string[]): Promise<{
  readonly submitter: TestSubmitter;
  readonly worker: TestSlave;
  readonly lease: { readonly id: string; readonly attempt: number };
  readonly waiting: string;
  close(): Promise<void>;
}> {
  const submitter = await joinSubmitter(urls);
  const worker = await joinSlave(urls, 'worker');
  await worker.hellos.next();
  await submitter.client.call('task.submit', { task: sampleTask(1), closeAt: null });
  const { id, attempt } = await worker.starts.next();
  worker.working.push({ id, attempt });
  const { id: waiting } = await submitter.client.call('task.submit', { task: sampleTask(2), closeAt: null });
  return {
    submitter,
    worker,
    lease: { id, attempt },
    waiting,
    async close() {
      await Promise.all([submitter.client.close(), worker.client.close()]);
    },
  };
}

test('a leader that is killed is replaced within ten seconds, and nothing is proven again', async ({
  pair: { leader, standby, urls },
}) => {
  const { submitter, worker, lease, waiting, close } = await peersAtWork(urls);
  const before = performance.now();
  leader.child.kill('SIGKILL');
  await worker.hellos.next();
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(verdict).toMatchObject({ accepted: true });
  worker.working.length = 0;
  expect(await worker.starts.next()).toMatchObject({ id: waiting, attempt: 1 });
  expect(await submitter.client.call('task.get', { id: lease.id })).toMatchObject({ state: 'proven', attempts: 1 });
  expect(await standby.log.until(({ msg }) => msg === 'master leads')).toMatchObject({ epoch: 2 });
  await close();
});

test('a leader that is told to stop hands over at the next look', async ({ pair: { leader, urls } }) => {
  const { submitter, worker, lease, close } = await peersAtWork(urls);
  const before = performance.now();
  leader.child.kill('SIGTERM');
  await worker.hellos.next();
  await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  // Without resigning it takes 6.
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await leader.exit).toBe(0);
  expect(await submitter.client.call('task.get', { id: lease.id })).toMatchObject({ state: 'proven', attempts: 1 });
  await close();
});

test('a leader that stood still finds itself replaced, writes nothing, and stands by', async ({
  pair: { schema, leader, standby, urls },
}) => {
  const { lease, waiting, close } = await peersAtWork(urls);
  leader.child.kill('SIGSTOP');
  await standby.log.until(({ msg }) => msg === 'master leads');
  // Peers find the silent socket dead after a while; these ones do not wait for that.
  const gone = close();
  const submitter = await joinSubmitter(urls[1] ?? '');
  const worker = await joinSlave(urls[1] ?? '', 'worker', { working: [lease] });
  await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(await worker.starts.next()).toMatchObject({ id: waiting, attempt: 1 });
  leader.child.kill('SIGCONT');
  expect(await leader.log.until(({ msg }) => msg === 'master leads no more')).toMatchObject({ epoch: 1 });
  const rows = await schema.db.kysely.selectFrom('task_attempts').select(['task_id', 'attempt', 'outcome']).execute();
  expect(rows).toHaveLength(2);
  expect(rows).toContainEqual({ task_id: lease.id, attempt: lease.attempt, outcome: 'proven' });
  expect(rows).toContainEqual({ task_id: waiting, attempt: 1, outcome: null });
  expect(await submitter.client.call('task.get', { id: waiting })).toMatchObject({ state: 'running', attempts: 1 });
  // And leads again when the other one goes.
  standby.child.kill('SIGTERM');
  expect(await leader.log.until(({ msg }) => msg === 'master leads')).toMatchObject({ epoch: 3 });
  await Promise.all([submitter.client.close(), worker.client.close(), gone]);
}, 60_000);

test('a master of the same name leads at once after SIGKILL', async ({ pair: { schema, leader } }) => {
  leader.child.kill('SIGKILL');
  await leader.exit;
  const again = await startMasterProcess(join(leader.file, '..'), {
    name: 'again',
    databaseUrl: schema.url,
    port: leader.port,
  });
  const row = await schema.db.kysely.selectFrom('leadership').select('epoch').executeTakeFirstOrThrow();
  expect(row.epoch).toBe(2);
  await endMasterProcess(again);
});

test('a standby sends operators on to the leader', async ({ pair: { standby } }) => {
  expect(await runVerb('tasks', 'list', '--master', `127.0.0.1:${standby.port}`)).toEqual({
    code: 0,
    out: 'no tasks\n',
    error: '',
  });
});
