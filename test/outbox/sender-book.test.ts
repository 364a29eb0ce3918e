import { describe, expect, it } from 'vitest';
import { type Address, formatAddress, parseAddress, sameAddress } from '../../src/filecoin/address.ts';
import { useOutboxScene } from './outbox-scene.ts';

const scene = useOutboxScene();
const FIL = 10n ** 18n;
const other = parseAddress('t0555');
const otherKey = parseAddress('t1zryr3khsnwgjmhb54iavga7fi6p7kek2kpwo44y');

/** A second sender, of which the chain says this. */
function withOther(balanceOfOther: bigint, allowed: readonly Address[] = [scene().pool.senderId, other]) {
  const { pool, chain } = scene();
  return {
    ...chain,
    minerInfo: async (...asked: Parameters<typeof chain.minerInfo>) => ({
      ...(await chain.minerInfo(...asked)),
      controlAddresses: allowed,
    }),
    actorBalance: async (address: Address) => (sameAddress(address, other) ? balanceOfOther : pool.balance),
    accountKey: async (address: Address) => (sameAddress(address, other) ? otherKey : pool.senderKey),
  };
}

/** The sender with which the gas of a message was estimated. */
async function chosen(
  balanceOfOther: bigint,
  senders: readonly Address[],
  allowed?: readonly Address[],
  named = scene().pool.senderId,
): Promise<string> {
  const { pool } = scene();
  scene().miner = { senders };
  scene().carrier = { kind: 'node' };
  pool.node.handlers.set('MpoolPushMessage', () => new Promise(() => {}));
  const id = await scene().intend('which', { sender: named });
  const box = scene().outbox(withOther(balanceOfOther, allowed));
  void box.advance(pool.head).catch(() => {});
  for (;;) {
    const row = await scene().row(id);
    if (row.state === 'handing') return row.sender;
  }
}

describe('the sender', () => {
  it('is the first one with funds for a day', async () => {
    const { pool } = scene();
    expect(await chosen(5n * FIL, [pool.senderId, other])).toBe(formatAddress(pool.senderId));
  });

  it('is the next one when the first has too little, which is told', async () => {
    const { pool, alerts } = scene();
    pool.balance = FIL / 100n;
    expect(await chosen(5n * FIL, [pool.senderId, other])).toBe('t0555');
    expect([...alerts.open.values()]).toMatchObject([{ class: 'sender-balance', severity: 'critical' }]);
  });

  it('is the one that somebody named by hand', async () => {
    const { pool } = scene();
    expect(await chosen(5n * FIL, [pool.senderId, other], undefined, other)).toBe('t0555');
  });

  it('is the richest where none has enough', async () => {
    const { pool } = scene();
    pool.balance = 1000n;
    expect(await chosen(2000n, [pool.senderId, other])).toBe('t0555');
  });

  it('is never one that may not send for the miner, which is told', async () => {
    const { pool, alerts } = scene();
    expect(await chosen(5n * FIL, [other, pool.senderId], [pool.senderId])).toBe(formatAddress(pool.senderId));
    expect(alerts.open.get('sender-refused/1001/t0555')?.text).toContain('neither owner, worker nor control address');
  });
});

describe('a look at the senders', () => {
  it('needs what the last day cost', async () => {
    const { pool, alerts } = scene();
    const id = await scene().intend('dear');
    await scene().finish(id);
    await scene()
      .db.kysely.updateTable('messages')
      .set({ fee: (2n * FIL).toString() })
      .execute();
    pool.balance = FIL;
    await scene().outbox().advance(pool.mine());
    const short = `sender-balance/${formatAddress(pool.senderKey)}`;
    expect(alerts.open.get(short)).toMatchObject({
      severity: 'warning',
      text: expect.stringContaining('needs about 2.0000 FIL'),
    });
    pool.balance = 3n * FIL;
    await scene().outbox().advance(pool.mine());
    expect(alerts.open.has(short)).toBe(false);
  });

  it('warns of one that sealing uses, too', async () => {
    const { pool, alerts } = scene();
    scene().miner = { sealingSenders: [pool.senderId] };
    await scene().outbox().advance(pool.head);
    expect([...alerts.open.values()]).toMatchObject([{ class: 'sender-shared', minerId: 1001 }]);
    scene().miner = {};
    await scene().outbox().advance(pool.head);
    expect(alerts.open.size).toBe(0);
  });

  it('comes every 20 epochs, and at the next head when it failed', async () => {
    const { pool } = scene();
    const looks = () => pool.node.calls.filter(({ method }) => method === 'StateMinerInfo').length;
    const outbox = scene().outbox();
    for (let epoch = 0; epoch < 20; epoch++) await outbox.advance(pool.mine());
    expect(looks()).toBe(1);
    await outbox.advance(pool.mine());
    expect(looks()).toBe(2);
    const lookup = pool.node.handlers.get('StateGetActor');
    pool.node.handlers.set('StateGetActor', () => {
      throw new Error('state store is busy');
    });
    for (let epoch = 0; epoch < 21; epoch++) await outbox.advance(pool.mine());
    if (lookup) pool.node.handlers.set('StateGetActor', lookup);
    const failed = looks();
    await outbox.advance(pool.mine());
    expect(looks()).toBe(failed + 1);
  });
});
