import { beforeEach, describe, expect, it } from 'vitest';
import type { TipSet } from '../../src/chain/tipset.ts';
import { NodeError } from '../chain/lotus-stand-in.ts';
import { useOutboxScene } from './outbox-scene.ts';

const scene = useOutboxScene();

beforeEach(() => {
  scene().carrier = { kind: 'node' };
});

const called = (method: string) => scene().pool.node.calls.filter((call) => call.method === method);

describe('a message', () => {
  it('gets its nonce from the node, with its fee limit and an id, and is followed like our own', async () => {
    const id = await scene().intend('one');
    expect(await scene().finish(id)).toMatchObject({ state: 'landed', exitCode: 0 });
    expect(called('MpoolPushMessage')[0]?.params).toEqual([
      expect.objectContaining({ Nonce: 0, GasLimit: 1_000_000, Method: 5 }),
      { MaxFee: '1000000000000000000', MsgUuid: id },
    ]);
    expect(called('WalletSignMessage')).toEqual([]);
    expect(scene().pool.landed).toEqual(['one']);
  });

  it('whose answer got lost is found in the pool, and not pushed again', async () => {
    const { pool } = scene();
    const push = pool.node.handlers.get('MpoolPushMessage') as (...params: unknown[]) => unknown;
    pool.node.handlers.set('MpoolPushMessage', (...params: never[]) => {
      push(...params);
      throw new NodeError(1, 'mpool push: websocket routine exiting');
    });
    const id = await scene().intend('lost');
    const outbox = scene().outbox();
    await outbox.advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({ state: 'handing', error: expect.stringContaining('exiting') });
    await outbox.advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({ state: 'pushed', error: null });
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['lost']);
  });

  it('whose answer got lost and that landed meanwhile is found on the chain, for good only with confidence', async () => {
    const { pool } = scene();
    const push = pool.node.handlers.get('MpoolPushMessage') as (...params: unknown[]) => unknown;
    pool.node.handlers.set('MpoolPushMessage', (...params: never[]) => {
      push(...params);
      throw new NodeError(1, 'websocket routine exiting');
    });
    const id = await scene().intend('landed unseen');
    const outbox = scene().outbox();
    await outbox.advance(pool.head);
    pool.mine();
    const executed = pool.mine();
    await outbox.advance(executed);
    expect(await scene().stateOf(id)).toMatchObject({ state: 'handing' });
    expect(await scene().finish(id)).toMatchObject({ state: 'landed', height: executed.height });
    expect(pool.landed).toEqual(['landed unseen']);
  });

  it('is not taken for an earlier one of the same content that failed', async () => {
    const { pool } = scene();
    pool.exitCodes.set('twice', 16);
    expect(await scene().finish(await scene().intend('twice'))).toMatchObject({ state: 'failed' });
    pool.exitCodes.clear();
    const id = await scene().intend('twice');
    const push = lostPush();
    await scene().outbox().advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({ state: 'handing' });
    push.restore();
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['twice', 'twice']);
  });

  it('whose nonce the node gives a second time, after it lost its pool, gives way', async () => {
    const { pool } = scene();
    const outbox = scene().outbox();
    const first = await scene().intend('first');
    await outbox.advance(pool.head);
    const second = await scene().intend('second');
    // The pool is lost between the first one's push and the second one's.
    const push = pool.node.handlers.get('MpoolPushMessage') as (...params: unknown[]) => unknown;
    pool.node.handlers.set('MpoolPushMessage', (...params: never[]) => {
      pool.forgetPool();
      return push(...params);
    });
    await outbox.advance(pool.head);
    expect(await scene().stateOf(first)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('a second time'),
    });
    expect(await scene().finish(second)).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['second']);
  });

  it('that never arrived ends with its epoch', async () => {
    const { pool } = scene();
    const push = lostPush();
    const id = await scene().intend('late', { expiresEpoch: pool.head.height + 4 });
    expect(await scene().finish(id)).toMatchObject({ state: 'expired' });
    push.restore();
    expect(pool.landed).toEqual([]);
  });
});

/** Pushes that never arrive. */
function lostPush() {
  const { pool } = scene();
  const push = pool.node.handlers.get('MpoolPushMessage') ?? (() => {});
  pool.node.handlers.set('MpoolPushMessage', () => {
    throw new NodeError(1, 'the pool is busy');
  });
  return { restore: () => pool.node.handlers.set('MpoolPushMessage', push) };
}

describe('after a kill at any point nothing is sent twice and nothing is forgotten', () => {
  const once = (end: unknown, text: string) => {
    expect(end, text).toMatchObject({ state: 'landed' });
    expect(
      scene().pool.landed.filter((one) => one === text),
      text,
    ).toHaveLength(1);
  };

  it('while the node remembers its ids', async () => {
    expect(await scene().killAtEachEffect(once)).toBeGreaterThan(15);
  });

  it('with another node after each kill, which has the pool and not the ids', async () => {
    const { pool } = scene();
    const mine = pool.mine.bind(pool);
    pool.mine = (): TipSet => {
      pool.forgetIds();
      return mine();
    };
    expect(await scene().killAtEachEffect(once)).toBeGreaterThan(15);
  });
});
