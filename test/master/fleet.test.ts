import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { MasterConfig } from '../../src/config/master-file.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startHalfOpenProxy } from '../support/half-open-proxy.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { startTestMaster, type TestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter, type TestSlave, type TestSubmitter } from './test-peers.ts';

let schema: TestDatabase;
let master: TestMaster;
let submitter: TestSubmitter;
const clients: RpcClient[] = [];

beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await master.stop();
  await schema.drop();
});

async function start(task: Partial<MasterConfig['task']> = {}): Promise<void> {
  master = await startTestMaster(schema.url, task);
  submitter = await joinSubmitter(master.url);
  clients.push(submitter.client);
}

async function slave(name: string, init?: Parameters<typeof joinSlave>[2]): Promise<TestSlave> {
  const joined = await joinSlave(master.url, name, init);
  clients.push(joined.client);
  return joined;
}

const submit = (number: number, closeAt: number | null = null) =>
  submitter.client.call('task.submit', { task: sampleTask(number), closeAt });
const fail = (worker: TestSlave, lease: { id: string; attempt: number }) =>
  worker.client.call('attempt.fail', { id: lease.id, attempt: lease.attempt, class: 'slave', reason: 'no memory' });

test('a task goes to a slave that can read it; one that nobody can read is alarmed, and waits', async () => {
  await start();
  const elsewhere = await slave('elsewhere', { stores: ['/mnt'] });
  const { id } = await submit(1);
  const alarm = await master.log.until((line) => line.msg === 'no connected slave can take a task');
  expect(alarm).toMatchObject({ level: 50, id, stores: ['/store'] });
  const reader = await slave('reader', { stores: ['/store'] });
  expect(await reader.starts.next()).toMatchObject({ id, attempt: 1 });
  expect(elsewhere.starts.size).toBe(0);
});

test('a slave where different tasks fail in a row gets nothing for a while, also when it comes again', async () => {
  await start({ retryJobIntervalMs: 60_000 });
  // The last one in service would not be held back.
  await slave('other', { stores: ['/mnt'] });
  const bad = await slave('bad');
  for (const number of [1, 2, 3]) {
    await submit(number);
    await fail(bad, await bad.starts.next());
  }
  await master.log.until((line) => line.msg === 'slave is held back: different tasks failed there in a row');
  await bad.client.close();
  // With more free slots it would be the first choice.
  const again = await slave('bad', { slots: 9 });
  const good = await slave('good', { slots: 5 });
  const ids = new Set<string>();
  for (let count = 0; count < 3; count++) ids.add((await good.starts.next()).id);
  expect(ids.size).toBe(3);
  const { id } = await submit(4);
  expect(await good.starts.next()).toMatchObject({ id });
  expect(again.starts.size).toBe(0);
});

test('a task that fails again and again on the only slave does not hold it back', async () => {
  await start({ retryJobIntervalMs: 10 });
  const worker = await slave('worker');
  const { id } = await submit(1, Date.now() + 3_600_000);
  for (let attempt = 1; attempt <= 4; attempt++) {
    const lease = await worker.starts.next();
    expect(lease).toMatchObject({ id, attempt });
    await fail(worker, lease);
  }
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ retryCount: 4 });
});

test('near Close an idle slave takes a second attempt; the first verified proof wins, the other is cancelled', async () => {
  await start({ timeoutMs: 60_000 });
  const first = await slave('first');
  // Nothing was proven yet, so a proof may take task.timeout: this is the last moment for another one.
  const { id } = await submit(1, Date.now() + 70_000);
  const lease = await first.starts.next();
  const second = await slave('second');
  expect(await second.starts.next()).toMatchObject({ id, attempt: 2 });
  expect(await first.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await second.cancels.next()).toMatchObject({ id, attempt: 2, reason: 'superseded' });
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ state: 'proven', attempts: 2 });
});

test('a slave whose connection closes is doubled at once, and may come again and win', async () => {
  await start({ heartbeatTimeoutMs: 3_600_000 });
  const gone = await slave('gone');
  const { id } = await submit(1);
  const lease = await gone.starts.next();
  // Answered after the start, so the lease stands.
  await gone.beat('proving', lease);
  const idle = await slave('idle');
  await gone.client.close();
  const closedAt = performance.now();
  expect(await idle.starts.next()).toMatchObject({ id, attempt: 2 });
  expect(performance.now() - closedAt).toBeLessThan(2_000);
  const again = await slave('gone', { working: [lease] });
  expect(await again.hellos.next()).toMatchObject({ closed: [] });
  expect(await again.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await idle.cancels.next()).toMatchObject({ id, attempt: 2, reason: 'superseded' });
});

test('an attempt that never leaves its SNARK is ended, whatever progress it tells of', async () => {
  await start({ timeoutMs: 200 });
  const stuck = await slave('stuck');
  const { id } = await submit(1);
  const lease = await stuck.starts.next();
  // The last ones may find the connection closed.
  const beats = setInterval(() => stuck.beat('proving', lease).catch(() => {}), 20);
  const cancel = await stuck.cancels.next().finally(() => clearInterval(beats));
  expect(cancel).toMatchObject({ id, attempt: 1, reason: 'timeout' });
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ retryCount: 1 });
});

test('the slot of an outcome is free before it is verified and stored', async () => {
  await start();
  const worker = await slave('worker');
  await Promise.all([1, 2, 3, 4].map((number) => submit(number)));
  const verdicts = [];
  for (let count = 0; count < 4; count++) {
    const lease = await worker.starts.next();
    verdicts.push(worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF }));
  }
  expect(await Promise.all(verdicts)).toEqual(verdicts.map(() => ({ accepted: true, reason: null })));
});

