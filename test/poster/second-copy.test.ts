import { cp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { createRehearser } from '../../src/ext-processor/rehearser.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { idAddress, parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { MinerSettings } from '../../src/poster/components.ts';
import { MinerPoster } from '../../src/poster/miner-poster.ts';
import { readSectors } from '../../src/poster/read-sectors.ts';
import { rpcTaskService } from '../../src/poster/task-service.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { SectorPlaces } from '../../src/stores/indexed-places.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { prover, proverEnv } from '../ext-processor/real-prover.ts';
import { startTestMaster } from '../master/test-master.ts';
import { provingScene } from '../sector-manager-util/proving-scene.ts';
import { startSlave } from '../slave/test-slave.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Of the first deadline, in one partition. */
const CORRUPT = 1;
const PROOF_TYPE = 10;

const settings = (sender: string): MinerSettings => ({
  minerId: MINER,
  address: idAddress(MINER),
  sender: parseAddress(sender),
  challengeConfidence: 4,
  submitConfidence: 4,
  messageConfidence: 3,
  maxPartitions: 3,
  maxSkipShare: 0.5,
  parallel: true,
  maxFee: 10n ** 18n,
  maxRecoveryFee: 10n ** 18n,
  firstRunGate: false,
  maxRecoverSectors: 0,
  maxPartitionsPerRecovery: 0,
});

const storeAt = (name: string, path: string): PersistStore => {
  return { name, path, strict: true, readOnly: true, weight: 1, allowMiners: [], denyMiners: [] };
};

test('of a corrupt sector the good copy in another store is proven and recovered, and nothing is skipped', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  const master = await startTestMaster(database.url, {}, 0, prover);
  const components = { clock: systemClock, logger: silentLogger };
  const alerts = new RecordedAlerts();
  const verifier = createVerifier(components, { bin: prover, env: proverEnv });
  const client = new RpcClient(components, {
    urls: [master.url],
    reconnectIntervalMs: 20,
    hello: () => ({ role: 'submitter', name: 'manager' }),
    handlers: {
      'task.changed': () => {
        poster.wake();
        return null;
      },
    },
  });
  const scene = await provingScene(OPEN + 5, { sectors: 2 });
  const { port, adminToken: token } = scene.chain.devnet;
  const chain = connectChain(components, [{ url: `ws://127.0.0.1:${port}/rpc/v1`, token }]);
  const spare = join(dirname(scene.store), 'spare');
  await cp(scene.store, spare, { recursive: true });
  await writeFile(scene.sealedFile(CORRUPT), Buffer.alloc(2048, 1));
  // The index knows of the corrupt copy alone, so that one is looked for and found first.
  const index = new SectorIndex({ db });
  const both = () => SectorSet.of([0, CORRUPT]);
  await index.add([{ store: 'store', minerId: MINER, upgraded: false, sealed: both(), cache: both() }]);
  const stores = [storeAt('store', scene.store), storeAt('spare', spare)];
  const told: SectorPlaces = {
    locate: (...asked) => index.locate(...asked),
    shares: (...asked) => index.shares(...asked),
    scannedStores: () => index.scannedStores(),
    // What it learnt would make the order of the copies a matter of luck.
    add: async () => {},
  };
  const checker = new StoreChecker({ ...components, index: told }, { stores });
  const rehearser = createRehearser(components);
  const poster = new MinerPoster(
    {
      ...components,
      alerts,
      db,
      chain,
      tasks: rpcTaskService(client),
      verifier,
      checker,
      rehearser,
      onIntent: () => {},
    },
    { miner: settings(scene.chain.worker) },
  );
  await client.start();
  const slave = startSlave(master.port, { env: { ...proverEnv, WDPOST_PROVER: prover } });
  onTestFinished(async () => {
    await poster.close();
    await slave.stop();
    await client.close();
    checker.close();
    chain.close();
    await verifier.close();
    await master.stop();
    await database.drop();
  });

  const head = await chain.head();
  const read = await readSectors(
    { checker, rehearser },
    {
      minerId: MINER,
      proofType: PROOF_TYPE,
      sectors: await chain.sectors(idAddress(MINER), Bitfield.of([0, CORRUPT]), head.key),
      signal: new AbortController().signal,
    },
  );
  expect(read).toMatchObject([
    { number: 0, verdict: 'good', store: 'store' },
    { number: CORRUPT, verdict: 'good', store: 'spare' },
  ]);

  poster.onHead(head);
  const partition = async () => await db.kysely.selectFrom('post_partitions').selectAll().executeTakeFirst();
  await vi.waitFor(async () => expect((await partition())?.state).toBe('sending'), { timeout: 60_000, interval: 50 });
  const { skipped, corrupt_copies: corrupt } = (await partition()) ?? {};
  expect(skipped).toEqual(Buffer.alloc(0));
  expect(JSON.parse(corrupt ?? '')).toMatchObject([[CORRUPT, scene.sealedFile(CORRUPT), expect.any(String)]]);
  // A slow machine may be late beside it.
  expect([...alerts.open.keys()]).toContain(`copies-unreadable/${MINER}/0/0`);
  const outcomes = await db.kysely.selectFrom('task_attempts').select('outcome').orderBy('ended_at').execute();
  expect(outcomes).toEqual([{ outcome: 'faulted' }, { outcome: 'proven' }]);
}, 90_000);
