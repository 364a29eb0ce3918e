import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { databaseNow } from '../../src/database/database.ts';
import { formatAddress, idAddress } from '../../src/filecoin/address.ts';
import { connectMessager } from '../../src/outbox/messager.ts';
import { preflight } from '../../src/programs/sector-manager/preflight/preflight.ts';
import { MessagerStandIn } from '../outbox/messager-stand-in.ts';
import { PoolStandIn } from '../outbox/pool-stand-in.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

type Init = Parameters<typeof preflight>[1];

/** A manager without miners and stores, and without a chain unless one is given. */
async function scene(
  init: Partial<Init>,
  onSleep: (db: Awaited<ReturnType<typeof createTestDatabase>>['db']) => Promise<void>,
  chain?: Chain,
) {
  const schema = await createTestDatabase();
  onTestFinished(() => schema.drop());
  const { db } = schema;
  await db.kysely.insertInto('masters').values({ name: 'm', address: 'host:1', started_at: 1, seen_at: 0 }).execute();
  await db.kysely.updateTable('leadership').set({ master: 'm' }).where('id', '=', 1).execute();
  const unused = () => Promise.reject(new Error('unused'));
  const findings = await preflight(
    {
      clock: { ...systemClock, sleep: () => onSleep(db) },
      logger: silentLogger,
      chain: async () => chain ?? Promise.reject(new Error('no chain here')),
      db: async () => db,
      verifier: { verify: unused, verifyTask: unused, close: unused },
    },
    { miners: [], stores: [], carrier: { kind: 'own' }, gateways: [], ...init },
  );
  return Object.fromEntries(findings.map(({ check, verdict, text }) => [check, `${verdict}: ${text}`]));
}

test('a master that the manager has just started is given a moment', async () => {
  const found = await scene({ startsMaster: true }, async (db) => {
    await db.kysely.updateTable('masters').set({ seen_at: databaseNow }).execute();
  });
  expect(found.master).toBe('ok: host:1 leads');
  const other = await scene({}, () => Promise.reject(new Error('nobody waits for it')));
  expect(other.master).toMatch(/^fail: none leads; the last one was host:1/);
});

test('messager and gateways are asked', async () => {
  const silent = createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const away = 'http://127.0.0.1:1';
  const found = await scene(
    {
      carrier: { kind: 'messager', messager: connectMessager({ clock: systemClock }, { url: away }) },
      gateways: [{ url: 'ws://127.0.0.1:1' }, { url: `ws://127.0.0.1:${port}`, token: 'wrong' }],
    },
    async () => {},
  );
  expect(found.messager).toMatch(/^fail: messager http:\/\/127\.0\.0\.1:1\S* cannot be used/);
  const secret = connectMessager({ clock: systemClock }, { url: 'http://me:topsecret@127.0.0.1:1/key?x=topsecret' });
  const other = await scene({ carrier: { kind: 'messager', messager: secret } }, async () => {});
  expect(other.messager).toMatch(/^fail: messager http:\/\/127\.0\.0\.1:1\/… cannot be used: /);
  expect(other.messager).not.toContain('topsecret');
  expect(found['gateway ws://127.0.0.1:1']).toMatch(/^fail: .*connection refused/);
  expect(found[`gateway ws://127.0.0.1:${port}`]).toMatch(/^fail: .*it refuses the token/);
});

test('the messager is asked for the key of a sender', async () => {
  const pool = await PoolStandIn.start();
  const chain = connectChain({ clock: systemClock, logger: silentLogger }, { url: pool.node.url });
  const standIn = await MessagerStandIn.start(pool);
  onTestFinished(async () => {
    chain.close();
    await pool.node.close();
    await standIn.close();
  });
  const { key, height } = pool.head;
  const head = { Cids: key.map((cid) => ({ '/': cid })), Blocks: [{ Timestamp: 0 }], Height: height };
  pool.node.handlers.set('ChainHead', () => head);
  for (const unused of ['StateNetworkName', 'StateMinerProvingDeadline']) {
    pool.node.handlers.set(unused, () => Promise.reject(new Error('unused')));
  }
  const messager = connectMessager({ clock: systemClock }, { url: standIn.address });
  const miner = { minerId: 1001, address: idAddress(1001), sender: pool.senderId } as Init['miners'][number];
  const look = async () => {
    const found = await scene({ miners: [miner], carrier: { kind: 'messager', messager } }, async () => {}, chain);
    return found['sender of t01001'];
  };
  expect(await look()).toMatch(/^ok: t0101 may send, a wallet of the messager can sign for it, and it has /);
  standIn.withoutKey.add(formatAddress(pool.senderKey));
  expect(await look()).toMatch(/^fail: \[Miners.PoSt\] Sender t0101: no wallet of the messager has the key of t1/);
});
