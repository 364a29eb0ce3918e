import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { chainGroup } from '../../src/programs/sector-manager/util/chain.ts';
import { filText } from '../../src/programs/sector-manager/util/fil-text.ts';
import { messageGroup } from '../../src/programs/sector-manager/util/message.ts';
import { minerGroup } from '../../src/programs/sector-manager/util/miner.ts';
import { withToolbox } from '../../src/programs/sector-manager/util/toolbox.ts';
import type { Answer, Group, Written } from '../../src/programs/sector-manager/util/verb.ts';
import { badProof, ChainUnderTest, MINER, OPEN } from '../devnet/chain-under-test.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const UNKNOWN = 'bafy2bzaceb55jfbbtdyp7u7rsunl2wigwc6e4pkwheiufqctgqsd7jh336p22';
let database: TestDatabase;
let home: string;
let devnet: ChainUnderTest;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  devnet = await ChainUnderTest.start(OPEN + 1);
  home = await mkdtemp(join(tmpdir(), 'util-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const { port, adminToken } = devnet.devnet;
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.API]
Chain = ["/ip4/127.0.0.1/tcp/1/ws", "${adminToken}:/ip4/127.0.0.1/tcp/${port}/ws"]
[Common.Cluster]
Database = "${database.url}"
Master = "127.0.0.1:1"
[[Miners]]
Actor = ${MINER}
`,
  );
});

async function run(group: Group, name: string, ...words: (string | Written['options'])[]): Promise<Answer> {
  const args = words.filter((word) => typeof word === 'string');
  const options = words.find((word) => typeof word === 'object') ?? {};
  const verb = group.members.find((one) => one.name === name);
  if (verb === undefined || 'members' in verb) throw new TypeError(`no verb ${name}`);
  return await withToolbox({ home, confDir: undefined }, (toolbox) => verb.run(toolbox, { args, options }));
}

test('chain head shows the newest tipset, by the node of the list that is there', async () => {
  const { json, text } = await run(chainGroup, 'head');
  expect(json).toMatchObject({ height: OPEN + 1, network: 'wdpost-devnet', blocks: devnet.chain.head.key });
  expect(text).toMatch(/^height +155\n/);
});

test('miner info shows who acts for the miner', async () => {
  const { json, text } = await run(minerGroup, 'info');
  expect(json).toMatchObject({
    miner: `t0${MINER}`,
    worker: { key: devnet.worker, balance: '50000000000000000000000000' },
    controls: [],
    sectorSize: 2048,
    deadline: { index: 0, open: OPEN },
  });
  expect(text).toContain('50000000 FIL');
  await expect(run(minerGroup, 'info', 'nobody')).rejects.toMatchObject({ code: 'usage' });
});

test('message search and wait tell of a message by its CID, and how it ended', async () => {
  expect(await run(messageGroup, 'search', UNKNOWN)).toMatchObject({
    json: { cid: UNKNOWN, landed: null },
    text: expect.stringContaining('knows no such message'),
    exitCode: 1,
  });
  expect(await run(messageGroup, 'wait', UNKNOWN, { timeout: '1ms' })).toMatchObject({
    text: expect.stringContaining('it may land yet'),
    exitCode: 1,
  });
  await expect(run(messageGroup, 'wait', UNKNOWN, { timeout: 'soon' })).rejects.toMatchObject({ code: 'usage' });
  const good = devnet.submit(0);
  const waiting = run(messageGroup, 'wait', good);
  await devnet.land(good);
  expect(await waiting).toMatchObject({ exitCode: 0, json: { landed: { cid: good, exitCode: 0 } } });
  const bad = devnet.submit(1, { proof: badProof });
  await devnet.land(bad);
  expect(await run(messageGroup, 'search', bad)).toMatchObject({ exitCode: 1 });
  const { exitCode, text } = await run(messageGroup, 'wait', bad);
  expect(exitCode).toBe(1);
  expect(text).toMatch(/exit code +\d+/);
});

test('message search tells of a message of the outbox by its id and its uid', async () => {
  const now = systemClock.now();
  await database.db.kysely
    .insertInto('messages')
    .values({
      id: 'an-id',
      uid: 'an-uid',
      miner_id: MINER,
      purpose: 'submit',
      sender: devnet.worker,
      recipient: `t0${MINER}`,
      method: 5,
      params: Buffer.alloc(0),
      max_fee: '1',
      confidence: 5,
      state: 'refused',
      error: 'partition already proven',
      created_at: now,
      updated_at: now,
    })
    .execute();
  for (const id of ['an-id', 'an-uid']) {
    expect(await run(messageGroup, 'search', id)).toMatchObject({
      json: { id: 'an-id', state: 'refused', cid: null, landed: null },
      text: expect.stringContaining('partition already proven'),
    });
  }
  expect(await run(messageGroup, 'wait', 'an-id')).toMatchObject({ exitCode: 1 });
  await expect(run(messageGroup, 'search', 'another')).rejects.toMatchObject({ code: 'not-found' });
});

test('what the outbox was told of a message holds where the node knows it no more', async () => {
  await database.db.kysely
    .insertInto('messages')
    .values({
      id: 'old-id',
      uid: 'old-uid',
      miner_id: MINER,
      purpose: 'submit',
      sender: devnet.worker,
      recipient: `t0${MINER}`,
      method: 5,
      params: Buffer.alloc(0),
      max_fee: '1',
      confidence: 5,
      state: 'landed',
      cid: UNKNOWN,
      height: 77,
      exit_code: 0,
      created_at: 1,
      updated_at: 1,
    })
    .execute();
  for (const verb of ['search', 'wait']) {
    const { json, text, exitCode } = await run(messageGroup, verb, 'old-id');
    expect(json).toMatchObject({ state: 'landed', height: 77, exitCode: 0, landed: null });
    expect(text).toMatch(/on chain +since epoch 77, as the outbox was told/);
    expect(text).toMatch(/exit code +0/);
    expect(exitCode).toBe(0);
  }
});

test('amounts are shown in FIL', () => {
  expect([0n, 10n ** 18n, 1_250_000n * 10n ** 12n, -(10n ** 15n)].map(filText)).toEqual([
    '0 FIL',
    '1 FIL',
    '1.25 FIL',
    '-0.001 FIL',
  ]);
});
