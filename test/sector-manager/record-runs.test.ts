import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { recordSince } from '../../src/programs/sector-manager/record-runs.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

const GENESIS = 1_790_000_000;
const epochMs = (epoch: number) => (GENESIS + epoch * 30) * 1000;
const bits = (...sectors: number[]) => Buffer.from(Bitfield.of(sectors).toRlePlus());
const chain = { head: async () => ({ key: ['a'], height: 200, minTimestamp: GENESIS + 200 * 30 }) };

/** Of miner 1000: open 60 to 120, ended at 130; one partition landed with a sector skipped, one missed. */
async function endedRun(): Promise<void> {
  const run = {
    id: 1,
    miner_id: 1000,
    period_start: 0,
    deadline: 1,
    challenge_epoch: 40,
    open_epoch: 60,
    close_epoch: 120,
    proof_type: 5,
    randomness: Buffer.alloc(32),
    created_at: epochMs(50),
    finished_at: epochMs(130),
  };
  await schema.db.kysely.insertInto('post_runs').values(run).execute();
  const part = { run_id: 1, sectors: bits(1, 2), recovering: bits() };
  await schema.db.kysely
    .insertInto('post_partitions')
    .values([
      {
        ...part,
        partition_index: 0,
        skipped: bits(2),
        state: 'landed',
        message_id: 'm1',
        proven_at: epochMs(62),
      },
      { ...part, partition_index: 1, skipped: bits(), state: 'missed' },
    ])
    .execute();
  await schema.db.kysely
    .insertInto('messages')
    .values({
      id: 'm1',
      miner_id: 1000,
      purpose: 'submit',
      sender: 't01',
      recipient: 't02',
      method: 5,
      params: Buffer.alloc(0),
      max_fee: '1',
      confidence: 5,
      state: 'landed',
      height: 68,
      fee: '20000000000000000',
      created_at: epochMs(64),
      updated_at: epochMs(64),
    })
    .execute();
}

test('how early partitions of an ended run were done, and how they ended, is recorded once', async () => {
  await endedRun();
  const metrics = new Metrics();
  const components = { db: schema.db, chain, metrics };
  const miners = [{ minerId: 1000 }];
  expect(await recordSince(components, [{ minerId: 1001 }], epochMs(100))).toBe(epochMs(100));
  const since = await recordSince(components, miners, epochMs(100));
  expect(since).toBe(epochMs(130));
  expect(await recordSince(components, miners, since)).toBe(since);
  const lines = (await metrics.text()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'wdpost_epochs_left_sum{miner="1000",step="proven"} 58',
      'wdpost_epochs_left_sum{miner="1000",step="submitted"} 56',
      'wdpost_epochs_left_sum{miner="1000",step="landed"} 52',
      'wdpost_partitions_total{miner="1000",outcome="landed"} 1',
      'wdpost_partitions_total{miner="1000",outcome="missed"} 1',
      'wdpost_skipped_sectors_total{miner="1000"} 1',
      'wdpost_fees_fil_total{miner="1000"} 0.02',
    ]),
  );
});
