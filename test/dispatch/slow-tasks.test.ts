import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slowTasks } from '../../src/dispatch/slow-tasks.ts';
import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';
import { waitingTask } from './waiting-task.ts';

const NOW = 100_000;
const TIMEOUT_MS = 10_000;

function runningTask(id: string, ranMs: number, leftMs: number | null, attempts = 1): UnfinishedTask {
  const live = Array.from({ length: attempts }, (_, index) => ({
    attempt: index + 1,
    slave: `s${index}`,
    startedAt: NOW - ranMs,
  }));
  return waitingTask(id, { live, closeAt: leftMs === null ? null : NOW + leftMs });
}

const facts = (usual?: number, leftAt?: number) => ({
  now: NOW,
  timeoutMs: TIMEOUT_MS,
  usualMs: () => usual,
  leftAt: (slave: string) => (slave === 's0' ? leftAt : undefined),
});
const isSlow = (task: UnfinishedTask, usual?: number) => slowTasks([task], facts(usual)).length === 1;

test('what runs for longer than task.timeout is slow, whatever its Close', () => {
  expect(isSlow(runningTask('t', TIMEOUT_MS + 1, null))).toBe(true);
  expect(isSlow(runningTask('t', TIMEOUT_MS, null))).toBe(false);
  expect(isSlow(runningTask('t', TIMEOUT_MS + 1, 1))).toBe(true);
});

test('what is with a slave that went away is slow', () => {
  const [task] = [runningTask('t', 1, null)];
  expect(slowTasks([task], facts(undefined, NOW - 500))).toEqual([task]);
  expect(slowTasks([task], facts(undefined, NOW - 499))).toEqual([]);
});

test('near Close, what ran for its usual time is slow, and what has just time for another attempt', () => {
  const usual = 4_000;
  expect(isSlow(runningTask('t', 4_000, 3_000), usual)).toBe(true);
  expect(isSlow(runningTask('t', 3_999, 3_000), usual)).toBe(false);
  expect(isSlow(runningTask('t', 100, 4_500), usual)).toBe(true);
  expect(isSlow(runningTask('t', 100, 3_999), usual)).toBe(false);
  expect(isSlow(runningTask('t', 4_000, 6_000), usual)).toBe(false);
  // Without experience task.timeout is the measure.
  expect(isSlow(runningTask('t', 100, 12_000))).toBe(true);
  expect(isSlow(runningTask('t', 100, 15_000))).toBe(false);
});

test('what has a competitor, has closed or does not run is not slow; the nearest Close is helped first', () => {
  const duration = fc.integer({ min: 0, max: 3 * TIMEOUT_MS });
  const any = fc.record({ ran: duration, left: fc.option(fc.integer({ min: -5, max: 30_000 })), attempts: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(any), fc.option(duration, { nil: undefined }), (shapes, usual) => {
      const tasks = shapes.map(({ ran, left, attempts }, index) => runningTask(`t${index}`, ran, left, attempts));
      const slow = slowTasks(tasks, facts(usual));
      for (const { live, closeAt } of slow) {
        expect(live).toHaveLength(1);
        expect(closeAt === null || closeAt > NOW).toBe(true);
      }
      const closes = slow.map(({ closeAt }) => closeAt ?? Number.MAX_SAFE_INTEGER);
      expect(closes).toEqual(closes.toSorted((a, b) => a - b));
      const overdue = tasks.filter(({ live, closeAt }) => {
        const [only] = live.length === 1 ? live : [];
        return only !== undefined && NOW - only.startedAt > TIMEOUT_MS && (closeAt === null || closeAt > NOW);
      });
      expect(slow).toEqual(expect.arrayContaining(overdue));
    }),
  );
});
