import { rm, truncate } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storageGroup } from '../../src/programs/sector-manager/util/storage/storage-group.ts';
import { withToolbox } from '../../src/programs/sector-manager/util/toolbox.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { provingScene } from './proving-scene.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('storage check compares chain, index and disk, and keeps what differs', async () => {
  const cluster = `Database = "${database.url}"\nMaster = "127.0.0.1:1"`;
  const { home, sealedFile } = await provingScene(OPEN + 2, { sectors: 4, cluster });
  const verb = storageGroup.members.find(({ name }) => name === 'check');
  if (verb === undefined || 'members' in verb) throw new TypeError('no verb check');
  const check = (options: Readonly<Record<string, unknown>> = {}) =>
    withToolbox({ home, confDir: undefined }, (toolbox) => verb.run(toolbox, { args: [], options }));

  expect(await check()).toMatchObject({
    json: { stores: [{ store: 'store', sectors: 4, findings: { missing: 0, 'wrong-size': 0 } }], findings: [] },
    exitCode: 0,
  });

  await rm(sealedFile(1));
  await truncate(sealedFile(2), 100);
  const { json, text, exitCode } = await check({ store: 'store', miner: `t0${MINER}` });
  expect(json).toMatchObject({
    stores: [{ findings: { missing: 1, 'wrong-size': 1, unexpected: 0, duplicate: 0 } }],
    findings: [
      { store: 'store', miner: MINER, sector: 1, kind: 'missing', reason: 'its sealed file is not there any more' },
      { store: 'store', miner: MINER, sector: 2, kind: 'wrong-size' },
    ],
  });
  expect(text).toMatch(/store {2,}sectors {2,}missing/);
  expect(exitCode).toBe(1);
  const rows = await database.db.kysely.selectFrom('store_findings').select('sector_number').execute();
  expect(rows.map(({ sector_number }) => sector_number).sort()).toEqual([1, 2]);

  await expect(check({ store: 'nfs9' })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('store'),
  });
});
