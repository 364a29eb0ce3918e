import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectChain } from '../../src/chain/connect-chain.ts';
import type { HeadChange } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { address as addressCodec } from '../../src/filecoin/codecs.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../../src/filecoin/miner-params.ts';
import { RandomnessTag } from '../../src/filecoin/randomness.ts';
import { addIntent } from '../../src/outbox/add-intent.ts';
import { messageStates } from '../../src/outbox/message-states.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { ChainUnderTest, goodProof, MINER, OPEN } from '../devnet/chain-under-test.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test.each(['own', 'node'] as const)(
  'a window PoSt goes from its intent to the development chain with nonces by %s, a second one of the partition is refused',
  async (kind) => {
    const devnet = await ChainUnderTest.start(OPEN + 1);
    const { port, adminToken: token } = devnet.devnet;
    const components = { clock: systemClock, logger: silentLogger };
    const alerts = new RecordedAlerts();
    const chain = connectChain(components, { url: `http://127.0.0.1:${port}`, token });
    onTestFinished(() => chain.close());
    const outbox = new Outbox(
      { ...components, db: database.db, chain, alerts },
      {
        carrier: { kind },
        miners: [
          {
            minerId: MINER,
            address: idAddress(MINER),
            senders: [(await chain.minerInfo(idAddress(MINER), [])).worker],
            sealingSenders: [],
            fees: { gasOverEstimation: 1.2, gasOverPremium: 0, gasFeeCap: 5n * 10n ** 9n, maxRecoveryFee: undefined },
          },
        ],
      },
    );
    const miner = idAddress(MINER);

    const ending = new AbortController();
    const heads = chain.heads(ending.signal)[Symbol.asyncIterator]();
    const nextHead = async () => {
      const { value } = (await heads.next()) as { value: HeadChange[] };
      const head = value.findLast(({ type }) => type !== 'revert')?.tipSet;
      if (head === undefined) throw new Error('only reverts');
      return head;
    };
    let head = await nextHead();

    const info = await chain.minerInfo(miner, head.key);
    const deadline = await chain.provingDeadline(miner, head.key);
    expect(deadline).toMatchObject({ index: 0, open: OPEN });
    const [partition] = await chain.partitions(miner, 0, head.key);
    expect((await chain.sectors(miner, partition?.live ?? null, head.key)).map(({ number }) => number)).toEqual([0, 1]);
    const entropy = encodeCbor(addressCodec, miner);
    const tag = RandomnessTag.WindowedPoStChallengeSeed;
    expect(await chain.beaconRandomness(tag, deadline.challenge, entropy, head.key)).toHaveLength(32);
    expect(await chain.walletHas(await chain.accountKey(info.worker, head.key))).toBe(true);

    const params = encodeCbor(submitWindowedPoStParams, {
      deadline: 0,
      partitions: [{ index: 0, skipped: Bitfield.empty }],
      proofs: [{ poStProof: info.windowPoStProofType, proofBytes: goodProof }],
      chainCommitEpoch: deadline.challenge,
      chainCommitRand: await chain.ticketRandomness(RandomnessTag.PoStChainCommit, deadline.challenge, null, head.key),
    });
    const intend = () =>
      database.db.transaction((trx) =>
        addIntent(trx, {
          minerId: MINER,
          purpose: 'submit',
          runId: null,
          sender: info.worker,
          recipient: miner,
          method: MinerMethod.SubmitWindowedPoSt,
          params,
          maxFee: 5n * 10n ** 18n,
          expiresEpoch: deadline.close,
          confidence: 2,
        }),
      );
    const stateOf = async (id: string) => (await messageStates(database.db, [id])).get(id);

    onTestFinished(async () => {
      await database.db.kysely.deleteFrom('messages').execute();
    });
    const first = await intend();
    const states: (string | undefined)[] = [];
    for (let epoch = 0; epoch < 5; epoch++) {
      await outbox.advance(head);
      states.push((await stateOf(first))?.state);
      await devnet.chain.mine();
      head = await nextHead();
    }
    expect(states).toEqual(['pushed', 'pushed', 'pushed', 'pushed', 'landed']);
    expect([...((await chain.deadlines(miner, head.key))[0]?.postSubmissions ?? [])]).toEqual([0]);

    const second = await intend();
    await outbox.advance(head);
    expect(await stateOf(second)).toMatchObject({
      state: 'refused',
      error: expect.stringContaining('partition already proven'),
    });
    expect(alerts.open.size).toBe(0);
    ending.abort();
  },
);
