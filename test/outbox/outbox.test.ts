import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import type { TipSet } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { submitWindowedPoStParams } from '../../src/filecoin/miner-params.ts';
import { addIntent, type Intent } from '../../src/outbox/add-intent.ts';
import { type MessageState, messageStates } from '../../src/outbox/message-states.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { NodeError } from '../chain/lotus-stand-in.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { KilledProcess } from './killed.ts';
import { PoolStandIn } from './pool-stand-in.ts';

const alerts = new RecordedAlerts();
const components = { clock: systemClock, logger: silentLogger, alerts };
const CONFIDENCE = 3;
let database: TestDatabase;
let pool: PoolStandIn;
let chain: Chain;
let outbox: Outbox;
let account = 100;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  // A sender of its own for each test.
  pool = await PoolStandIn.start(++account);
  chain = connectChain(components, { url: pool.node.url });
  outbox = new Outbox({ ...components, db: database.db, chain });
});
afterEach(async () => {
  chain.close();
  await pool.node.close();
  await database.db.kysely.deleteFrom('messages').execute();
});

async function intend(text: string, more: Partial<Intent> = {}): Promise<string> {
  return await database.db.transaction((trx) =>
    addIntent(trx, {
      minerId: 1001,
      purpose: 'submit',
      runId: null,
      sender: pool.senderId,
      recipient: parseAddress('t01001'),
      method: 5,
      params: Buffer.from(text),
      maxFee: 10n ** 18n,
      expiresEpoch: null,
      confidence: CONFIDENCE,
      ...more,
    }),
  );
}

async function stateOf(id: string): Promise<MessageState | undefined> {
  return (await messageStates(database.db, [id])).get(id);
}

async function isOpen(id: string): Promise<boolean> {
  const state = (await stateOf(id))?.state ?? '';
  return ['intended', 'signed', 'pushed'].includes(state);
}

function failOnce(text: string, handler: (...params: never[]) => unknown) {
  let failed = false;
  return (...params: never[]) => {
    if (failed) return handler(...params);
    failed = true;
    throw new NodeError(1, text);
  };
}

/** Epochs pass until the message is finished. */
async function finish(id: string, box = outbox): Promise<MessageState | undefined> {
  for (let epoch = 0; epoch < 60 && (await isOpen(id)); epoch++) await box.advance(pool.mine());
  return await stateOf(id);
}

