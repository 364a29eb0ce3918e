import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { startTestMaster } from './test-master.ts';
import { joinSlave, joinSubmitter } from './test-peers.ts';

const HEARTBEAT_TIMEOUT_MS = 1_000;

test('a database that is killed and comes back costs no lease', async () => {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-outage-'));
  const startDatabase = () =>
    startEmbeddedDatabase({ clock: systemClock, logger: silentLogger }, { dataDir: join(home, 'database') });
  const first = await startDatabase();
  const master = await startTestMaster(first.url, { heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS });
  const submitter = await joinSubmitter(master.url);
  const worker = await joinSlave(master.url, 'worker');
  const { id } = await submitter.client.call('task.submit', { task: sampleTask(1), closeAt: null });
  const lease = await worker.starts.next();

  const gone = once(first.process, 'exit');
  first.process.kill('SIGKILL');
  await gone;
  await master.log.until((line) => line.msg === 'database does not answer');
  await expect(worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).rejects.toMatchObject({
    code: 'database-unavailable',
  });
  // Longer away than a lease lives without heartbeats.
  await systemClock.sleep(2 * HEARTBEAT_TIMEOUT_MS);
  const second = await startDatabase();
  await master.log.until((line) => line.msg === 'database answers again');
  // Nobody is judged by heartbeats that could not be kept.
  await master.log.until((line) => line.msg === 'leases are not judged yet');
  expect(await worker.beat('proving', lease)).toEqual([]);
  expect(await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ state: 'proven', attempts: 1 });

  await Promise.all([worker.client.close(), submitter.client.close()]);
  await master.stop();
  await second.stop();
  await rm(home, { recursive: true });
});

test('a database that stands still for longer than a lease costs no lease', async () => {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-outage-'));
  const components = { clock: systemClock, logger: silentLogger };
  const database = await startEmbeddedDatabase(components, { dataDir: join(home, 'database') });
  const master = await startTestMaster(database.url, { heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS });
  const submitter = await joinSubmitter(master.url);
  const worker = await joinSlave(master.url, 'worker');
  const { id } = await submitter.client.call('task.submit', { task: sampleTask(1), closeAt: null });
  const lease = await worker.starts.next();

  database.process.kill('SIGSTOP');
  const beats = worker.beat('proving', lease);
  await systemClock.sleep(3 * HEARTBEAT_TIMEOUT_MS);
  database.process.kill('SIGCONT');
  await master.log.until((line) => line.msg === 'database stood still or its clock jumped');
  expect(await beats).toEqual([]);
  expect(await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF })).toMatchObject({
    accepted: true,
  });
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ state: 'proven', attempts: 1 });

  await Promise.all([worker.client.close(), submitter.client.close()]);
  await master.stop();
  await database.stop();
  await rm(home, { recursive: true });
});
