import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelTask } from '../../src/queue/cancel-task.ts';
import { failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { finishAttempts } from '../../src/queue/finish-attempts.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { prepareSubmission } from '../../src/queue/prepare-submission.ts';
import { recordHeartbeats } from '../../src/queue/record-heartbeats.ts';
import { startAttempt, startAttempts } from '../../src/queue/start-attempt.ts';
import { submitTasks } from '../../src/queue/submit-tasks.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';
import { TaskModel } from './task-model.ts';

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

const TASKS = 4;
const MAX_RETRY = 1;
const policy = { maxRetry: MAX_RETRY, retryIntervalMs: 0 };
let number = 0;

function freshTasks(): ReturnType<typeof prepareSubmission>[] {
  return Array.from({ length: TASKS }, () => prepareSubmission({ task: sampleTask(++number), closeAt: null }));
}

const waiting = (tasks: ReturnType<typeof freshTasks>) => tasks.map((task) => ({ task, slave: null }));

const task = fc.nat(TASKS - 1);
const named = fc.record({ task, attempt: fc.integer({ min: 1, max: 4 }) });
const finish = fc.record({ task, attempt: fc.integer({ min: 1, max: 4 }), proves: fc.constantFrom(true, true, false) });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ lease: fc.array(task, { minLength: 1, maxLength: TASKS }) }) },
  { weight: 4, arbitrary: fc.record({ finish: fc.array(finish, { minLength: 1, maxLength: TASKS }) }) },
  { weight: 2, arbitrary: fc.record({ submit: fc.array(task, { minLength: 1, maxLength: TASKS }) }) },
  { weight: 2, arbitrary: fc.record({ beat: fc.array(named, { minLength: 1, maxLength: TASKS }) }) },
  // By the functions for one.
  { weight: 1, arbitrary: fc.record({ leaseOne: task }) },
  { weight: 1, arbitrary: fc.record({ finishOne: finish }) },
  { weight: 1, arbitrary: fc.record({ fail: named }) },
  { weight: 1, arbitrary: fc.record({ cancel: task }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Carries a step out, and gives what was answered beside what the model says. */
async function carryOut(
  step: Step,
  ids: readonly string[],
  models: readonly TaskModel[],
  tasks: ReturnType<typeof freshTasks>,
) {
  const { db } = schema;
  const id = (index: number) => ids[index] ?? '';
  const model = (index: number) => models[index] ?? new TaskModel(MAX_RETRY);
  const output = (proves: boolean) => (proves ? SAMPLE_PROOF : SAMPLE_FAULTS);
  if ('lease' in step) {
    const leases = step.lease.map((index) => ({ index, lastAttempt: model(index).attempts }));
    const started = await startAttempts(
      db,
      leases.map(({ index, lastAttempt }) => ({ id: id(index), slave: 'slave', lastAttempt })),
    );
    const expected = leases.map(({ index, lastAttempt }) => model(index).lease(lastAttempt));
    return [started.map((lease) => lease !== null), expected];
  }
  if ('finish' in step) {
    const finishes = step.finish.map(({ task, attempt, proves }) => ({
      id: id(task),
      attempt,
      output: output(proves),
    }));
    const verdicts = await finishAttempts(db, finishes);
    const expected = step.finish.map(({ task, attempt, proves }) => model(task).finish(attempt, proves));
    return [verdicts.map(({ accepted, state }) => accepted && state), expected];
  }
  if ('submit' in step) {
    const submitted = await submitTasks(
      db,
      step.submit.flatMap((index) => waiting(tasks.slice(index, index + 1))),
    );
    const expected = step.submit.map((index) => model(index).submit());
    return [submitted.map(({ view }) => view.state), expected];
  }
  if ('beat' in step) {
    const beats = step.beat.map(({ task, attempt }) => ({ id: id(task), attempt }));
    const details = { slave: 'slave', phase: 'reading' as const, done: ++number, total: 9_999 };
    const closed = await recordHeartbeats(
      db,
      beats.map((beat) => ({ ...beat, ...details })),
    );
    const expected = step.beat.filter(({ task, attempt }) => !model(task).live.has(attempt));
    return [new Set(closed.map(keyOf)), new Set(expected.map(({ task, attempt }) => keyOf({ id: id(task), attempt })))];
  }
  if ('leaseOne' in step) {
    const lastAttempt = model(step.leaseOne).attempts;
    const started = await startAttempt(db, { id: id(step.leaseOne), slave: 'slave', lastAttempt });
    return [started !== null, model(step.leaseOne).lease(lastAttempt)];
  }
  if ('finishOne' in step) {
    const { task, attempt, proves } = step.finishOne;
    const { accepted, state } = await finishAttempt(db, { id: id(task), attempt }, output(proves));
    return [accepted && state, model(task).finish(attempt, proves)];
  }
  if ('fail' in step) {
    const { task, attempt } = step.fail;
    const failure = { class: 'transient', outcome: 'failed', reason: 'tried' } as const;
    const { accepted } = await failAttempt(db, { id: id(task), attempt }, failure, policy);
    return [accepted, model(task).fail(attempt, 'transient')];
  }
  await cancelTask(db, id(step.cancel), 'tried');
  model(step.cancel).cancel();
  return [true, true];
}

const keyOf = ({ id, attempt }: { readonly id: string; readonly attempt: number }) => `${id}/${attempt}`;

test('batches and single operations in any order follow the rules of one task', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 16 }), async (steps) => {
      const tasks = freshTasks();
      const ids = tasks.map(({ id }) => id);
      const models = tasks.map(() => new TaskModel(MAX_RETRY));
      // Some with their first lease.
      const leased = [true, false, true, false];
      await submitTasks(
        schema.db,
        tasks.map((task, index) => ({ task, slave: leased[index] ? 'slave' : null })),
      );
      for (const [index, model] of models.entries()) if (leased[index]) model.lease(0);
      for (const step of steps) {
        const [answered, expected] = await carryOut(step, ids, models, tasks);
        expect(answered).toEqual(expected);
        for (const [index, id] of ids.entries()) {
          const model = models[index] ?? new TaskModel(MAX_RETRY);
          const { state, retryCount } = model;
          expect(await getTask(schema.db.kysely, id)).toMatchObject({ state, retryCount, attempts: model.attempts });
          expect(await liveOf(id)).toEqual([...model.live]);
        }
      }
    }),
    { numRuns: 60 },
  );
});

