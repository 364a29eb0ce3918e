import { audit } from './audit.ts';
import { type Effect, monotonicNow } from './effects.ts';
import { type Facts, readRows } from './facts.ts';
import { type Fault, inject } from './inject.ts';
import { judge } from './judge.ts';
import { pause } from './pause.ts';
import { type Recovery, recoveries } from './recovery.ts';
import type { Schedule } from './schedule.ts';
import { type MakeTask, scriptedTask, submitterTasks, wantedTask } from './tasks.ts';
import { timeline } from './timeline.ts';
import { type SubmitterTask, World, type WorldInit } from './world.ts';

export interface Result {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly recoveries: readonly Recovery[];
  readonly tasks: number;
  readonly attempts: number;
  readonly starts: number;
  readonly faults: readonly string[];
  readonly seconds: number;
  /** What happened, and where the logs are: only when something is wrong. */
  readonly story: string | undefined;
}

const SLAVES = 4;
/** After the last fault was undone. */
const SETTLE_LIMIT_MS = 60_000;
const QUIET_LIMIT_MS = 5_000;
/** No prover writes for so long: none works. */
const QUIET_MS = 200;

/** Carries a schedule out in a world of its own, and judges it. */
export async function runSchedule(
  init: Omit<WorldInit, 'slaves'> & { readonly makeTask?: MakeTask },
  schedule: Schedule,
): Promise<Result> {
  const began = monotonicNow();
  const world = await World.make({ ...init, slaves: SLAVES });
  let problems: readonly string[] = ['it was not judged'];
  try {
    world.start();
    await audit(world);
    await world.untilReady();
    const tasks = submitterTasks(schedule.seed, schedule.tasks, init.makeTask ?? scriptedTask);
    await world.submit(tasks);
    const faults = await carryOut(world, schedule, tasks);
    const late = await settle(world, tasks);
    await world.halt();
    const facts: Facts = {
      wanted: tasks.map((task, index) => wantedTask(task, schedule.tasks[index])),
      effects: await world.effects(),
      faults,
      ...(await readRows(world)),
    };
    problems = [...late, ...judge(facts)];
    return {
      seed: schedule.seed,
      problems,
      recoveries: recoveries(facts),
      tasks: tasks.length,
      attempts: facts.attempts.length,
      starts: facts.effects.filter(({ what }) => what === 'start').length,
      faults: faults.map(({ kind }) => kind),
      seconds: (monotonicNow() - began) / 1000,
      story: problems.length === 0 ? undefined : `${timeline(facts)}\nlogs: ${world.home}`,
    };
  } finally {
    await world.stop(problems.length > 0);
  }
}

async function carryOut(world: World, schedule: Schedule, tasks: readonly SubmitterTask[]): Promise<Fault[]> {
  const ids = tasks.map(({ id }) => id);
  return await Promise.all(
    schedule.faults.map(async (planned) => {
      await pause(planned.atMs);
      return await inject(world, planned, ids);
    }),
  );
}

/** Waits for all answers, and then for the last prover to rest; what did not come is a problem. */
async function settle(world: World, tasks: readonly SubmitterTask[]): Promise<string[]> {
  const isAnswered = (effects: readonly Effect[]) => {
    const answered = new Set(effects.filter(({ what }) => what === 'answer').map(({ work }) => work));
    return tasks.every(({ id }) => answered.has(id)) || undefined;
  };
  if ((await world.until(SETTLE_LIMIT_MS, isAnswered)) === undefined) {
    return [`LOST: not every task was answered ${SETTLE_LIMIT_MS} ms after the last fault`];
  }
  // Submitted again, a task whose Close has passed is opened, and closed within a second.
  for (const end = monotonicNow() + QUIET_LIMIT_MS; (await hasUnfinished(world)) && monotonicNow() < end; ) {
    await pause(QUIET_MS);
  }
  const isQuiet = (effects: readonly Effect[]) =>
    (effects.findLast(({ run }) => run !== undefined)?.at ?? 0) < monotonicNow() - QUIET_MS || undefined;
  if ((await world.until(QUIET_LIMIT_MS, isQuiet)) === undefined)
    return ['a prover works on, and nothing is to be done'];
  return [];
}

async function hasUnfinished({ database, schema }: World): Promise<boolean> {
  return (await database.query(`SELECT id FROM ${schema}.tasks WHERE finished_at IS NULL`)).length > 0;
}
