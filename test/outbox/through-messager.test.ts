import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { formatAddress, parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { type Message, messageCid } from '../../src/filecoin/message.ts';
import { declareFaultsRecoveredParams } from '../../src/filecoin/miner-params.ts';
import { draftOf } from '../../src/outbox/draft.ts';
import { connectMessager, type Messager } from '../../src/outbox/messager.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { nodeFees } from '../../src/outbox/settings.ts';
import { firstUid } from '../../src/outbox/uid.ts';
import { NodeError } from '../chain/lotus-stand-in.ts';
import { MessagerStandIn } from './messager-stand-in.ts';
import { useOutboxScene } from './outbox-scene.ts';

const scene = useOutboxScene();
const FEE_CAP = 5_000_000_000n;
let standIn: MessagerStandIn;
let messager: Messager;

beforeEach(async () => {
  const { pool } = scene();
  standIn = await MessagerStandIn.start(pool);
  messager = connectMessager({ clock: systemClock }, { url: standIn.address, token: 'secret' });
  scene().carrier = { kind: 'messager', messager };
  scene().miner = { fees: { ...nodeFees, gasOverEstimation: 1.2, gasFeeCap: FEE_CAP } };
  // It works once an epoch.
  const mine = pool.mine.bind(pool);
  pool.mine = () => {
    standIn.work();
    return mine();
  };
});
afterEach(() => standIn.close());

function messageOf(text: string): Message {
  const intention = { recipient: parseAddress('t01001'), method: 5, params: Buffer.from(text) };
  return draftOf(intention as unknown as Parameters<typeof draftOf>[0], scene().pool.senderId);
}

/** The id as the replaced system makes it. */
function seedUid(text: string): string {
  return messageCid({ ...messageOf(text), gasFeeCap: FEE_CAP }).toString();
}

describe('a message', () => {
  it('is given to the messager under the id of the replaced system, and landed when the chain says so', async () => {
    const { pool } = scene();
    const id = await scene().intend('one');
    const outbox = scene().outbox();
    await outbox.advance(pool.head);
    expect(await scene().row(id)).toMatchObject({ state: 'pushed', carrier: 'messager', uid: seedUid('one') });
    const push = standIn.calls.find(({ method }) => method === 'PushMessageWithId');
    expect(push?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'x-venus-api-namespace': 'messager.IMessager',
    });
    expect(push?.params).toEqual([
      seedUid('one'),
      expect.objectContaining({
        From: formatAddress(pool.senderId),
        To: 't01001',
        Method: 5,
        Nonce: 0,
        Value: '0',
        GasLimit: 0,
        GasFeeCap: FEE_CAP.toString(),
        Params: Buffer.from('one').toString('base64'),
      }),
      { expireEpoch: 0, gasOverEstimation: 1.2, gasOverPremium: 0, maxFee: '1000000000000000000' },
    ]);
    expect(await scene().finish(id)).toMatchObject({ state: 'landed', exitCode: 0 });
    expect(pool.landed).toEqual(['one']);
  });

  it('that failed on the chain says so; the next one of its content has a number', async () => {
    const { pool } = scene();
    pool.exitCodes.set('again', 16);
    expect(await scene().finish(await scene().intend('again'))).toMatchObject({ state: 'failed', exitCode: 16 });
    pool.exitCodes.clear();
    const second = await scene().intend('again');
    expect(await scene().finish(second)).toMatchObject({ state: 'landed' });
    expect((await scene().row(second)).uid).toBe(`${seedUid('again')}-1`);
  });

  it('that the messager has already, as sent by the replaced system, is taken up', async () => {
    const { pool } = scene();
    await messager.push(seedUid('theirs'), messageOf('theirs'), nodeFees, 10n ** 18n);
    expect(await scene().finish(await scene().intend('theirs'))).toMatchObject({ state: 'landed' });
    expect(pool.landed).toEqual(['theirs']);
  });

  it('that the messager gave up there is not: it gets a number', async () => {
    await messager.push(seedUid('dead'), messageOf('dead'), nodeFees, 10n ** 18n);
    await messager.markBad(seedUid('dead'));
    const id = await scene().intend('dead');
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect((await scene().row(id)).uid).toBe(`${seedUid('dead')}-1`);
  });

  it('that the chain would refuse is not given to it', async () => {
    const { pool } = scene();
    pool.node.handlers.set('GasEstimateGasLimit', () => {
      throw new NodeError(3, 'message execution failed (vm error=[partition already proven (RetCode=16)])');
    });
    const id = await scene().intend('refused');
    await scene().outbox().advance(pool.head);
    expect(await scene().stateOf(id)).toMatchObject({
      state: 'refused',
      error: expect.stringContaining('already proven'),
    });
    expect(standIn.held.size).toBe(0);
  });

  it('that is not signed in time is called back, and its trouble told before', async () => {
    const { pool } = scene();
    standIn.trouble = 'gas estimate: base fee is too high';
    const id = await scene().intend('late', { expiresEpoch: pool.head.height + 5 });
    const outbox = scene().outbox();
    for (let epoch = 0; epoch < 2; epoch++) await outbox.advance(pool.mine());
    expect(await scene().stateOf(id)).toMatchObject({ state: 'pushed', error: expect.stringContaining('base fee') });
    expect(await scene().finish(id, outbox)).toMatchObject({ state: 'expired' });
    expect(standIn.held.get(seedUid('late'))?.state).toBe(4);
  });

  it('that is not signed in time ends where the token may not call it back, too', async () => {
    const { pool } = scene();
    standIn.trouble = 'no key';
    standIn.forbidden.add('MarkBadMessage');
    const id = await scene().intend('late', { expiresEpoch: pool.head.height + 5 });
    expect(await scene().finish(id)).toMatchObject({
      state: 'expired',
      error: expect.stringContaining('may not mark it bad'),
    });
  });

  it('that is stuck has its fees raised, or an alert says that they cannot be', async () => {
    const { pool, alerts } = scene();
    pool.leastPremium = 2000n;
    const outbox = scene().outbox();
    const id = await scene().intend('stuck');
    const stuck = () => alerts.open.get(`message-stuck/${id}`)?.text;
    for (let epoch = 0; epoch < 11; epoch++) await outbox.advance(pool.mine());
    const replace = standIn.calls.find(({ method }) => method === 'ReplaceMessage');
    expect(replace?.params[0]).toMatchObject({ ID: seedUid('stuck'), Auto: true, MaxFee: '1000000000000000000' });
    expect(stuck()).toContain('asked to raise');

    standIn.forbidden.add('ReplaceMessage');
    for (let epoch = 0; epoch < 11; epoch++) await outbox.advance(pool.mine());
    expect(stuck()).toContain('cannot be raised');
    pool.leastPremium = 0n;
    expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
    expect(stuck()).toBeUndefined();
  });
});

