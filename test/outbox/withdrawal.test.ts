import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { submitWindowedPoStParams } from '../../src/filecoin/miner-params.ts';
import { withdrawMessage } from '../../src/outbox/withdraw-message.ts';
import { useOutboxScene } from './outbox-scene.ts';

const scene = useOutboxScene();
/** A premium that nothing here ever offers. */
const NEVER = 10n ** 12n;

describe('a message that did not land in time', () => {
  it('is withdrawn by a transfer of nothing, so that the next one gets on', async () => {
    const { pool } = scene();
    const outbox = scene().outbox();
    pool.leastPremium = NEVER;
    const late = await scene().intend('late', { expiresEpoch: pool.head.height + 3 });
    await outbox.advance(pool.head);
    const next = await scene().intend('next');
    for (let epoch = 0; epoch < 5; epoch++) await outbox.advance(pool.mine());
    expect(pool.waiting.toSorted()).toEqual(['', 'next']);
    pool.leastPremium = 0n;
    expect(await scene().finish(late)).toMatchObject({ state: 'expired', error: expect.stringContaining('withdrawn') });
    expect(await scene().finish(next)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['', 'next']);
    expect(scene().alerts.open.size).toBe(0);
  });

  it('is withdrawn when it was never pushed, too, since its nonce is taken', async () => {
    const { pool } = scene();
    const push = pool.node.handlers.get('MpoolPush');
    pool.node.handlers.delete('MpoolPush');
    const chain = scene().chain;
    const outbox = scene().outbox({ ...chain, push: () => Promise.reject(new Error('cut off')) });
    const late = await scene().intend('late', { expiresEpoch: pool.head.height + 2 });
    await outbox.advance(pool.head);
    expect(await scene().stateOf(late)).toMatchObject({ state: 'signed' });
    for (let epoch = 0; epoch < 3; epoch++) pool.mine();
    if (push) pool.node.handlers.set('MpoolPush', push);
    expect(await scene().finish(late)).toMatchObject({ state: 'expired' });
    expect(pool.landed).toEqual(['']);
  });

  it('counts as landed when it is on the chain after all', async () => {
    const { pool } = scene();
    const outbox = scene().outbox();
    const id = await scene().intend('just in time', { expiresEpoch: pool.head.height + 2 });
    await outbox.advance(pool.head);
    pool.mine();
    pool.mine();
    expect(await scene().finish(id, outbox)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['just in time']);
  });

  it('whose earlier version lands instead of the transfer counts as what it was', async () => {
    const { pool } = scene();
    const outbox = scene().outbox();
    pool.leastPremium = NEVER;
    const id = await scene().intend('first', { expiresEpoch: pool.head.height + 3 });
    await outbox.advance(pool.head);
    for (let epoch = 0; epoch < 4; epoch++) await outbox.advance(pool.mine());
    expect(pool.waiting).toEqual(['']);
    // A block of somebody who had not heard of the transfer.
    pool.takeEarlier('first');
    pool.leastPremium = 0n;
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['first']);
  });
});

describe('a window PoSt of another chain', () => {
  const params = Buffer.from(
    encodeCbor(submitWindowedPoStParams, {
      deadline: 3,
      partitions: [{ index: 0, skipped: Bitfield.empty }],
      proofs: [{ poStProof: 10, proofBytes: Buffer.from('proof') }],
      chainCommitEpoch: 80,
      chainCommitRand: new Uint8Array(32),
    }),
  );

  it('is not sent', async () => {
    const { pool } = scene();
    pool.commitment = new Uint8Array(32).fill(1);
    const id = await scene().intend('', { params });
    await scene().outbox().advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({
      state: 'refused',
      error: expect.stringMatching(/^stale-chain:/),
    });
    expect(pool.waiting).toEqual([]);
  });

  it('is withdrawn from the pool', async () => {
    const { pool } = scene();
    const id = await scene().intend('', { params });
    await scene().outbox().advance(pool.head);
    expect(pool.waiting[0]).toContain('proof');
    pool.commitment = new Uint8Array(32).fill(1);
    await scene().outbox().advance(pool.head);
    expect(pool.waiting).toEqual(['']);
    expect(await scene().finish(id)).toMatchObject({ state: 'expired' });
    expect(pool.landed).toEqual(['']);
  });
});

describe('a message that must not land', () => {
  const withdraw = (id: string) => scene().db.transaction((trx) => withdrawMessage(trx, id));

  it('never leaves when it was not signed', async () => {
    const id = await scene().intend('stale');
    await withdraw(id);
    expect(await scene().finish(id)).toMatchObject({ state: 'expired' });
    expect(scene().pool.landed).toEqual([]);
  });

  it('gives its place in the pool to a transfer', async () => {
    const { pool } = scene();
    const id = await scene().intend('stale');
    await scene().outbox().advance(pool.head);
    expect(pool.waiting).toEqual(['stale']);
    await withdraw(id);
    await scene().outbox().advance(pool.head);
    expect(pool.waiting).toEqual(['']);
    expect(await scene().finish(id)).toMatchObject({ state: 'expired' });
  });

  it('stays as it is when it is finished', async () => {
    const id = await scene().intend('done');
    await scene().finish(id);
    await withdraw(id);
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
  });
});

it('after a kill at any point of a withdrawal the nonce is used once', async () => {
  const { pool } = scene();
  const mine = pool.mine.bind(pool);
  let epoch = 0;
  // Blocks have room again only after the message is too late.
  pool.mine = () => {
    epoch++;
    pool.leastPremium = epoch < 5 ? NEVER : 0n;
    return mine();
  };
  const intend = scene().intend.bind(scene());
  scene().intend = (text) => {
    epoch = 0;
    return intend(text, { expiresEpoch: pool.head.height + 3 });
  };
  const effects = await scene().killAtEachEffect((end, text) => {
    // Those killed before they were signed have no nonce to use.
    expect(end, text).toMatchObject({ state: 'expired' });
  });
  expect(effects).toBeGreaterThan(20);
  expect(pool.landed.every((text) => text === '')).toBe(true);
});
