import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { runSlave } from '../../src/programs/slave/slave.ts';
import { canonicalTask } from '../../src/queue/window-post-task.ts';
import type { RpcClient } from '../../src/rpc/rpc-client.ts';
import type { WindowPostOutput, WindowPostTask } from '../../src/rpc/window-post.ts';
import { batchTask, provenBy } from '../dispatch/batch-task.ts';
import { fakeTask, prover, proverEnv } from '../ext-processor/real-prover.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter } from './test-peers.ts';

const HOUR_MS = 3_600_000;

let schema: TestDatabase;
const clients: RpcClient[] = [];
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const stop of stops.splice(0).reverse()) await stop();
  await schema.drop();
});

async function startMaster(verifier?: string): Promise<TestMaster> {
  const master = await startTestMaster(schema.url, {}, 0, verifier);
  stops.push(() => master.stop());
  return master;
}

async function manager(
  master: TestMaster,
): Promise<{ client: RpcClient; ask(task: WindowPostTask): Promise<WindowPostOutput> }> {
  const { client } = await joinSubmitter(master.url);
  clients.push(client);
  return { client, ask: (task) => client.call('batch.prove', { task, closeAt: null }, { timeoutMs: HOUR_MS }) };
}

async function slave(master: TestMaster, name: string, slots = 1) {
  const joined = await joinSlave(master.url, name, { slots });
  clients.push(joined.client);
  return joined;
}

const sectorsOf = (task: WindowPostTask | undefined) => task?.replicas.map((replica) => replica.sector_id) ?? [];

test('a request is cut, proven side by side and answered as one proof', async () => {
  const master = await startMaster();
  const slaves = await Promise.all(['a', 'b', 'c'].map((name) => slave(master, name)));
  const { ask } = await manager(master);
  const answer = ask(batchTask([5, 4, 3, 2, 1, 1]));
  const leases = await Promise.all(slaves.map(async (worker) => ({ worker, lease: await worker.starts.next() })));
  for (const { worker, lease } of leases) {
    const { id, attempt, task } = lease;
    await worker.client.call('attempt.finish', { id, attempt, output: provenBy(sectorsOf(task)[0] ?? 0) });
  }
  const joined = Buffer.concat([1, 3, 5].flatMap((first) => Buffer.from(provenBy(first).proofs[0] ?? '', 'base64')));
  expect(await answer).toEqual({ proofs: [joined.toString('base64')], faults: [] });
});

test('a manager that went away, and a master that was restarted, find what was proven', async () => {
  const first = await startMaster();
  const worker = await slave(first, 'worker', 2);
  const before = await manager(first);
  const lost = before.ask(batchTask([1, 2, 3]));
  lost.catch(() => {});
  const [one, other] = [await worker.starts.next(), await worker.starts.next()];
  const finish = ({ id, attempt, task }: typeof one) =>
    worker.client.call('attempt.finish', { id, attempt, output: provenBy(sectorsOf(task)[0] ?? 0) });
  await before.client.close();
  await expect(lost).rejects.toMatchObject({ code: 'connection-lost' });
  await finish(one);
  worker.working.push(other);
  await first.stop();
  stops.pop();

  const second = await startTestMaster(schema.url, {}, first.port);
  stops.push(() => second.stop());
  const { ask } = await manager(second);
  const answer = ask(batchTask([1, 2, 3]));
  await finish(other);
  const joined = Buffer.concat([1, 3].flatMap((sector) => Buffer.from(provenBy(sector).proofs[0] ?? '', 'base64')));
  expect(await answer).toEqual({ proofs: [joined.toString('base64')], faults: [] });
  expect(await attempts()).toHaveLength(2);
});

test('faults and bad input are told as that manager knows them', async () => {
  const master = await startMaster();
  const worker = await slave(master, 'worker');
  const { ask } = await manager(master);
  await expect(ask({ ...batchTask([1]), seed: [] })).rejects.toMatchObject({ code: 'bad-task' });
  const answer = ask(batchTask([1, 2]));
  const { id, attempt } = await worker.starts.next();
  const details = [{ sector_id: 2, class: 'bad' as const, reason: 'too short' }];
  await worker.client.call('attempt.finish', { id, attempt, output: { proofs: [], faults: [2], details } });
  expect(await answer).toEqual({ proofs: [], faults: [2], details });
});

test('real proofs of three chunks, made by three slaves at once, are one proof of all sectors', async () => {
  const store = await mkdtemp(join(tmpdir(), 'batch-'));
  onTestFinished(() => rm(store, { recursive: true }));
  const task = await fakeTask(store, 5);
  const master = await startMaster(prover);
  for (const name of ['a', 'b', 'c']) await startRealSlave(master, name);
  const { ask } = await manager(master);
  // As that manager has it: out of order, and a good sector in the place of a missing one.
  const { replicas } = task;
  const output = await ask({ ...task, replicas: [...replicas.toReversed(), ...replicas.slice(0, 1)] });
  expect(output.faults).toEqual([]);
  const proof = Buffer.from(output.proofs[0] ?? '', 'base64');
  expect(proof.length).toBe(3 * 192);
  const made = await attempts();
  expect(made.map((attempt) => attempt.slave).toSorted()).toEqual(['a', 'b', 'c']);
  expect(Math.max(...made.map((attempt) => attempt.started_at))).toBeLessThan(
    Math.min(...made.map((attempt) => attempt.ended_at ?? 0)),
  );

  const verifier = createVerifier({ clock: systemClock, logger: silentLogger }, { bin: prover, env: proverEnv });
  onTestFinished(() => verifier.close());
  const body = canonicalTask(task);
  expect(await verifier.verifyTask(body, proof)).toEqual({ valid: true, reason: null });
  const swapped = Buffer.concat([proof.subarray(192, 384), proof.subarray(0, 192), proof.subarray(384)]);
  expect(await verifier.verifyTask(body, swapped)).toMatchObject({ valid: false });

  // What was proven is found again; without the last sector only its chunk is another.
  expect(await ask(task)).toEqual(output);
  const fewer = await ask({ ...task, replicas: replicas.slice(0, 4) });
  expect(Buffer.from(fewer.proofs[0] ?? '', 'base64')).toEqual(proof.subarray(0, 384));
  expect(await attempts()).toHaveLength(3);
}, 120_000);

async function attempts() {
  return await schema.db.kysely.selectFrom('task_attempts').select(['slave', 'started_at', 'ended_at']).execute();
}

/** Resolves when the master knows it. */
async function startRealSlave(master: TestMaster, name: string): Promise<void> {
  const stopping = new AbortController();
  const ended = runSlave(
    { clock: systemClock, logger: silentLogger },
    {
      master: { serverAddr: [`127.0.0.1:${master.port}`], reconnectIntervalMs: 20, heartbeatIntervalMs: 1_000 },
      slave: { concurrent: 1, pullIntervalMs: 1_000, name },
      attached: [],
    },
    { env: { ...proverEnv, WDPOST_PROVER: prover }, signal: stopping.signal },
  );
  stops.push(async () => {
    stopping.abort();
    await ended;
  });
  await master.log.until((line) => line.msg === 'slave joined' && line.slave === name && Number(line.slots) > 0);
}
