import { afterEach, beforeEach, expect, test } from 'vitest';
import { archiveTask } from '../../src/queue/archive-tasks.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { listUnfinished } from '../../src/queue/list-unfinished.ts';
import { refuseProof } from '../../src/queue/refuse-proof.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';

const PAUSE_MS = 60_000;
const proof = Buffer.alloc(192, 1);
const reason = 'it does not verify at the manager';
const submission = { task: sampleTask(1), closeAt: Date.now() + 3_600_000 };

let schema: TestDatabase;
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(() => schema.drop());

async function attempt(slave: string, output: Parameters<typeof finishAttempt>[2], lastAttempt = 0): Promise<string> {
  const { id } = await submitTask(schema.db, submission);
  const lease = (await startAttempt(schema.db, { id, slave, lastAttempt })) ?? { id, attempt: 0 };
  expect(await finishAttempt(schema.db, lease, output)).toMatchObject({ accepted: true });
  return id;
}

test('a refused proof is no answer any more: its task waits for another slave first', async () => {
  const id = await attempt('slave-1', SAMPLE_PROOF);
  expect(await refuseProof(schema.db, { id, proof, reason }, PAUSE_MS)).toBe(true);
  expect(await getTask(schema.db.kysely, id)).toMatchObject({ state: 'waiting', output: null, attempts: 1 });
  expect(await listUnfinished(schema.db)).toMatchObject([{ retryElsewhere: true, lastSlave: 'slave-1' }]);
  const [history] = await schema.db.kysely.selectFrom('task_attempts').select(['outcome', 'reason']).execute();
  expect(history).toEqual({ outcome: 'failed', reason: `refused: ${reason}` });
  expect(await submitTask(schema.db, submission)).toMatchObject({ id, state: 'waiting' });
});

test('only the proof that is named is refused, once, and nothing that is no proof', async () => {
  const refuse = (id: string, what = proof) => refuseProof(schema.db, { id, proof: what, reason }, PAUSE_MS);
  expect(await refuse('0'.repeat(32))).toBe(false);
  const id = await attempt('slave-1', SAMPLE_FAULTS);
  expect(await refuse(id, Buffer.alloc(0))).toBe(false);
  await attempt('slave-1', SAMPLE_PROOF, 1);
  expect(await refuse(id, Buffer.alloc(192, 2))).toBe(false);
  expect(await refuse(id)).toBe(true);
  expect(await refuse(id)).toBe(false);
  const other = { ...SAMPLE_PROOF, proofs: [Buffer.alloc(192, 3).toString('base64')] };
  await attempt('slave-2', other, 2);
  expect(await refuse(id)).toBe(false);
  expect(await getTask(schema.db.kysely, id)).toMatchObject({ state: 'proven', output: other });
});

test('a proof that is archived answers no submission any more once it is refused', async () => {
  const id = await attempt('slave-1', SAMPLE_PROOF);
  expect(await archiveTask(schema.db, id)).toBe(true);
  expect(await submitTask(schema.db, submission)).toMatchObject({ state: 'proven' });
  expect(await refuseProof(schema.db, { id, proof, reason }, PAUSE_MS)).toBe(true);
  expect(await getTask(schema.db.kysely, id)).toMatchObject({ state: 'failed', error: `refused: ${reason}` });
  expect(await submitTask(schema.db, submission)).toMatchObject({ id, state: 'waiting' });
});