it('an id that the messager has already is no error: it is sent once', async () => {
  const message = messageOf('twice');
  for (let time = 0; time < 2; time++) await messager.push('uid', message, nodeFees, 1n);
  expect([...standIn.held.keys()]).toEqual(['uid']);
});

it('a sender whose key no wallet of the messager has, or that its token may not use, is told', async () => {
  const { pool, alerts } = scene();
  const told = () => alerts.open.get(`sender-refused/1001/${formatAddress(pool.senderId)}`)?.text;
  const outbox = scene().outbox();
  await outbox.advance(pool.head);
  expect(told()).toBeUndefined();
  expect(standIn.calls.find(({ method }) => method === 'WalletHas')?.params).toEqual([formatAddress(pool.senderKey)]);
  standIn.withoutKey.add(formatAddress(pool.senderKey));
  await nextLook(outbox);
  expect(told()).toMatch(/no wallet of the messager has the key of t1\w+: import it/);
  standIn.forbidden.add('WalletHas');
  await nextLook(outbox);
  expect(told()).toMatch(
    /the messager answered WalletHas with: missing permission .* let the user of .* use this signer/,
  );
  standIn.withoutKey.clear();
  standIn.forbidden.clear();
  await nextLook(outbox);
  expect(told()).toBeUndefined();
});

/** Senders are looked at every 20 epochs. */
async function nextLook(outbox: Outbox): Promise<void> {
  for (let epoch = 0; epoch < 20; epoch++) scene().pool.mine();
  await outbox.advance(scene().pool.head);
}

it('a messager that is away holds nothing up for good', async () => {
  const { pool } = scene();
  const away = connectMessager({ clock: systemClock }, { url: 'http://127.0.0.1:1' });
  const id = await scene().intend('later');
  await scene().outbox(scene().chain, scene().db, { kind: 'messager', messager: away }).advance(pool.head);
  expect(await scene().stateOf(id)).toMatchObject({ error: expect.stringContaining('messager http://127.0.0.1:1') });
  expect(await scene().finish(id)).toMatchObject({ state: 'landed' });
});

it('the id of a declaration names the deadline that was open when the replaced system made it', () => {
  const { pool } = scene();
  const recoveries = [{ deadline: 1, partition: 0, sectors: Bitfield.of([3]) }];
  const params = encodeCbor(declareFaultsRecoveredParams, { recoveries });
  // Deadline 1 opens at 1000, its declarations end 70 epochs before; deadline 47 opened at 880.
  const message = { recipient: parseAddress('t01001'), method: 11, params, expiresEpoch: 930 };
  const uid = firstUid(message as unknown as Parameters<typeof firstUid>[0], pool.senderId, 0n);
  expect(uid).toMatch(/^bafy\w+-47-880$/);
});

it('after a kill at any point nothing is sent twice and nothing is forgotten', async () => {
  const { pool } = scene();
  const effects = await scene().killAtEachEffect(
    (end, text) => {
      expect(end, text).toMatchObject({ state: 'landed' });
      expect(
        pool.landed.filter((one) => one === text),
        text,
      ).toHaveLength(1);
    },
    (process) => ({ kind: 'messager', messager: process.messager(messager) }),
  );
  expect(effects).toBeGreaterThan(15);
});
