import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { idAddress, parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../../src/filecoin/miner-params.ts';
import { RandomnessTag } from '../../src/filecoin/randomness.ts';
import { addIntent } from '../../src/outbox/add-intent.ts';
import { messageStates } from '../../src/outbox/message-states.ts';
import { ShadowOutbox } from '../../src/poster/shadow-outbox.ts';
import { managerAddress, refuseMixture } from '../../src/programs/sector-manager/shadow-guard.ts';
import { goodProof, MINER, OPEN } from '../devnet/chain-under-test.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { provingScene } from './proving-scene.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

test('a shadow sends nothing and tells what it would have sent, and whether somebody else did', async () => {
  const cluster = `Database = "${database.url}"\nMaster = "127.0.0.1:1"`;
  const scene = await provingScene(OPEN + 2, { sectors: 4, cluster, partitionsPerDeadline: 2 });
  const { chain: devnet } = scene;
  const components = { clock: systemClock, logger: silentLogger };
  const { port, adminToken: token } = devnet.devnet;
  const chain = connectChain(components, [{ url: `ws://127.0.0.1:${port}/rpc/v1`, token }]);
  onTestFinished(() => chain.close());
  const outbox = new ShadowOutbox({ ...components, db: database.db, chain });
  const head = await chain.head();
  const challenge = OPEN - 20;
  const chainCommitRand = await chain.ticketRandomness(RandomnessTag.PoStChainCommit, challenge, null, head.key);
  const intend = (partition: number) =>
    database.db.transaction((trx) =>
      addIntent(trx, {
        minerId: MINER,
        purpose: 'submit',
        runId: null,
        sender: parseAddress(devnet.worker),
        recipient: idAddress(MINER),
        method: MinerMethod.SubmitWindowedPoSt,
        params: encodeCbor(submitWindowedPoStParams, {
          deadline: 0,
          partitions: [{ index: partition, skipped: Bitfield.empty }],
          proofs: [{ poStProof: 10, proofBytes: goodProof }],
          chainCommitEpoch: challenge,
          chainCommitRand,
        }),
        maxFee: 5n * 10n ** 18n,
        expiresEpoch: OPEN + 60,
        confidence: 2,
      }),
    );
  const ids = [await intend(0), await intend(1)];
  const states = async () => {
    const found = await messageStates(database.db, ids);
    return ids.map((id) => found.get(id)?.state);
  };

  expect(await outbox.advance(head)).toBe(false);
  expect(await states()).toEqual(['intended', 'intended']);
  expect(devnet.chain.pool.size).toBe(0);

  // The other system posts partition 0.
  await devnet.land(devnet.submit(0, { partitions: [0] }));
  expect(await outbox.advance(await chain.head())).toBe(true);
  expect(await states()).toEqual(['expired', 'intended']);
  const late = await intend(0);
  await outbox.advance(await chain.head());
  expect((await messageStates(database.db, [late])).get(late)).toMatchObject({
    state: 'refused',
    error: expect.stringContaining('already proven'),
  });

  await devnet.mineTo(OPEN + 60);
  await outbox.advance(await chain.head());
  expect(await states()).toEqual(['expired', 'expired']);
  const report = await scene.run('shadow-report');
  expect(report.exitCode).toBe(0);
  const messages = (report.json as { messages: { message: string }[] }).messages;
  const told = (id: string | undefined) => messages.find(({ message }) => message === id);
  const due = { deadline: 0, height: OPEN + 2, epochsAfterOpen: 2, epochsLeft: 58, refusal: null };
  expect(told(ids[0])).toMatchObject({ ...due, partitions: [0], postedByOthers: true });
  expect(told(ids[1])).toMatchObject({ ...due, partitions: [1], postedByOthers: false });
  expect(told(late)).toMatchObject({ refusal: expect.stringContaining('already proven'), fee: null });
  const nonces = await database.db.kysely.selectFrom('messages').select(['nonce', 'signed_message']).execute();
  expect(nonces).toEqual(ids.concat(late).map(() => ({ nonce: null, signed_message: null })));
});

test('a shadow and a posting manager refuse to share a database', async () => {
  const refused = (shadow: boolean, leader?: string) =>
    refuseMixture(database.db, { shadow, leader }).then(
      () => null,
      (error: { code: string }) => error.code,
    );
  expect(await refused(false)).toBe(null);
  expect(await refused(true)).toBe(null);
  expect(await refused(false, managerAddress(false))).toBe(null);
  expect(await refused(true, managerAddress(true))).toBe(null);
  expect(await refused(false, managerAddress(true))).toBe('shadow-leads');
  expect(await refused(true, managerAddress(false))).toBe('shadow-database');
});
