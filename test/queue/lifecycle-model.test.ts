import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveTasks } from '../../src/queue/archive-tasks.ts';
import { cancelTask } from '../../src/queue/cancel-task.ts';
import { type FailureClass, failAttempt } from '../../src/queue/fail-attempt.ts';
import { finishAttempt } from '../../src/queue/finish-attempt.ts';
import { getTask } from '../../src/queue/get-task.ts';
import { startAttempt } from '../../src/queue/start-attempt.ts';
import { submitTask } from '../../src/queue/submit-task.ts';
import type { TaskState } from '../../src/queue/task-state.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SAMPLE_FAULTS, SAMPLE_PROOF, sampleTask } from './sample-task.ts';

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

/** The rules of a task in a dozen lines, to compare the database with. */
class Model {
  state: TaskState = 'waiting';
  attempts = 0;
  retryCount = 0;
  live = new Set<number>();

  isFinished(): boolean {
    return this.state !== 'waiting' && this.state !== 'running';
  }

  finish(state: TaskState): void {
    this.state = state;
    this.live.clear();
  }

  /** Whether the step is accepted, for steps that are. */
  apply(step: Step): boolean | undefined {
    if (step.do === 'submit' && this.isFinished() && this.state !== 'proven') {
      this.state = 'waiting';
      this.retryCount = 0;
    }
    if (step.do === 'lease') {
      if (this.isFinished()) return false;
      this.state = 'running';
      this.live.add(++this.attempts);
      return true;
    }
    if (step.do === 'cancel' && !this.isFinished()) this.finish('cancelled');
    if (!('attempt' in step)) return undefined;
    if (!this.live.delete(step.attempt)) return false;
    if (step.do === 'prove') this.finish('proven');
    if (step.do === 'find faults' && this.live.size === 0) this.finish('faulted');
    if (step.do === 'fail') this.#fail(step.class);
    return true;
  }

  #fail(failure: FailureClass): void {
    if (failure !== 'lost') this.retryCount++;
    const spent = this.retryCount > MAX_RETRY;
    if (failure === 'permanent' || (this.live.size === 0 && spent)) this.finish('failed');
    else if (this.live.size === 0) this.state = 'waiting';
  }
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
      const model = new Model();
      for (const step of steps) {
        expect(await carryOut(id, task, step)).toBe(model.apply(step));
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
