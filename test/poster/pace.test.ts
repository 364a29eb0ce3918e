import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { paceOf, readPace } from '../../src/poster/pace.ts';
import { createRun } from '../../src/poster/run-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runOf } from './runs.ts';

describe('paceOf', () => {
  it('is the middle and the slowest but one in a hundred, in epochs', () => {
    const tookMs = Array.from({ length: 200 }, (_, index) => (200 - index) * 3_000);
    expect(paceOf(tookMs, 30_000)).toEqual({ expected: 10.1, slow: 19.9 });
  });

  it('assumes that of 32 GiB sectors until there are some', () => {
    expect(paceOf([1, 1, 1, 1], 30_000)).toEqual({ expected: 9, slow: 15 });
    expect(paceOf([30_000, 30_000, 30_000, 30_000, 60_000], 30_000)).toEqual({ expected: 1, slow: 2 });
  });
});

describe('readPace', () => {
  let test: TestDatabase;
  const init = { run: runOf(), epochMs: 30_000, now: 1_000_000 };
  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.drop());

  it('counts the slots of the slaves that are there for this size', async () => {
    expect((await readPace(test.db, init)).slots).toBe(1);
    const slave = { remote: '', version: 2, slots: 2, joined_at: 1, left_at: null, drained: 0, held_until: 0 };
    await test.db.kysely
      .insertInto('slaves')
      .values([
        { ...slave, name: 'any', sector_size: null },
        { ...slave, name: 'same', sector_size: 2048, slots: 3 },
        { ...slave, name: 'other', sector_size: 34_359_738_368 },
        { ...slave, name: 'away', sector_size: null, left_at: 5 },
        { ...slave, name: 'drained', sector_size: null, drained: 1 },
        { ...slave, name: 'held back', sector_size: null, held_until: 2_000_000 },
      ])
      .execute();
    expect((await readPace(test.db, init)).slots).toBe(5);
  });

  it('counts the proofs of other runs that come first', async () => {
    const partitions = [0, 1].map((index) => ({
      index,
      sectors: Bitfield.of([index]),
      recovering: Bitfield.empty,
      isPosted: index === 1,
    }));
    await createRun(test.db, { ...runOf(), minerId: 7, partitions }, 1);
    await createRun(test.db, { ...runOf(), minerId: 8, close: 220, partitions }, 1);
    await createRun(test.db, { ...runOf(), minerId: 9, proofType: 11, partitions }, 1);
    expect((await readPace(test.db, { ...init, run: { ...runOf(), id: 99 } })).ahead).toBe(1);
    expect((await readPace(test.db, { ...init, run: { ...runOf(), id: 99, close: 220 } })).ahead).toBe(2);
  });

  it('looks at the last proofs of this type', async () => {
    const partitions = Array.from({ length: 6 }, (_, index) => ({
      index,
      sectors: Bitfield.of([index]),
      recovering: Bitfield.empty,
      isPosted: false,
    }));
    await createRun(test.db, { ...runOf(), partitions }, 1);
    await createRun(test.db, { ...runOf(), deadline: 1, proofType: 13, partitions }, 1);
    expect((await readPace(test.db, init)).expected).toBe(9);
    await test.db.kysely.updateTable('post_partitions').set({ took_ms: 60_000, proven_at: 7 }).execute();
    await test.db.kysely
      .updateTable('post_partitions')
      .set({ took_ms: 90_000 })
      .where('run_id', 'in', (from) => from.selectFrom('post_runs').select('id').where('proof_type', '=', 13))
      .execute();
    expect(await readPace(test.db, init)).toMatchObject({ expected: 2, slow: 2 });
    expect(await readPace(test.db, { ...init, run: { ...runOf(), proofType: 13 } })).toMatchObject({ expected: 3 });
  });
});
