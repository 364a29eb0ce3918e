import { expect, onTestFinished, test } from 'vitest';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter } from './test-peers.ts';

test('a proof that its submitter refuses is made anew by another slave, and told of', async () => {
  const schema = await createTestDatabase();
  const master = await startTestMaster(schema.url, { retryJobIntervalMs: 60_000 });
  const { client, changes } = await joinSubmitter(master.url);
  const first = await joinSlave(master.url, 'first');
  onTestFinished(async () => {
    for (const one of [client, first.client, second.client]) await one.close();
    await master.stop();
    await schema.drop();
  });
  const { id } = await client.call('task.submit', { task: sampleTask(1), closeAt: Date.now() + 3_600_000 });
  const finish = (slave: typeof first, attempt: number) =>
    slave.client.call('attempt.finish', { id, attempt, output: SAMPLE_PROOF });
  await first.starts.next();
  await finish(first, 1);
  await changes.until((change) => change.state === 'proven');

  const refusal = { id, proof: SAMPLE_PROOF.proofs[0] ?? '', reason: 'it does not verify here' };
  expect(await client.call('task.refuse', refusal)).toMatchObject({ state: 'waiting', attempts: 1, output: null });
  const second = await joinSlave(master.url, 'second');
  expect(await second.starts.next()).toMatchObject({ id, attempt: 2 });
  // Said twice, it is refused once.
  expect(await client.call('task.refuse', refusal)).toMatchObject({ state: 'running', attempts: 2 });
  await finish(second, 2);
  await changes.until((change) => change.state === 'proven');
  expect(first.starts.size).toBe(0);
  const report = await client.call('task.get', { id });
  expect(report).toMatchObject({ state: 'proven', slave: 'second', attempts: 2 });
  expect(await client.call('task.refuse', { ...refusal, id: '0'.repeat(32) })).toBeNull();
});

test('of one who has not asked for the task it changes nothing', async () => {
  const schema = await createTestDatabase();
  const master = await startTestMaster(schema.url);
  const { client, changes } = await joinSubmitter(master.url);
  const slave = await joinSlave(master.url, 'slave');
  const { client: stranger } = await joinSubmitter(master.url);
  onTestFinished(async () => {
    for (const one of [client, stranger, slave.client]) await one.close();
    await master.stop();
    await schema.drop();
  });
  const submission = { task: sampleTask(1), closeAt: Date.now() + 3_600_000 };
  const { id } = await client.call('task.submit', submission);
  await slave.starts.next();
  await slave.client.call('attempt.finish', { id, attempt: 1, output: SAMPLE_PROOF });
  await changes.until((change) => change.state === 'proven');
  const refusal = { id, proof: SAMPLE_PROOF.proofs[0] ?? '', reason: 'because' };
  expect(await stranger.call('task.refuse', refusal)).toMatchObject({ state: 'proven', output: SAMPLE_PROOF });
  expect(await client.call('task.get', { id })).toMatchObject({ state: 'proven' });
  // The answer to its own submission is its own to judge.
  await stranger.call('task.submit', submission);
  expect(await stranger.call('task.refuse', refusal)).toMatchObject({ output: null, attempts: expect.any(Number) });
});
