import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { rpcTaskService } from '../../src/poster/task-service.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { fakeTask, prover, proverEnv } from '../ext-processor/real-prover.ts';
import { startTestMaster } from '../master/test-master.ts';
import { startSlave } from '../slave/test-slave.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

test('a slave proves and rehearses a store that it has elsewhere, and gets nothing of stores that it lacks', async () => {
  const database = await createTestDatabase();
  const master = await startTestMaster(database.url, {}, 0, prover);
  const client = new RpcClient(
    { clock: systemClock, logger: silentLogger },
    { urls: [master.url], reconnectIntervalMs: 20, hello: () => ({ role: 'submitter', name: 'manager' }) },
  );
  await client.start();
  const folder = await mkdtemp(join(tmpdir(), 'attached-'));
  onTestFinished(async () => {
    await client.close();
    await master.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  });
  const [there, here] = [join(folder, 'there'), join(folder, 'here')];
  const task = await fakeTask(there, 2);
  await rename(there, here);
  const env = { ...proverEnv, WDPOST_PROVER: prover };
  const lacking = startSlave(master.port, { env, slave: { name: 'lacking', stores: [join(folder, 'none')] } });
  const having = startSlave(master.port, {
    env,
    slave: { name: 'having', stores: [join(folder, 'none')] },
    attached: [{ name: 'moved', location: here }],
  });
  await Promise.all([lacking.nextProver(), having.nextProver()]);
  const joined = new Set<unknown>();
  await master.log.until((line) => {
    if (line.msg === 'slave joined' && Number(line.slots) > 0) joined.add(line.slave);
    return joined.size === 2;
  });

  const attachment = Buffer.from(JSON.stringify(task));
  await expect(client.call('task.rehearse', {}, { attachment })).rejects.toThrow('does not read all stores');

  await client.call('stores.tell', { stores: [{ name: 'moved', path: there }] });
  const rehearsed = await client.call('task.rehearse', {}, { attachment });
  expect(rehearsed).toMatchObject({ faults: [], slave: 'having', rehearsal: { readers: 32 } });
  expect(rehearsed.rehearsal?.sector_ms.map(([number]) => number)).toEqual([0, 1]);

  const { id } = await rpcTaskService(client).submit(task, Date.now() + 600_000);
  await expect
    .poll(async () => await client.call('task.get', { id }), { timeout: 30_000 })
    .toMatchObject({
      state: 'proven',
      slave: 'having',
    });
}, 60_000);
