import type { UnfinishedTask } from '../queue/list-unfinished.ts';

export interface SlowFacts {
  readonly now: number;
  /** `task.timeout`. */
  readonly timeoutMs: number;
  /** How long a proof of this task usually takes; undefined: none was made yet. */
  readonly usualMs: (task: UnfinishedTask) => number | undefined;
  /** When the connection of a slave closed, where it did and has not come again. */
  readonly leftAt: (slave: string) => number | undefined;
}

/** Time for a slave whose connection was cut to come again. */
const AWAY_MS = 500;
/** A proof that starts with less than this many usual durations left is the last that can be in time. */
const LAST_CHANCE = 1.5;

/**
 * The running tasks that a second attempt may help, the nearest Close first, none last, then the oldest: those that run for longer
 * than any should, those whose slave went away (it may come again and go on), and those whose Close is so near that a second
 * attempt must begin now or never. An idle slave costs nothing; a slow or sick one that nobody doubted costs a deadline.
 */
export function slowTasks(running: readonly UnfinishedTask[], facts: SlowFacts): UnfinishedTask[] {
  return running
    .filter((task) => isSlow(task, facts))
    .toSorted((a, b) => close(a) - close(b) || startOf(a) - startOf(b) || (a.id < b.id ? -1 : 1));
}

function isSlow(task: UnfinishedTask, { now, timeoutMs, usualMs, leftAt }: SlowFacts): boolean {
  const [attempt, ...competitors] = task.live;
  if (attempt === undefined || competitors.length > 0) return false;
  const left = close(task) - now;
  if (left <= 0) return false;
  const ranMs = now - attempt.startedAt;
  if (ranMs > timeoutMs || now - (leftAt(attempt.slave) ?? now) >= AWAY_MS) return true;
  const usual = usualMs(task) ?? timeoutMs;
  if (left >= LAST_CHANCE * usual) return false;
  return ranMs >= usual || left >= usual;
}

function close(task: UnfinishedTask): number {
  return task.closeAt ?? Number.MAX_SAFE_INTEGER;
}

function startOf(task: UnfinishedTask): number {
  return task.live[0]?.startedAt ?? 0;
}
