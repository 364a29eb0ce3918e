import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { databaseNow } from '../../src/database/database.ts';
import { connectMessager } from '../../src/outbox/messager.ts';
import { preflight } from '../../src/programs/sector-manager/preflight/preflight.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

type Init = Parameters<typeof preflight>[1];

/** A manager without chain, miners and stores. */
async function scene(
  init: Partial<Init>,
  onSleep: (db: Awaited<ReturnType<typeof createTestDatabase>>['db']) => Promise<void>,
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
      chain: () => Promise.reject(new Error('no chain here')),
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