async function liveOf(id: string): Promise<number[]> {
  const rows = await schema.db.kysely
    .selectFrom('task_attempts')
    .select('attempt')
    .where('task_id', '=', id)
    .where('ended_at', 'is', null)
    .orderBy('attempt')
    .execute();
  return rows.map(({ attempt }) => attempt);
}

const lease = fc.record({ lease: fc.array(task, { minLength: 1, maxLength: TASKS }), lastAttempt: fc.nat(1) });
const attempt = fc.integer({ min: 1, max: 2 });
const proof = fc.record({ task, attempt, proves: fc.constantFrom(true, true, true, false) });

test('batches at the same time: each lease is given once, each task proven once, and only by a live attempt', async () => {
  const overlapping = fc.oneof(
    lease,
    fc.record({ finish: fc.array(proof, { minLength: 1, maxLength: TASKS }) }),
    fc.record({ beat: fc.array(named, { minLength: 1, maxLength: TASKS }) }),
    fc.record({ cancel: task }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(overlapping, { minLength: 2, maxLength: 10 }), async (steps) => {
      const tasks = freshTasks();
      const id = (index: number) => tasks[index]?.id ?? '';
      await submitTasks(schema.db, waiting(tasks));
      const leased = await startAttempts(
        schema.db,
        tasks.map((one) => ({ id: one.id, slave: 'slave', lastAttempt: 0 })),
      );
      expect(leased).not.toContain(null);
      const given: string[] = [];
      const proven: string[] = [];
      await Promise.all(
        steps.map(async (step) => {
          if ('lease' in step) {
            const leases = step.lease.map((index) => ({
              id: id(index),
              slave: 'slave',
              lastAttempt: step.lastAttempt,
            }));
            for (const started of await startAttempts(schema.db, leases))
              if (started !== null) given.push(keyOf(started));
          } else if ('finish' in step) {
            const finishes = step.finish.map(({ task, attempt, proves }) => ({
              id: id(task),
              attempt,
              output: proves ? SAMPLE_PROOF : SAMPLE_FAULTS,
            }));
            const verdicts = await finishAttempts(schema.db, finishes);
            for (const [index, { accepted, state }] of verdicts.entries()) {
              if (accepted && state === 'proven') proven.push(keyOf(finishes[index] ?? { id: '', attempt: 0 }));
            }
          } else if ('beat' in step) {
            const details = { slave: 'slave', phase: 'proving' as const, done: 1, total: 2 };
            await recordHeartbeats(
              schema.db,
              step.beat.map((beat) => ({ id: id(beat.task), attempt: beat.attempt, ...details })),
            );
          } else await cancelTask(schema.db, id(step.cancel), 'tried');
        }),
      );
      expect(new Set(given).size).toBe(given.length);
      for (const { id } of tasks) {
        const attempts = await schema.db.kysely
          .selectFrom('task_attempts')
          .select(['attempt', 'outcome', 'ended_at'])
          .where('task_id', '=', id)
          .execute();
        const winners = attempts.filter(({ outcome }) => outcome === 'proven').map((row) => keyOf({ id, ...row }));
        const view = await getTask(schema.db.kysely, id);
        expect(winners).toEqual(proven.filter((key) => key.startsWith(id)));
        expect(winners).toHaveLength(view?.state === 'proven' ? 1 : 0);
        expect(attempts.map((row) => row.attempt)).toEqual(attempts.map((_, index) => index + 1));
        if (view?.finishedAt !== null) expect(await liveOf(id)).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
});
