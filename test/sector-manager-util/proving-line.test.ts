import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { isGatePassed } from '../../src/poster/gate-store.ts';
import { recordStore } from '../../src/stores/index/store-records.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { startTestMaster, type TestMaster } from '../master/test-master.ts';
import { startSlave } from '../slave/test-slave.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ProvingScene, provingScene } from './proving-scene.ts';

const prover = proverBinary();
let database: TestDatabase;
let master: TestMaster;
beforeAll(async () => {
  database = await createTestDatabase();
  master = await startTestMaster(database.url, {}, 0, prover);
});
afterAll(async () => {
  await master.stop();
  await database.drop();
  vi.unstubAllEnvs();
});

const cluster = () => `Database = "${database.url}"\nMaster = "127.0.0.1:${master.port}"`;
const LIMIT = { timeout: 120_000 };
const network = 'wdpost-devnet';

test(
  'simulate-wdpost proves a real partition over master and slave, sends nothing, and opens the gate',
  LIMIT,
  async () => {
    const scene = await provingScene(OPEN + 2, { sectors: 4, cluster: cluster() });
    await recordStore(database.db, { name: 'store', path: scene.store }, { tookMs: 1, sectors: 4, strange: 0 });
    const slave = startSlave(master.port, { env: { ...process.env, WDPOST_PROVER: prover } });
    expect(await isGatePassed(database.db, { minerId: MINER, network })).toBe(false);

    vi.stubEnv('FIL_PROOFS_PARAMETER_CACHE', '/nowhere');
    await expect(scene.run('simulate-wdpost', { ddlIdx: '1', partitionIdx: '0' })).rejects.toThrow();
    vi.unstubAllEnvs();
    expect(await database.db.kysely.selectFrom('tasks').select('id').execute()).toEqual([]);

    await rm(scene.sealedFile(2));
    const lacking = await scene.run('simulate-wdpost', { ddlIdx: '1', partitionIdx: '0' });
    expect(lacking).toMatchObject({
      exitCode: 1,
      json: { passed: false, proven: 1, sectors: 2, skipped: [{ number: 2, verdict: 'bad' }] },
    });

    await writeFile(scene.sealedFile(3), Buffer.alloc(2048, 1));
    // Another challenge: the same task would be answered with the proof that is there.
    await scene.chain.chain.mine();
    const corrupt = await scene.run('simulate-wdpost', { ddlIdx: '1', partitionIdx: '0' });
    expect(corrupt).toMatchObject({ exitCode: 1, json: { passed: false, proven: 0, faults: [{ number: 3 }] } });

    const whole = await scene.run('simulate-wdpost', { ddlIdx: '0', partitionIdx: '0' });
    expect(whole.text).toContain('verdict   passed');
    expect(whole).toMatchObject({
      exitCode: 0,
      json: { passed: true, reason: null, proven: 2, challenge: OPEN - 7, slave: 'slave-under-test', gate: 'passed' },
    });
    expect(await isGatePassed(database.db, { minerId: MINER, network })).toBe(true);
    expect(await isGatePassed(database.db, { minerId: MINER, network: 'another' })).toBe(false);

    const messages = await database.db.kysely.selectFrom('messages').selectAll().execute();
    expect(messages).toEqual([]);
    await slave.stop();
  },
);

test('prove makes and sends a proof with nothing but node, stores and the prover of this host', LIMIT, async () => {
  const scene = await provingScene(OPEN - 3, { sectors: 2 });
  const place = { deadline: '0', partition: '0' };
  const file = join(dirname(scene.sealedFile(1)), 'kept.json');
  const kept = await scene.run('prove', { ...place, out: file });
  expect(kept.text).toContain(file);
  expect(kept).toMatchObject({ exitCode: 0, json: { deadline: 0, sectors: 2, skipped: [], message: null } });

  await rm(scene.sealedFile(1));
  await expect(scene.run('prove', place)).rejects.toMatchObject({ code: 'unreadable-sectors' });

  // What was kept needs no files any more.
  expect(await scene.run('prove', { ...place, proof: file })).toMatchObject({ json: { sectors: 2, file } });
  await writeFile(file, (await readFile(file, 'utf8')).replace('"deadline":0', '"deadline":1'));
  await expect(scene.run('prove', { ...place, proof: file })).rejects.toMatchObject({ code: 'bad-proof-file' });

  const sending = scene.run('prove', { ...place, send: true, skipUnreadable: true, out: file });
  const { chain } = scene.chain;
  await scene.chain.mineTo(OPEN + 1);
  await vi.waitUntil(() => chain.pool.size === 1, { timeout: 20_000, interval: 20 });
  await chain.mine();
  await chain.mine();
  await expect(sending).resolves.toMatchObject({ exitCode: 0, json: { sectors: 1, skipped: [1], exitCode: 0 } });
  const again = scene.run('prove', { ...place, send: true, skipUnreadable: true });
  await expect(again).rejects.toMatchObject({ code: 'already-proven' });
  await scene.chain.mineTo(OPEN + 70);
  await scene.chain.devnet.disputer.finish();
  expect(await scene.chain.events.next()).toMatchObject({ event: 'verified', deadline: 0, sectors: 1 });
});

/** Another store with whole copies; those of the first store give no proof for this sector any more. */
async function corruptWithCopy(scene: ProvingScene, sector: number): Promise<string> {
  const path = join(dirname(scene.store), 'second');
  await cp(scene.store, path, { recursive: true });
  await appendFile(
    join(scene.home, 'sector-manager.cfg'),
    `[[Common.PersistStores]]\nName = "second"\nPath = "${path}"\nReadOnly = true\n`,
  );
  await writeFile(scene.sealedFile(sector), Buffer.alloc(2048, 1));
  return path;
}

test('of a corrupt sector prove and simulate-wdpost take the other copy', LIMIT, async () => {
  const scene = await provingScene(OPEN - 3, { sectors: 2, cluster: cluster() });
  const second = await corruptWithCopy(scene, 1);
  for (const [name, path] of Object.entries({ store: scene.store, second })) {
    await recordStore(database.db, { name, path }, { tookMs: 1, sectors: 2, strange: 0 });
  }
  const place = { deadline: '0', partition: '0', out: join(scene.home, 'kept.json') };
  expect(await scene.run('prove', place)).toMatchObject({ exitCode: 0, json: { sectors: 2, skipped: [] } });

  const slave = startSlave(master.port, { env: { ...process.env, WDPOST_PROVER: prover } });
  const simulated = await scene.run('simulate-wdpost', { ddlIdx: '0', partitionIdx: '0' });
  expect(simulated.json).toMatchObject({
    passed: true,
    proven: 2,
    corrupt: [{ number: 1, sealedFile: scene.sealedFile(1), reason: expect.any(String) }],
    faults: [],
  });
  expect(simulated.text).toContain(`sector 1: ${scene.sealedFile(1)} with `);
  await slave.stop();

  await writeFile(join(second, 'sealed', `s-t0${MINER}-1`), Buffer.alloc(2048, 1));
  await expect(scene.run('prove', place)).rejects.toMatchObject({ code: 'unreadable-sectors' });
  expect((await scene.run('prove', { ...place, skipUnreadable: true })).json).toMatchObject({ skipped: [1] });
});
