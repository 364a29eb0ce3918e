import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type ConnectedChain, connectChain } from '../../src/chain/connect-chain.ts';
import { MinerWatch } from '../../src/chain/miner-watch.ts';
import { pinNetwork } from '../../src/chain/pin-network.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { badProof, ChainUnderTest, MINER, OPEN } from '../devnet/chain-under-test.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

const WINDOW = 60;
const components = { clock: systemClock, logger: silentLogger };
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function connect(devnet: ChainUnderTest): ConnectedChain {
  const { port, adminToken: token } = devnet.devnet;
  const chain = connectChain(components, { url: `http://127.0.0.1:${port}`, token });
  onTestFinished(() => chain.close());
  return chain;
}

async function newWatch(chain: ConnectedChain) {
  await database.db.kysely.deleteFrom('dispute_watch').execute();
  const alerts = new RecordedAlerts();
  const make = () =>
    new MinerWatch({ ...components, db: database.db, chain, alerts }, { minerId: MINER, address: idAddress(MINER) });
  return { alerts, make };
}

/** Two bad proofs in deadline 0 and 1, of which the disputer of the chain hears at their close. */
test.each(['all the time', 'before the posts and after the disputes only'])(
  'a dispute is told of by whoever looks %s',
  async (when) => {
    const devnet = await ChainUnderTest.start(OPEN + 1, { partitionsPerDeadline: 2 });
    const chain = connect(devnet);
    const { alerts, make } = await newWatch(chain);
    let watch = make();
    await watch.look(await chain.head());

    const mineTo = async (height: number) => {
      while (devnet.chain.head.height < height) {
        await devnet.chain.mine();
        if (when === 'all the time') await watch.look(await chain.head());
      }
    };
    devnet.submit(0, { partitions: [0] });
    devnet.submit(0, { partitions: [1], proof: badProof });
    await mineTo(OPEN + WINDOW + 1);
    await devnet.devnet.disputer.finish();
    await mineTo(OPEN + WINDOW + 10);
    watch = make();
    await watch.look(await chain.head());
    expect([...alerts.open.keys()]).toContain(`proof-disputed/${MINER}/0`);
    expect(alerts.open.get(`proof-disputed/${MINER}/0`)).toMatchObject({
      severity: 'critical',
      minerId: MINER,
      deadline: 0,
      text: expect.stringContaining(`miner ${MINER}, deadline 0, partition 1 was disputed`),
    });
  },
);

test('a dispute is over when its deadline closes anew', async () => {
  const devnet = await ChainUnderTest.start(OPEN + 1);
  const chain = connect(devnet);
  const { alerts, make } = await newWatch(chain);
  const watch = make();
  devnet.submit(0, { proof: badProof });
  await devnet.mineTo(OPEN + WINDOW);
  await watch.look(await chain.head());
  await devnet.devnet.disputer.finish();
  await devnet.mineTo(OPEN + WINDOW + 5);
  await watch.look(await chain.head());
  const disputed = () => [...alerts.open.keys()].filter((condition) => condition.startsWith('proof-disputed'));
  expect(disputed()).toEqual([`proof-disputed/${MINER}/0`]);
  await devnet.mineTo(OPEN + 2880 + WINDOW + 2);
  await watch.look(await chain.head());
  expect(disputed()).toEqual([]);
});

test('a proof that its deadline replaces in a null round is not taken for disputed', async () => {
  const devnet = await ChainUnderTest.start(OPEN + 1);
  const chain = connect(devnet);
  const { alerts, make } = await newWatch(chain);
  const watch = make();
  devnet.submit(0);
  const close = OPEN + 2880 + WINDOW;
  await devnet.mineTo(close - 3);
  await watch.look(await chain.head());
  // From close - 2 to close + 1: the state shows the close one tipset later.
  for (const nullRounds of [0, 2, 0, 0]) {
    await devnet.chain.mine(nullRounds);
    await watch.look(await chain.head());
  }
  expect((await chain.head()).height).toBe(close + 3);
  expect([...alerts.open.keys()].filter((condition) => condition.startsWith('proof-disputed'))).toEqual([]);
});

test('faults without a recovery are told of at the cutoff, until one is declared', async () => {
  const devnet = await ChainUnderTest.start(OPEN + 1);
  const chain = connect(devnet);
  const { alerts, make } = await newWatch(chain);
  const watch = make();
  devnet.submit(0, { skipped: [1] });
  await devnet.mineTo(OPEN + WINDOW + 1);
  await watch.look(await chain.head());
  expect([...alerts.open.keys()]).toEqual([]);
  const cutoff = OPEN + 2880 - 70;
  await devnet.mineTo(cutoff);
  await watch.look(await chain.head());
  expect(alerts.open.get(`faults-stay/${MINER}/0`)).toMatchObject({
    severity: 'warning',
    deadline: 0,
    text: expect.stringContaining(`1 sectors of miner ${MINER}, deadline 0, partition 0 are faulty`),
  });
  await devnet.mineTo(OPEN + 2880 + 1);
  devnet.submit(0);
  await devnet.mineTo(OPEN + 2880 + WINDOW + 5);
  devnet.declare('recovered', 0, [1]);
  await devnet.mineTo(cutoff + 2880);
  await watch.look(await chain.head());
  expect([...alerts.open.keys()]).not.toContain(`faults-stay/${MINER}/0`);
});

test('a database belongs to the network of its first chain', async () => {
  const { db } = database;
  const { signal } = new AbortController();
  const first = connect(await ChainUnderTest.start(OPEN, { seed: 'one' }));
  await pinNetwork({ ...components, db, chain: first }, signal);
  await pinNetwork({ ...components, db, chain: first }, signal);
  const other = connect(await ChainUnderTest.start(OPEN, { seed: 'other' }));
  await other.head();
  await expect(pinNetwork({ ...components, db, chain: other }, signal)).rejects.toMatchObject({
    code: 'other-network',
    message: expect.stringMatching(
      /^the database belongs to the network wdpost-devnet with the genesis block .* check its address/,
    ),
  });
  await expect(other.head()).rejects.toMatchObject({ code: 'chain-unavailable' });
});
