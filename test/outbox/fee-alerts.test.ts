import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/filecoin/address.ts';
import { nodeFees } from '../../src/outbox/settings.ts';
import { NodeError } from '../chain/lotus-stand-in.ts';
import { useOutboxScene } from './outbox-scene.ts';

const scene = useOutboxScene();
const alertClasses = () => [...scene().alerts.open.values()].map((alert) => alert.class);

describe('a refusal for gas', () => {
  it.each([
    ['by its code', 2, 'call ran out of gas'],
    [
      'by its words',
      1,
      'estimating gas used: message execution failed: exit SysErrOutOfGas(7): out of gas (RetCode=7)',
    ],
    ['of the block', 1, 'message gas limit 11000000000 exceeds the block gas limit'],
  ])('is told as one, %s', async (_, code, text) => {
    const { pool } = scene();
    pool.node.handlers.set('GasEstimateMessageGas', () => {
      throw new NodeError(code, text);
    });
    const id = await scene().intend('large');
    await scene().outbox().advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({ state: 'refused', error: `gas-limit: ${text}` });
  });

  it('on the chain is told the same way', async () => {
    const { pool } = scene();
    pool.exitCodes.set('large', 7);
    expect(await scene().finish(await scene().intend('large'))).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^gas-limit: exit code 7/),
    });
  });
});

describe('fees', () => {
  it('are those of the rules at first', async () => {
    scene().miner = {
      fees: { gasOverEstimation: 1.5, gasOverPremium: 2, gasFeeCap: 7777n, maxRecoveryFee: undefined },
    };
    await scene().intend('ruled');
    await scene().outbox().advance(scene().pool.head);
    const push = scene().pool.node.calls.find(({ method }) => method === 'MpoolPush');
    expect(push?.params[0]).toMatchObject({
      Message: { GasLimit: 1_200_000, GasFeeCap: '7777', GasPremium: '2000' },
    });
  });

  it('of a stuck message follow a base fee that jumped', async () => {
    const { pool } = scene();
    scene().miner = { fees: { ...nodeFees, gasFeeCap: 5000n } };
    pool.leastPremium = 1200n;
    const id = await scene().intend('stuck');
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    const pushes = pool.node.calls.filter(({ method }) => method === 'MpoolPush');
    const caps = pushes.map(({ params }) => (params[0] as { Message: { GasFeeCap: string } }).Message.GasFeeCap);
    // The node's own estimate: a quarter of the limit.
    expect([caps[0], caps.at(-1)]).toEqual(['5000', '250000000000']);
    expect((await scene().row(id)).fee).toBe('1251000000');
  });

  it('have a budget for each class of messages; when it is spent an alert says so until the message lands', async () => {
    const { pool } = scene();
    scene().miner = { fees: { ...nodeFees, gasFeeCap: 10n ** 6n, maxRecoveryFee: 1_000_000n * 1050n } };
    pool.leastPremium = 1060n;
    const id = await scene().intend('poor', { purpose: 'recover', maxFee: 10n ** 18n });
    await scene().finish(id, scene().outbox(), 13);
    expect(scene().alerts.open.get(`fee-budget/${id}`)?.text).toContain('MaxRecoveryFee');
    const rich = await scene().intend('rich', { maxFee: 10n ** 18n });
    pool.leastPremium = 0n;
    for (const one of [id, rich]) expect(await scene().finish(one)).toMatchObject({ state: 'landed' });
    expect(alertClasses()).toEqual([]);
  });

  it('that are raised say that the message is stuck until it lands', async () => {
    const { pool } = scene();
    pool.leastPremium = 1500n;
    const id = await scene().intend('stuck');
    await scene().finish(id, scene().outbox(), 12);
    expect(alertClasses()).toEqual(['message-stuck']);
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect(alertClasses()).toEqual([]);
  });
});

describe('messages of somebody else', () => {
  it('that wait in the pool are told, and never replaced', async () => {
    const { pool } = scene();
    pool.leastPremium = 10n ** 12n;
    pool.pushForeign();
    const id = await scene().intend('ours');
    await scene().finish(id, scene().outbox(), 25);
    expect(pool.waiting.toSorted()).toEqual(['foreign', 'ours']);
    expect(scene().alerts.open.get(`foreign-messages/${formatAddress(pool.senderKey)}`)?.severity).toBe('critical');
    pool.leastPremium = 0n;
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    await scene().finish(await scene().intend('next'));
    expect(alertClasses()).toEqual([]);
  });

  it('that have the nonce of a stuck message of ours are not pushed out', async () => {
    const { pool } = scene();
    pool.leastPremium = 10n ** 12n;
    const id = await scene().intend('ours');
    const outbox = scene().outbox();
    await outbox.advance(pool.head);
    pool.forgetPool();
    pool.pushForeign(0);
    for (let epoch = 0; epoch < 15; epoch++) await outbox.advance(pool.mine());
    expect(pool.waiting).toEqual(['foreign']);
    expect(alertClasses()).toEqual(['foreign-messages']);
    pool.leastPremium = 0n;
    expect(await scene().finish(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('not ours') });
  });
});
