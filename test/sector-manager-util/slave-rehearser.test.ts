import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { slaveRehearser } from '../../src/poster/slave-rehearser.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { fakeTask } from '../ext-processor/real-prover.ts';
import { startTestMaster } from '../master/test-master.ts';
import { startSlave } from '../slave/test-slave.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const prover = proverBinary();

test('sectors are read on a slave, on another one where that cannot, and here where none can', async () => {
  const database = await createTestDatabase();
  const master = await startTestMaster(database.url, {}, 0, prover);
  const components = { clock: systemClock, logger: silentLogger };
  const client = new RpcClient(components, {
    urls: [master.url],
    reconnectIntervalMs: 20,
    hello: () => ({ role: 'submitter', name: 'manager' }),
  });
  await client.start();
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  onTestFinished(async () => {
    await client.close();
    await master.stop();
    await database.drop();
    await rm(folder, { recursive: true });
    vi.unstubAllEnvs();
  });
  const task = await fakeTask(folder, 3);
  await writeFile(join(folder, 'sealed', 's-t01000-1'), Buffer.alloc(2048, 1));
  let readHere = 0;
  const local = {
    faults: async () => {
      readHere += 1;
      return new Map();
    },
  };
  const rehearser = slaveRehearser(components, { master: client, local });
  const { signal } = new AbortController();
  const env = { ...process.env, WDPOST_PROVER: prover };

  expect((await rehearser.faults(task, signal)).size).toBe(0);
  expect(readHere).toBe(1);

  // A slave that may not read there, then one that may.
  const strange = startSlave(master.port, { env, slave: { name: 'strange', stores: [join(tmpdir(), 'elsewhere')] } });
  await strange.nextProver();
  await rehearser.faults(task, signal);
  expect(readHere).toBe(2);
  const good = startSlave(master.port, { env, slave: { name: 'good' } });
  await good.nextProver();
  await vi.waitFor(async () => {
    const faults = await rehearser.faults(task, signal);
    expect([...faults]).toEqual([[1, expect.objectContaining({ class: 'bad' })]]);
  }, 20_000);
  const before = readHere;
  for (let time = 0; time < 3; time++) expect((await rehearser.faults(task, signal)).size).toBe(1);
  expect(readHere).toBe(before);
  const tasks = await database.db.kysely.selectFrom('tasks').selectAll().execute();
  expect(tasks).toEqual([]);
}, 60_000);
