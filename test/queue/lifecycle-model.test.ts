import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { cancelTask } from '../../src/queue/cancel-task.ts';
import { type FailureClass, failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';
import { TaskModel } from './task-model.ts';

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

const MAX_RETRY = 1;
const policy = { maxRetry: MAX_RETRY, retryIntervalMs: 0 };

type Step =
  | { readonly do: 'submit' | 'lease' | 'cancel' | 'archive' }
  | { readonly do: 'prove'; readonly attempt: number }
  | { readonly do: 'find faults'; readonly attempt: number }
  | { readonly do: 'fail'; readonly attempt: number; readonly class: FailureClass };

const attempt = fc.integer({ min: 1, max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: 'lease' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'submit' as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'cancel' as const }, { do: 'archive' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prove' as const), attempt }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('find faults' as const), attempt }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      attempt,
      class: fc.constantFrom<FailureClass[]>('permanent', 'slave', 'transient', 'lost'),
    }),
  },
);

/** Whether the step is accepted, for steps that are. */
function applied(model: TaskModel, step: Step): boolean | undefined {
  if (step.do === 'submit') model.submit();
  if (step.do === 'cancel') model.cancel();
  if (step.do === 'lease') return model.lease(model.attempts);
  if (!('attempt' in step)) return undefined;
  if (step.do === 'fail') return model.fail(step.attempt, step.class);
  return model.finish(step.attempt, step.do === 'prove') !== false;
}

async function carryOut(id: string, task: unknown, step: Step): Promise<boolean | undefined> {
  const { db } = schema;
  if (step.do === 'submit') await submitTask(db, { task, closeAt: null });
  if (step.do === 'cancel') await cancelTask(db, id, 'tried');
  if (step.do === 'archive') {
    await db.kysely.updateTable('tasks').set({ finished_at: 1 }).where('finished_at', 'is not', null).execute();
    await archiveTasks(db, 0);
  }
  if (step.do === 'lease') {
    const lastAttempt = (await getTask(db.kysely, id))?.attempts ?? 0;
    return (await startAttempt(db, { id, slave: 'slave', lastAttempt })) !== null;
  }
  if (!('attempt' in step)) return undefined;
  const named = { id, attempt: step.attempt };
  if (step.do === 'prove') return (await finishAttempt(db, named, SAMPLE_PROOF)).accepted;
  if (step.do === 'find faults') return (await finishAttempt(db, named, SAMPLE_FAULTS)).accepted;
  const outcome = step.class === 'lost' ? 'lost' : 'failed';
  return (await failAttempt(db, named, { class: step.class, outcome, reason: 'tried' }, policy)).accepted;
}

test('whatever happens in whatever order, the tables follow the rules', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const task = sampleTask(++number);
      const { id } = await submitTask(schema.db, { task, closeAt: null });
      const model = new TaskModel(MAX_RETRY);
      for (const step of steps) {
        expect(await carryOut(id, task, step)).toBe(applied(model, step));
        const view = await getTask(schema.db.kysely, id);
        expect(view).toMatchObject({ state: model.state, retryCount: model.retryCount });
        const rows = await schema.db.kysely
          .selectFrom('task_attempts')
          .select(['attempt', 'ended_at'])
          .where('task_id', '=', id)
          .execute();
        expect(rows.filter((row) => row.ended_at === null).map((row) => row.attempt)).toEqual([...model.live]);
        expect(rows).toHaveLength(model.attempts);
      }
    }),
    { numRuns: 40 },
  );
});