test('the slot of a cancelled attempt is free when its slave says so', async () => {
  await start();
  let free = (): void => {};
  const freeAfterCancel = new Promise<void>((resolve) => {
    free = resolve;
  });
  const worker = await slave('worker', { freeAfterCancel });
  const { id } = await submit(1);
  await worker.starts.next();
  await submitter.client.call('task.cancel', { id, reason: 'tried' });
  await worker.cancels.next();
  // One for which a slot is free runs at once.
  const next = await submit(2);
  expect(next.state).toBe('waiting');
  free();
  expect(await worker.starts.next()).toMatchObject({ id: next.id });
  await worker.client.call('attempt.finish', { id: next.id, attempt: 1, output: SAMPLE_PROOF });
  expect(await submit(3)).toMatchObject({ state: 'running', slave: 'worker', attempts: 1 });
});

test('a slave that beats for an attempt whose outcome was just taken is not told to drop it', async () => {
  await start();
  const worker = await slave('worker');
  await submit(1);
  const lease = await worker.starts.next();
  const verdict = worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(await worker.beat('proving', lease)).toEqual([]);
  expect(await verdict).toMatchObject({ accepted: true });
  expect(await worker.beat('proving', lease)).toEqual([]);
});

const LOST_IN_A_ROW = 'slave is held back: it was lost with its tasks several times in a row';

/** A slave that dies as soon as it has a task. */
async function dieWithATask(name: string): Promise<void> {
  const sick = await slave(name);
  const lease = await sick.starts.next();
  // Answered after the start, so the lease stands.
  await sick.beat('reading', lease);
  await sick.client.close();
  await master.log.until((line) => line.msg === 'slave left' && line.slave === name);
}

test('a task is not given again to the slave that died with it while another may get it', async () => {
  await start({ retryJobIntervalMs: 60_000, heartbeatTimeoutMs: 3_600_000 });
  const good = await slave('good');
  const { id: first } = await submit(1, Date.now() + 3_600_000);
  const lease = await good.starts.next();
  expect(lease.id).toBe(first);
  const { id: near } = await submit(2, Date.now() + 1_800_000);
  await dieWithATask('sick');
  const { id: later } = await submit(3, Date.now() + 3_600_000);
  const again = await slave('sick');
  expect(await again.starts.next()).toMatchObject({ id: later });
  await good.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(await good.starts.next()).toMatchObject({ id: near, attempt: 2 });
  expect(await submitter.client.call('task.get', { id: near })).toMatchObject({ retryCount: 0 });
});

test('a slave that dies at each start is held back with an alarm, over all its comings', async () => {
  await start({ retryJobIntervalMs: 10, heartbeatTimeoutMs: 3_600_000 });
  // The last one in service would not be held back.
  await slave('other', { stores: ['/mnt'] });
  const { id } = await submit(1);
  for (let count = 0; count < 3; count++) await dieWithATask('sick');
  const again = await slave('sick');
  expect(await master.log.until((line) => line.msg === LOST_IN_A_ROW)).toMatchObject({ level: 50, slave: 'sick' });
  const good = await slave('good');
  expect(await good.starts.next()).toMatchObject({ id, attempt: 4 });
  expect(again.starts.size).toBe(0);
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ retryCount: 0 });
});

test('neither a slave that is stopped nor a master that is started again counts against it', async () => {
  await start({ retryJobIntervalMs: 10, heartbeatTimeoutMs: 3_600_000 });
  await submit(1, Date.now() + 3_600_000);
  for (let count = 0; count < 4; count++) {
    await slave('other', { stores: ['/mnt'] });
    const stopped = await slave('worker');
    const { id, attempt } = await stopped.starts.next();
    const words = { class: 'transient', reason: 'the slave is stopping' } as const;
    await stopped.client.call('attempt.fail', { id, attempt, ...words });
    await stopped.client.close();
    const cut = await slave('worker');
    await cut.beat('reading', await cut.starts.next());
    await master.stop();
    for (const client of clients.splice(0)) await client.close();
    await start({ retryJobIntervalMs: 10, heartbeatTimeoutMs: 3_600_000 });
  }
  const worker = await slave('worker');
  expect((await worker.starts.next()).attempt).toBeGreaterThanOrEqual(9);
  expect(await schema.db.kysely.selectFrom('slaves').select('name').where('held_until', '>', 0).execute()).toEqual([]);
});

test('of two slaves of one name the second is turned away while the first answers, and does not ask again at once', async () => {
  await start();
  const first = await slave('twin');
  const second = new RpcClient(
    { clock: systemClock, logger: silentLogger },
    { urls: [master.url], reconnectIntervalMs: 20, hello: () => ({ role: 'slave', name: 'twin', slots: 1 }) },
  );
  clients.push(second);
  const refused = second.start();
  refused.catch(() => {});
  const alarm = await master.log.until((line) => line.msg === 'two slaves have the same name');
  expect(alarm).toMatchObject({ level: 50, slave: 'twin', help: expect.stringContaining('slave.toml') });
  await expect(second.call('slave.heartbeat', { attempts: [], free: 1 }, { timeoutMs: 300 })).rejects.toMatchObject({
    code: 'not-connected',
    message: expect.stringContaining('another slave named twin'),
  });
  const { id } = await submit(1);
  expect(await first.starts.next()).toMatchObject({ id, attempt: 1 });
  await first.client.close();
});

test('a slave that was started again comes in within seconds though its former connection hangs half-open', async () => {
  await start();
  const proxy = await startHalfOpenProxy(master.port);
  const lost = await joinSlave(proxy.address, 'worker');
  clients.push(lost.client);
  proxy.stall();
  const since = performance.now();
  const again = await slave('worker');
  await again.hellos.next();
  expect(performance.now() - since).toBeLessThan(5_000);
  await proxy.close();
});