describe('a message', () => {
  it('is signed with our nonce, pushed, and landed with confidence', async () => {
    const id = await intend('one');
    expect(await stateOf(id)).toMatchObject({ state: 'intended', cid: null });
    expect(await outbox.advance(pool.head)).toBe(true);
    expect(await stateOf(id)).toMatchObject({ state: 'pushed' });

    const held = pool.mine();
    await outbox.advance(held);
    const executed = pool.mine();
    for (let head = executed; head.height < executed.height + CONFIDENCE; head = pool.mine()) {
      expect(await outbox.advance(head)).toBe(false);
    }
    expect(await outbox.advance(pool.head)).toBe(true);
    expect(await stateOf(id)).toMatchObject({ state: 'landed', exitCode: 0, height: executed.height, error: null });
    expect(pool.landed).toEqual(['one']);
    expect(await outbox.advance(pool.mine())).toBe(false);
  });

  it('names its fee limit, and its sender by key', async () => {
    await intend('fees', { maxFee: 5n * 10n ** 18n });
    await outbox.advance(pool.head);
    const estimate = pool.node.calls.find(({ method }) => method === 'GasEstimateMessageGas');
    expect(estimate?.params[1]).toEqual({ MaxFee: '5000000000000000000' });
    expect(estimate?.params[0]).toMatchObject({ From: expect.stringMatching(/^t1/), To: 't01001', Nonce: 0 });
  });

  it('is one of several of a sender, in the order of their age', async () => {
    const ids: string[] = [];
    for (const text of ['a', 'b', 'c']) ids.push(await intend(text));
    for (const id of ids) expect(await finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('that fails on the chain says its exit code', async () => {
    pool.exitCodes.set('bad', 16);
    expect(await finish(await intend('bad'))).toMatchObject({
      state: 'failed',
      exitCode: 16,
      error: 'exit code 16 (illegal argument)',
    });
  });
});

describe('before it is sent', () => {
  it('a refusal ends it with the node’s words, and takes no nonce', async () => {
    const estimate = pool.node.handlers.get('GasEstimateMessageGas');
    pool.node.handlers.set('GasEstimateMessageGas', () => {
      throw new NodeError(
        3,
        'message execution failed (exit=[ErrIllegalArgument(16)], vm error=[partition already proven (RetCode=16)])',
      );
    });
    const refused = await intend('refused');
    expect(await outbox.advance(pool.head)).toBe(true);
    expect(await stateOf(refused)).toMatchObject({
      state: 'refused',
      error: expect.stringContaining('already proven'),
    });

    if (estimate) pool.node.handlers.set('GasEstimateMessageGas', estimate);
    expect(await finish(await intend('next'))).toMatchObject({ state: 'landed' });
  });

  it('other trouble is told and tried again', async () => {
    const nonce = pool.node.handlers.get('MpoolGetNonce');
    pool.node.handlers.set('MpoolGetNonce', () => {
      throw new NodeError(1, 'state store is busy');
    });
    const id = await intend('again');
    expect(await outbox.advance(pool.head)).toBe(false);
    expect(await stateOf(id)).toMatchObject({ state: 'intended', error: 'state store is busy' });
    if (nonce) pool.node.handlers.set('MpoolGetNonce', nonce);
    expect(await finish(id)).toMatchObject({ state: 'landed', error: null });
  });

  it('its epoch may pass', async () => {
    const id = await intend('late', { expiresEpoch: pool.head.height + 1 });
    expect(await outbox.advance(pool.head)).toBe(true);
    expect(await stateOf(id)).toMatchObject({ state: 'expired' });
    expect(pool.node.calls.some(({ method }) => method === 'MpoolPush')).toBe(false);
  });

  it('nothing is pushed that the node signed differently', async () => {
    const sign = pool.node.handlers.get('WalletSignMessage') as (address: string, message: object) => object;
    pool.node.handlers.set('WalletSignMessage', (address: string, message: object) =>
      sign(address, { ...message, To: 't01002' }),
    );
    const id = await intend('altered');
    await outbox.advance(pool.head);
    expect(await stateOf(id)).toMatchObject({
      state: 'intended',
      error: expect.stringContaining('signed another message'),
    });
  });
});

describe('once it is pushed', () => {
  it('it is pushed again to a node that forgot its pool', async () => {
    const id = await intend('forgotten');
    await outbox.advance(pool.head);
    pool.forgetPool();
    // The node's next nonce is that of the first one again.
    const next = await intend('next');
    const push = pool.node.handlers.get('MpoolPush');
    if (push) pool.node.handlers.set('MpoolPush', failOnce('the pool is busy', push));
    for (const one of [id, next]) expect(await finish(one)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['forgotten', 'next']);
  });

  it('it lands once through a reorganisation', async () => {
    const id = await intend('reorganised');
    await outbox.advance(pool.head);
    for (let epoch = 0; epoch < 3; epoch++) await outbox.advance(pool.mine());
    await outbox.advance(pool.reorganise(3));
    pool.forgetPool();
    expect(await finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['reorganised']);
  });

  it('it is replaced with higher fees until one lands', async () => {
    pool.leastPremium = 1500n;
    const id = await intend('stuck');
    expect(await finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['stuck']);
    // 1000, 1251, 1564
    expect(await replacedVersions(id)).toBe(2);
  });

  it('those behind it that offer less are replaced with it', async () => {
    pool.leastPremium = 1500n;
    const [first, second] = [await intend('first'), await intend('second')];
    await advanceEpochs(15, first);
    expect([await replacedVersions(first), await replacedVersions(second)]).toEqual([1, 1]);
    for (const id of [first, second]) expect(await finish(id)).toMatchObject({ state: 'landed' });
  });

  it('an earlier version that lands is recognised', async () => {
    pool.leastPremium = 2000n;
    const id = await intend('earlier');
    const [first] = await advanceEpochs(5, id);
    pool.node.handlers.set('MpoolPush', () => {
      throw new NodeError(1, 'not enough funds to execute transaction');
    });
    const [second] = await advanceEpochs(8, id);
    expect(second).not.toBe(first);
    pool.leastPremium = 0n;
    expect(await finish(id)).toMatchObject({ state: 'landed', cid: first });
    expect(pool.landed).toEqual(['earlier']);
  });

  it('it fails when somebody else used its nonce', async () => {
    pool.node.handlers.set('MpoolGetNonce', () => 0);
    pool.pushForeign();
    pool.mine();
    const id = await intend('pushed out');
    expect(await finish(id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('used by this cluster alone'),
    });
    expect(pool.landed).toEqual(['foreign']);
    expect(await finish(await intend('next'))).toMatchObject({ state: 'landed' });
  });
});

async function replacedVersions(id: string): Promise<number> {
  const versions = database.db.kysely.selectFrom('message_versions').select('cid').where('message_id', '=', id);
  return (await versions.execute()).length;
}

async function advanceEpochs(epochs: number, id: string): Promise<(string | null | undefined)[]> {
  for (let epoch = 0; epoch < epochs; epoch++) await outbox.advance(pool.mine());
  return [(await stateOf(id))?.cid];
}

describe('promise 4: after a kill at any point nothing is sent twice and nothing is forgotten', () => {
  /** Kills a process after each of its effects in turn; the next one must bring the message to its end. */
  async function killAtEachEffect(): Promise<number> {
    for (let atEffect = 1; ; atEffect++) {
      const text = `killed at ${atEffect}`;
      const id = await intend(text, { expiresEpoch: pool.head.height + 30 });
      const process = new KilledProcess(chain, database.db, atEffect);
      const mortal = new Outbox({ ...components, chain: process.chain, db: process.db });
      const survived = await Promise.race([process.killed, finish(id, mortal).catch(() => process.killed)]);
      const end = survived ?? (await finish(id));
      expect(end, text).toMatchObject({ state: 'landed' });
      expect(
        pool.landed.filter((one) => one === text),
        text,
      ).toHaveLength(1);
      if (survived) return atEffect;
    }
  }

  it('in the straight line', async () => {
    expect(await killAtEachEffect()).toBeGreaterThan(15);
  });

  it('with a replacement on the way', async () => {
    pool.leastPremium = 1200n;
    expect(await killAtEachEffect()).toBeGreaterThan(40);
  }, 90_000);

  it('when the node forgets its pool at each kill', async () => {
    const mine = pool.mine.bind(pool);
    let epoch = 0;
    pool.mine = (): TipSet => {
      if (++epoch % 3 === 0) pool.forgetPool();
      return mine();
    };
    expect(await killAtEachEffect()).toBeGreaterThan(15);
  });
});

describe('after a loss of the database', () => {
  const post = (partitions: readonly number[], proof: string) =>
    Buffer.from(
      encodeCbor(submitWindowedPoStParams, {
        deadline: 3,
        partitions: partitions.map((index) => ({ index, skipped: Bitfield.empty })),
        proofs: [{ poStProof: 10, proofBytes: Buffer.from(proof) }],
        chainCommitEpoch: 80,
        chainCommitRand: Buffer.alloc(32),
      }),
    );
  const lose = () => database.db.kysely.deleteFrom('messages').execute();
  const nonceOf = async (id: string) =>
    (await database.db.kysely.selectFrom('messages').select('nonce').where('id', '=', id).executeTakeFirst())?.nonce;

  it('the message that waits in the pool is taken up, also with a proof made anew, and replaced when it is stuck', async () => {
    await finish(await intend('before'));
    await intend('', { params: post([0, 1], 'first proof') });
    await intend('other');
    await outbox.advance(pool.head);
    await lose();
    const id = await intend('', { params: post([0, 1], 'second proof') });
    const other = await intend('other');
    await outbox.advance(pool.head);
    expect(await nonceOf(id)).toBe(1);
    expect(await nonceOf(other)).toBe(2);
    pool.leastPremium = 1200n;
    expect(await finish(id)).toMatchObject({ state: 'landed' });
    expect(await finish(other)).toMatchObject({ state: 'landed' });
    expect(pool.landed.map((text) => (text.includes('proof') ? 'proof' : text))).toEqual(['before', 'proof', 'other']);
    expect(pool.landed[1]).toContain('first proof');
  });

  it('one that has a part of its partitions is waited for', async () => {
    await intend('', { params: post([0, 1], 'both') });
    await outbox.advance(pool.head);
    await lose();
    const id = await intend('', { params: post([1], 'one') });
    await outbox.advance(pool.head);
    expect(await stateOf(id)).toMatchObject({ state: 'intended', error: expect.stringContaining('in the pool posts') });
    pool.mine();
    // The chain refuses it then, where it has the partition.
    await outbox.advance(pool.mine());
    expect(await stateOf(id)).toMatchObject({ state: 'pushed' });
  });

  it('others of the sender are none of its business', async () => {
    pool.pushForeign();
    await intend('', { params: post([0], 'first') });
    await outbox.advance(pool.head);
    await lose();
    const id = await intend('', { params: post([1], 'second') });
    await outbox.advance(pool.head);
    expect(await nonceOf(id)).toBe(2);
  });

  it('the pool is not asked for while nothing is missing', async () => {
    await finish(await intend('one'));
    await intend('two');
    await intend('three');
    await outbox.advance(pool.head);
    expect(pool.node.calls.map(({ method }) => method)).not.toContain('MpoolPending');
  });
});

it('several processes at once send each message once', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 8; index++) ids.push(await intend(`shared ${index}`));
  const boxes = [outbox, ...[1, 2].map(() => new Outbox({ ...components, db: database.db, chain }))];
  for (let epoch = 0; epoch < 30; epoch++) {
    const head = pool.mine();
    await Promise.all(boxes.map((box) => box.advance(head)));
  }
  for (const id of ids) expect(await stateOf(id)).toMatchObject({ state: 'landed' });
  expect(pool.landed.toSorted()).toEqual(ids.map((_, index) => `shared ${index}`));
});
