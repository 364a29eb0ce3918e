import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { createRehearser } from '../../src/ext-processor/rehearser.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { idAddress, parseAddress } from '../../src/filecoin/address.ts';
import { decodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import { declareFaultsRecoveredParams } from '../../src/filecoin/miner-params.ts';
import type { MinerSettings, PosterComponents } from '../../src/poster/components.ts';
import { RecoveryDeclarer } from '../../src/poster/declare-recoveries.ts';
import type { TaskService } from '../../src/poster/task-service.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type ProvingScene, provingScene } from './proving-scene.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const away = (): Promise<never> => Promise.reject(new Error('no master here'));
const noMaster = {
  submit: away,
  get: away,
  cancel: async () => {},
  refuse: async () => false,
};

/** Two sectors of deadline 1 are faulty; one of them is corrupt. */
async function faultyScene() {
  const scene = await provingScene(OPEN - 100, { sectors: 4 });
  expect(await scene.chain.land(scene.chain.declare('faults', 1, [2, 3]))).toMatchObject({ exitCode: 0 });
  await writeFile(scene.sealedFile(3), Buffer.alloc(2048, 1));
  const { port, adminToken: token } = scene.chain.devnet;
  const chain = connectChain({ clock: systemClock, logger: silentLogger }, [
    { url: `ws://127.0.0.1:${port}/rpc/v1`, token },
  ]);
  onTestFinished(() => chain.close());
  const alerts = new RecordedAlerts();
  const declarer = (more: Partial<MinerSettings> = {}, other: Partial<PosterComponents> = {}) =>
    newDeclarer(scene, chain, alerts, more, other);
  const look = async (one: RecoveryDeclarer) => {
    const head = await chain.head();
    one.onHead(head, await chain.provingDeadline(idAddress(MINER), head.key));
    await one.idle();
  };
  return { scene, chain, alerts, declarer, look };
}

function newDeclarer(
  scene: ProvingScene,
  chain: Chain,
  alerts: RecordedAlerts,
  more: Partial<MinerSettings>,
  other: Partial<PosterComponents>,
): RecoveryDeclarer {
  const components = { clock: systemClock, logger: silentLogger };
  const store = {
    name: 'store',
    path: scene.store,
    strict: true,
    readOnly: true,
    weight: 1,
    allowMiners: [],
    denyMiners: [],
  };
  const checker = new StoreChecker(components, { stores: [store] });
  const verifier = createVerifier(components);
  onTestFinished(() => {
    checker.close();
    return verifier.close();
  });
  const miner: MinerSettings = {
    minerId: MINER,
    address: idAddress(MINER),
    sender: parseAddress(scene.chain.worker),
    challengeConfidence: 10,
    submitConfidence: 4,
    messageConfidence: 3,
    maxPartitions: 3,
    maxSkipShare: 0.2,
    parallel: false,
    maxFee: 10n ** 18n,
    maxRecoveryFee: 7n,
    firstRunGate: false,
    maxRecoverSectors: 0,
    maxPartitionsPerRecovery: 0,
    ...more,
  };
  const poster: PosterComponents = {
    ...components,
    alerts,
    chain,
    checker,
    verifier,
    db: database.db,
    tasks: noMaster,
    rehearser: createRehearser(components),
    onIntent: () => {},
    ...other,
  };
  return new RecoveryDeclarer(poster, { miner, signal: new AbortController().signal });
}

const messages = () => database.db.kysely.selectFrom('messages').selectAll().execute();

const LIMIT = { timeout: 60_000 };

test('declares what gives a vanilla proof, once, and tells of what does not', LIMIT, async () => {
  const { chain, scene, alerts, declarer, look } = await faultyScene();
  await look(declarer());
  const [message, ...others] = await messages();
  expect(others).toEqual([]);
  expect(message).toMatchObject({ method: MinerMethod.DeclareFaultsRecovered, max_fee: '7', expires_epoch: OPEN - 10 });
  const { recoveries } = decodeCbor(declareFaultsRecoveredParams, Uint8Array.from(message?.params ?? []));
  expect(recoveries.map((one) => [one.deadline, one.partition, [...one.sectors]])).toEqual([[1, 0, [2]]]);
  expect([...alerts.open.keys()]).toEqual([`faults-not-recovering/${MINER}/1`]);

  // Another manager, and two at the same time.
  const [one, another] = [declarer(), declarer()];
  await Promise.all([look(one), look(another)]);
  expect(await messages()).toHaveLength(1);

  // A refused one is declared again, by both at the same time and still once.
  await database.db.kysely.updateTable('messages').set({ state: 'refused' }).execute();
  await Promise.all([look(declarer()), look(declarer())]);
  expect(await messages()).toHaveLength(2);
  expect((await chain.head()).height).toBe(scene.chain.chain.head.height);
});

test('fee debt and consensus faults are alarmed before anything is declared', LIMIT, async () => {
  const { chain, alerts, declarer, look } = await faultyScene();
  const inDebt: Chain = { ...chain, minerAvailableBalance: async () => -(2n * 10n ** 18n) };
  const indebted = declarer({}, { chain: inDebt });
  await look(indebted);
  expect(alerts.open.get(`recovery-blocked/${MINER}`)?.text).toContain('2.0000 FIL');
  const info: Chain['minerInfo'] = async (...args) => ({
    ...(await chain.minerInfo(...args)),
    consensusFaultElapsed: 9_999,
  });
  await look(declarer({}, { chain: { ...chain, minerInfo: info } }));
  expect(alerts.open.get(`recovery-blocked/${MINER}`)?.text).toContain('epoch 9999');
  expect(await messages()).toEqual([]);
  await look(declarer());
  expect(alerts.open.has(`recovery-blocked/${MINER}`)).toBe(false);
  expect(await messages()).toHaveLength(1);
});

test('before the first proof of a miner nothing is declared that was not proven for it', LIMIT, async () => {
  const { alerts, declarer, look } = await faultyScene();
  const answer = (state: 'failed' | 'proven'): TaskService => ({
    ...noMaster,
    submit: async () => ({
      id: 'task',
      state,
      closeAt: null,
      retryCount: 0,
      attempts: 1,
      slave: 'slave',
      phase: null,
      done: 0,
      total: 0,
      createdAt: 0,
      startedAt: 0,
      finishedAt: 1,
      output: state === 'proven' ? { proofs: [Buffer.alloc(192).toString('base64')], faults: [] } : null,
      error: 'the parameters are those of another network',
    }),
  });
  await look(declarer({ firstRunGate: true }, { tasks: answer('failed') }));
  expect(await messages()).toEqual([]);
  expect(alerts.open.get(`first-run-gate/${MINER}`)?.text).toContain('of another network');

  await look(declarer({ firstRunGate: true }, { tasks: answer('proven') }));
  expect(alerts.open.get(`first-run-gate/${MINER}`)?.text).toContain('does not hold');
  expect(await messages()).toEqual([]);

  const verifyTask = async () => ({ valid: true, reason: null });
  const verifier = { verifyTask, verify: verifyTask, close: async () => {} };
  await look(declarer({ firstRunGate: true }, { tasks: answer('proven'), verifier }));
  expect(await messages()).toHaveLength(1);
  expect(alerts.open.has(`first-run-gate/${MINER}`)).toBe(false);
  expect(await database.db.kysely.selectFrom('first_run_gates').select('passed_by').execute()).toEqual([
    { passed_by: 'recovery' },
  ]);
});
