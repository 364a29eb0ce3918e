import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Run } from '../../src/poster/run.ts';
import {
  createRun,
  finishRun,
  movePartition,
  readRun,
  restartRun,
  runExists,
  storeRunState,
  unfinishedRuns,
} from '../../src/poster/run-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runOf } from './runs.ts';

const key = { minerId: 1001, periodStart: 100, deadline: 0 };
const snapshot = {
  ...runOf(),
  partitions: [0, 1].map((index) => ({
    index,
    sectors: Bitfield.of([2 * index, 2 * index + 1]),
    recovering: Bitfield.of([]),
    isPosted: false,
  })),
};

let test: TestDatabase;

async function unfinished(minerId: number): Promise<Run[]> {
  const runs = await Promise.all((await unfinishedRuns(test.db, minerId)).map((id) => readRun(test.db, id)));
  return runs.filter((run) => run !== undefined);
}

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

describe('a run', () => {
  it('is stored whole, once', async () => {
    expect(await runExists(test.db, key)).toBe(false);
    await createRun(test.db, snapshot, 1_000);
    await createRun(test.db, { ...snapshot, randomness: new Uint8Array(32) }, 2_000);
    expect(await runExists(test.db, key)).toBe(true);
    const [run, ...others] = await unfinished(1001);
    expect(others).toEqual([]);
    expect(run).toMatchObject({ ...key, challenge: 80, open: 100, close: 160, proofType: 10 });
    expect(Buffer.from(run?.randomness ?? [])).toEqual(Buffer.alloc(32, 7));
    expect(run?.partitions.map(({ index, state, sectors }) => [index, state, [...sectors]])).toEqual([
      [0, 'checking', [0, 1]],
      [1, 'checking', [2, 3]],
    ]);
  });

  it('with nothing to prove is finished from the start', async () => {
    await createRun(test.db, { ...snapshot, deadline: 7, partitions: [] }, 1_000);
    expect(await runExists(test.db, { ...key, deadline: 7 })).toBe(true);
    expect(await unfinished(1001)).toHaveLength(1);
  });

  it('that the chain has a part of begins with that part landed', async () => {
    const [first, second] = snapshot.partitions;
    if (first === undefined || second === undefined) throw new Error('there are two');
    const partitions = [{ ...first, isPosted: true }, second];
    await createRun(test.db, { ...snapshot, minerId: 1003, partitions }, 1_000);
    const [run] = await unfinished(1003);
    expect(run?.partitions.map(({ index, state }) => [index, state])).toEqual([
      [0, 'landed'],
      [1, 'checking'],
    ]);
  });

  it('moves a partition only from the state it was seen in', async () => {
    const [run] = await unfinished(1001);
    const runId = run?.id ?? 0;
    const move = (from: 'checking' | 'proven') =>
      test.db.transaction((trx) =>
        movePartition(trx, { runId, index: 0, from }, { state: 'proving', task_id: 'a'.repeat(32) }),
      );
    expect(await move('proven')).toBe(false);
    expect(await move('checking')).toBe(true);
    expect(await move('checking')).toBe(false);
    const [after] = await unfinished(1001);
    expect(after?.partitions.map((partition) => partition.state)).toEqual(['proving', 'checking']);
  });

  it('starts again what is not sent when the challenge changes', async () => {
    const [run] = await unfinished(1001);
    const runId = run?.id ?? 0;
    await test.db.transaction((trx) =>
      movePartition(trx, { runId, index: 1, from: 'checking' }, { state: 'sending', message_id: 'm' }),
    );
    if (run === undefined) throw new Error('there is one');
    await test.db.kysely
      .updateTable('post_partitions')
      .set({ refused_proof: Buffer.alloc(192), refused_proofs: 3 })
      .where('run_id', '=', run.id)
      .execute();
    await restartRun(test.db, run, new Uint8Array(32).fill(9));
    const [after] = await unfinished(1001);
    expect(Buffer.from(after?.randomness ?? [])).toEqual(Buffer.alloc(32, 9));
    expect(after?.partitions.map(({ state, taskId }) => [state, taskId])).toEqual([
      ['checking', null],
      ['checking', null],
    ]);
    // They were of the other challenge.
    expect(after?.partitions.map(({ refusedProof, refusedProofs }) => [refusedProof, refusedProofs])).toEqual([
      [null, 0],
      [null, 0],
    ]);
  });

  it('keeps whether it is on schedule, and shows itself to people', async () => {
    const [run] = await unfinished(1001);
    expect(run).toMatchObject({ state: 'ok', stateReason: null });
    await storeRunState(test.db, run?.id ?? 0, { state: 'late', reason: 'one proof to make' });
    const [after] = await unfinished(1001);
    expect(after).toMatchObject({ state: 'late', stateReason: 'one proof to make' });
    const { rows } = await sql`SELECT * FROM post_runs_view WHERE miner = 1001 AND deadline = 0`.execute(
      test.db.kysely,
    );
    expect(rows).toMatchObject([{ state: 'running, late', partitions: 2, to_prove: 2, landed: 0, close_epoch: 160 }]);
  });

  it('is not seen any more once finished', async () => {
    const [run] = await unfinished(1001);
    await finishRun(test.db, run?.id ?? 0, 3_000);
    expect(await unfinished(1001)).toEqual([]);
  });
});
