import { describe, expect, it, onTestFinished } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type Address, formatAddress, parseAddress, sameAddress } from '../../src/filecoin/address.ts';
import { nodeFees } from '../../src/outbox/settings.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { useOutboxScene } from './outbox-scene.ts';
import { PoolStandIn } from './pool-stand-in.ts';

const scene = useOutboxScene();
const FIL = 10n ** 18n;
/** What a message of the stand-in's node costs at most for each attoFIL of its cap. */
const GAS = 1_000_000n;

async function pass(epochs: number, box = scene().outbox()): Promise<void> {
  for (let epoch = 0; epoch < epochs; epoch++) await box.advance(scene().pool.mine());
}

describe('the messages of one sender', () => {
  it('are raised together', async () => {
    const { pool } = scene();
    scene().miner = { fees: { ...nodeFees, gasFeeCap: 5000n } };
    const expiresEpoch = pool.head.height + 56;
    for (const text of ['a', 'b', 'c', 'd', 'e']) await scene().intend(text, { expiresEpoch, confidence: 10 });
    const box = scene().outbox();
    await box.advance(pool.head);
    pool.leastPremium = 1200n;
    await pass(12, box);
    expect(pool.landed).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('get past a nonce that somebody else used and the pool forgot', async () => {
    const { pool, alerts } = scene();
    pool.leastPremium = 10n ** 12n;
    pool.pushForeign();
    const box = scene().outbox();
    const first = await scene().intend('first', { expiresEpoch: pool.head.height + 56 });
    await pass(12, box);
    expect([...alerts.open.keys()].some((condition) => condition.startsWith('foreign-messages/'))).toBe(true);
    pool.forgetPool();
    pool.leastPremium = 0n;
    expect((await scene().finish(first, box))?.state).toBe('landed');
    const second = await scene().intend('second', { expiresEpoch: pool.head.height + 56 });
    expect((await scene().finish(second, box))?.state).toBe('landed');
    expect(pool.landed).toEqual(['', 'first', 'second']);
  });

  it('leave a nonce alone that somebody else holds in the pool', async () => {
    const { pool } = scene();
    pool.leastPremium = 10n ** 12n;
    pool.pushForeign();
    await scene().intend('ours', { expiresEpoch: pool.head.height + 200 });
    await pass(30);
    expect(pool.waiting).toEqual(['foreign', 'ours']);
  });

  it('do not wait for a declaration whose budget is spent', async () => {
    const { pool } = scene();
    // 40 million units of gas each.
    const fees = { ...nodeFees, gasOverEstimation: 50, gasFeeCap: 10n ** 6n };
    scene().miner = { fees: { ...fees, maxRecoveryFee: 40n * GAS * 1050n } };
    const declaration = { purpose: 'recover', maxFee: FIL, expiresEpoch: pool.head.height + 1500 } as const;
    const declared = await scene().intend('declare', declaration);
    const box = scene().outbox();
    await box.advance(pool.head);
    pool.leastPremium = 1060n;
    await scene().intend('post', { maxFee: 5n * FIL, expiresEpoch: pool.head.height + 56 });
    await pass(20, box);
    expect(pool.landed).toEqual(['', 'post']);
    expect((await scene().stateOf(declared))?.state).toBe('expired');
  });
});

describe('a message that its sender cannot pay for', () => {
  const cap = 300_000_000_000n;
  const needed = cap * GAS;
  const poor = (needed * 2n) / 3n;

  it('gets no nonce, and is sent as soon as there are funds', async () => {
    const { pool, alerts } = scene();
    pool.balance = 1000n;
    scene().miner = { fees: { ...nodeFees, gasFeeCap: cap } };
    const first = await scene().intend('first', { maxFee: 5n * FIL, expiresEpoch: pool.head.height + 20 });
    const box = scene().outbox();
    await pass(30, box);
    expect((await scene().stateOf(first))?.state).toBe('expired');
    expect([...alerts.open.values()]).toMatchObject([{ class: 'sender-balance', severity: 'critical' }]);
    pool.balance = needed;
    await scene().intend('second', { maxFee: 5n * FIL, expiresEpoch: pool.head.height + 56 });
    await pass(3, box);
    expect(pool.landed).toEqual(['second']);
  });

  it('is made as cheap as its funds, where that is well above the base fee', async () => {
    const { pool } = scene();
    pool.balance = poor;
    scene().miner = { fees: { ...nodeFees, gasFeeCap: cap } };
    await scene().intend('post', { maxFee: 5n * FIL });
    await pass(2);
    expect(pool.landed).toEqual(['post']);
  });

  it('is raised no further than its funds, and so is what withdraws it', async () => {
    const { pool } = scene();
    pool.balance = needed;
    pool.leastPremium = 10n ** 15n;
    scene().miner = { fees: { ...nodeFees, gasFeeCap: cap } };
    const post = await scene().intend('post', { maxFee: 5n * FIL, expiresEpoch: pool.head.height + 20 });
    const box = scene().outbox();
    await pass(40, box);
    pool.leastPremium = 0n;
    expect((await scene().finish(post, box))?.state).toBe('expired');
    await scene().intend('next', { maxFee: 5n * FIL });
    await pass(3, box);
    expect(pool.landed).toEqual(['', 'next']);
  });

  it('is sent by another one that can', async () => {
    const { pool, chain } = scene();
    const other = parseAddress('t0555');
    const otherKey = parseAddress('t1zryr3khsnwgjmhb54iavga7fi6p7kek2kpwo44y');
    pool.balance = FIL / 5n;
    scene().miner = { senders: [pool.senderId, other], fees: { ...nodeFees, gasFeeCap: 10n ** 13n } };
    const head = () => ({ ...pool.head, baseFee: 10n ** 12n });
    const mixed = {
      ...chain,
      minerInfo: async (...asked: Parameters<typeof chain.minerInfo>) => ({
        ...(await chain.minerInfo(...asked)),
        controlAddresses: [pool.senderId, other],
      }),
      actorBalance: async (address: Address) =>
        sameAddress(address, otherKey) || sameAddress(address, other) ? 100n * FIL : pool.balance,
      actorNonce: async () => 0,
      accountKey: async (address: Address) => (sameAddress(address, other) ? otherKey : pool.senderKey),
    };
    const asked: string[] = [];
    pool.node.handlers.set('WalletSignMessage', (signer: string) => {
      asked.push(signer);
      return new Promise(() => {});
    });
    await scene().intend('post', { maxFee: 50n * FIL });
    const box = scene().outbox(mixed);
    await box.advance(head());
    expect(asked).toEqual([]);
    void box.advance(head()).catch(() => {});
    await expect.poll(() => asked).toEqual([formatAddress(otherKey)]);
  });
});

describe('the messages of two senders', () => {
  const otherId = parseAddress('t0777');

  /** What concerns the other sender is answered by a node of its own. */
  async function twoNodes() {
    const own = scene().chain;
    const pool = await PoolStandIn.start(777);
    const chain = connectChain({ clock: systemClock, logger: silentLogger }, { url: pool.node.url });
    onTestFinished(async () => {
      chain.close();
      await pool.node.close();
    });
    const of = (address: Address) =>
      sameAddress(address, otherId) || sameAddress(address, pool.senderKey) ? chain : own;
    const both: Chain = {
      ...own,
      accountKey: (address, key) => of(address).accountKey(address, key),
      actorBalance: (address, key) => of(address).actorBalance(address, key),
      actorNonce: (address, key) => of(address).actorNonce(address, key),
      nonce: (address) => of(address).nonce(address),
      pending: (address) => of(address).pending(address),
      walletSignMessage: (signer, message) => of(signer).walletSignMessage(signer, message),
      estimateGas: (message, limits, key) => of(message.from).estimateGas(message, limits, key),
      push: (signed) => of(signed.message.from).push(signed),
    };
    return { pool, both };
  }

  it('are sent while those of the other wait for a slow answer, which then go in their order', async () => {
    const { pool } = scene();
    const { both, pool: other } = await twoNodes();
    scene().miner = { minerId: 1002 };
    const estimate = pool.node.handlers.get('GasEstimateMessageGas');
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      pool.node.handlers.set('GasEstimateMessageGas', async (...params: never[]) => {
        resolve();
        await answered;
        return estimate?.(...params);
      });
    });
    const box = scene().outbox(both);
    await scene().intend('slow');
    const slow = box.advance(pool.head);
    await asked;

    const next = await scene().intend('next');
    const quick = await scene().intend('quick', { sender: otherId });
    expect(await box.advance(pool.head)).toBe(true);
    expect(other.waiting).toEqual(['quick']);
    expect(await scene().stateOf(quick)).toMatchObject({ state: 'pushed' });
    expect(await scene().stateOf(next)).toMatchObject({ state: 'intended' });

    answer();
    expect(await slow).toBe(true);
    expect(pool.waiting).toEqual(['slow', 'next']);
    expect(await scene().stateOf(next)).toMatchObject({ state: 'pushed' });
  });
});
