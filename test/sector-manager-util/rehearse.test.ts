import { appendFile, cp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type RehearsedSector,
  storeRehearsals,
} from '../../src/programs/sector-manager/util/proving/rehearsal-report.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { recordStore } from '../../src/stores/index/store-records.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { prover } from '../ext-processor/real-prover.ts';
import { startTestMaster } from '../master/test-master.ts';
import { startSlave } from '../slave/test-slave.ts';
import { createTestDatabase } from '../support/database.ts';
import { provingScene } from './proving-scene.ts';

test('a slave reads the sectors of the chain, and what is bad is named with its store', {
  timeout: 90_000,
}, async () => {
  const database = await createTestDatabase();
  const master = await startTestMaster(database.url, {}, 0, prover);
  try {
    const cluster = `Database = "${database.url}"\nMaster = "127.0.0.1:${master.port}"`;
    const scene = await provingScene(OPEN + 2, { sectors: 4, cluster });
    await recordStore(database.db, { name: 'store', path: scene.store }, { tookMs: 1, sectors: 4, strange: 0 });
    await expect(scene.run('rehearse', { deadline: '0' })).rejects.toThrow('no slave could read');
    const slave = startSlave(master.port, { env: { ...process.env, WDPOST_PROVER: prover } });
    await master.log.until((line) => line.msg === 'slave joined');

    const whole = await scene.run('rehearse', { deadline: '0', store: 'store' });
    expect(whole.json).toMatchObject({
      readers: 32,
      partitionSectors: 2,
      stores: [{ store: 'store', sectors: 2, bad: 0, unknown: 0, slow: false, read: { p50: expect.any(Number) } }],
      partitions: [{ deadline: 0, partition: 0, sectors: 2, slave: 'slave-under-test' }],
      sectors: [],
    });
    expect(whole.text).toContain('2 sectors read in');

    const spare = join(dirname(scene.store), 'spare');
    await cp(scene.store, spare, { recursive: true, filter: (path) => !/-[012]$/.test(path) });
    await rm(scene.sealedFile(2));
    await writeFile(scene.sealedFile(3), Buffer.alloc(2048, 1));
    const bad = await scene.run('rehearse');
    expect(bad.exitCode).toBe(1);
    expect(bad.json).toMatchObject({
      stores: [
        { store: null, sectors: 1 },
        { store: 'store', sectors: 3, bad: 1 },
      ],
      sectors: [
        { number: 2, verdict: 'bad', store: null },
        { number: 3, verdict: 'corrupt', store: 'store' },
      ],
    });
    expect(bad.text).toMatch(/sector 3: corrupt \(.*is invalid/);
    expect((await scene.run('rehearse', { deadline: '1', partition: '0', store: 'store' })).json).toMatchObject({
      sectors: [{ number: 2 }, { number: 3 }],
    });

    // The index knows of the corrupt copy alone, so that one is found first.
    const some = SectorSet.of([3]);
    const share = { store: 'store', minerId: MINER, upgraded: false, sealed: some, cache: some };
    await new SectorIndex({ db: database.db }).add([share]);
    const more = `[[Common.PersistStores]]\nName = "spare"\nPath = "${spare}"\nReadOnly = true\n`;
    await appendFile(join(scene.home, 'sector-manager.cfg'), more);
    await recordStore(database.db, { name: 'spare', path: spare }, { tookMs: 1, sectors: 1, strange: 0 });
    const copied = await scene.run('rehearse', { deadline: '1' });
    expect(copied.exitCode).toBe(1);
    expect(copied.json).toMatchObject({
      stores: [{ store: null }, { store: 'spare', sectors: 1, bad: 0 }, { store: 'store', sectors: 1, bad: 1 }],
      sectors: [{ number: 2 }, { number: 3, verdict: 'corrupt', store: 'store' }],
    });
    expect(copied.text).toMatch(/sector 3: corrupt \(.*; its copy in spare is good$/m);

    await expect(scene.run('rehearse', { partition: '0' })).rejects.toThrow('--partition needs --deadline');
    await expect(scene.run('rehearse', { store: 'other' })).rejects.toThrow('has no store "other", only store');
    await expect(scene.run('rehearse', { deadline: '47' })).rejects.toThrow('there is no such sector');
    await slave.stop();
  } finally {
    await master.stop();
    await database.drop();
  }
});

test('the slow store is named, and whether a whole partition there fits the window', () => {
  const sector = (store: string | null, number: number, ms: number | null): RehearsedSector => {
    const verdict = ms === null ? 'unknown' : 'good';
    return { deadline: 0, partition: 0, number, store, verdict, reason: null, ms };
  };
  const sectors = [
    ...Array.from({ length: 100 }, (_, index) => sector('quick', index, index + 1)),
    ...Array.from({ length: 10 }, (_, index) => sector('slow', 100 + index, 20_000)),
    sector(null, 200, null),
  ];
  const report = storeRehearsals(sectors, { readers: 32, partitionSectors: 2_349, windowMs: 1_800_000 });
  expect(report).toEqual([
    { store: null, sectors: 1, bad: 0, unknown: 1, read: null, partitionMs: null, fits: null, slow: false },
    {
      store: 'quick',
      sectors: 100,
      bad: 0,
      unknown: 0,
      read: { p50: 51, p99: 99, max: 100 },
      partitionMs: 3_707,
      fits: true,
      slow: false,
    },
    {
      store: 'slow',
      sectors: 10,
      bad: 0,
      unknown: 0,
      read: { p50: 20_000, p99: 20_000, max: 20_000 },
      partitionMs: 1_468_125,
      fits: false,
      slow: true,
    },
  ]);
});
