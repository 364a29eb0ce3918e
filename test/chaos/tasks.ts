import { createHash } from 'node:crypto';
import { toMonotonic } from './effects.ts';
import type { WantedTask } from './facts.ts';
import { workName } from './names.ts';
import type { PlannedTask } from './schedule.ts';
import type { SubmitterTask } from './world.ts';

/** Where the tasks come from: the scripted prover needs nothing, the real one real sectors. */
export type MakeTask = (planned: PlannedTask, seed: readonly number[]) => object;

/** Tasks of their own for each number, with their times from now on. */
export function submitterTasks(number: number, tasks: readonly PlannedTask[], makeTask: MakeTask): SubmitterTask[] {
  const now = Date.now();
  return tasks.map((planned, index) => {
    const seed = [...createHash('sha256').update(`${number}/${index}`).digest()];
    // The bits beyond the field's modulus, which the canonical text of a task leaves out.
    seed[31] = (seed[31] ?? 0) & 0x3f;
    const task = makeTask(planned, seed);
    const submitAt = now + planned.submitAtMs;
    const closeAt = planned.closeAfterMs === null ? null : submitAt + planned.closeAfterMs;
    return { id: workName(task), task, submitAt, closeAt };
  });
}

/** For prover.mjs, which finds its steps in the last path. */
export function scriptedTask({ minerId, steps }: PlannedTask, seed: readonly number[]): object {
  const replica = {
    sector_id: 1,
    comm_r: seed,
    cache_dir: '/store/cache/1',
    sealed_file: `/store/sealed/${steps.join(',')}`,
  };
  return { miner_id: minerId, proof_type: 'StackedDrgWindow2KiBV1_2', replicas: [replica], seed };
}

export function wantedTask({ id, closeAt }: SubmitterTask, planned: PlannedTask | undefined): WantedTask {
  return { work: id, closeAt: closeAt === null ? null : toMonotonic(closeAt), steps: planned?.steps ?? [] };
}
