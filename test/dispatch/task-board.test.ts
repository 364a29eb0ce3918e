import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskBoard } from '../../src/dispatch/task-board.ts';
import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';
import { waitingTask } from './waiting-task.ts';

const task = (id: string, lastAttempt: number): UnfinishedTask => waitingTask(id, { lastAttempt, closeAt: null });

test('answers of the database in any order leave the newest look standing', () => {
  // Look n sees the tasks of `worlds[n]`; looks at single tasks and at all of them land in any order.
  const world = fc.subarray(['a', 'b', 'c']);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(world, fc.option(fc.constantFrom('a', 'b', 'c'))), { minLength: 1 }),
      fc.nat(),
      (looks, seed) => {
        const board = new TaskBoard({ longestPauseMs: 1_000 });
        const numbered = looks.map((look) => ({ look, seen: board.look() }));
        const landing = numbered
          .map((entry, index) => ({ entry, rank: (index * 7919 + seed * (index + 1)) % 101 }))
          .sort((a, b) => a.rank - b.rank);
        for (const { entry } of landing) {
          const [present, single] = entry.look;
          const tasks = present.map((id) => task(id, entry.seen));
          if (single === null) board.putAll(entry.seen, tasks, 0);
          else
            board.put(
              single,
              entry.seen,
              tasks.find(({ id }) => id === single),
              0,
            );
        }
        for (const id of ['a', 'b', 'c']) {
          const last = numbered.findLast(({ look: [, single] }) => single === null || single === id);
          const expected = last?.look[0].includes(id) ? last.seen : undefined;
          expect(board.get(id)?.lastAttempt).toBe(expected);
        }
      },
    ),
  );
});

test('what a transition said stands against a look that began before it', () => {
  const board = new TaskBoard({ longestPauseMs: 1_000 });
  board.put('a', board.look(), task('a', 0), 0);
  const stale = board.look();
  const live = [{ attempt: 1, slave: 's', startedAt: 0 }];
  board.change('a', 0, (before) => ({ ...before, lastAttempt: 1, live }));
  board.putAll(stale, [task('a', 0)], 0);
  expect(board.get('a')).toMatchObject({ lastAttempt: 1, live });
  board.change('a', 0, () => undefined);
  expect([board.isGone('a'), board.isGone('b')]).toEqual([true, false]);
  board.putAll(board.look(), [task('a', 0)], 0);
  expect(board.get('a')).toMatchObject({ lastAttempt: 0 });
});

const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('wait', 'run', 'go', 'assign', 'unassign'));

test('what waits and what is in proof is counted right after any changes', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const board = new TaskBoard({ longestPauseMs: 1_000 });
      const assigned = new Set<string>();
      const tasks = new Map<string, UnfinishedTask>();
      for (const [id, what] of steps) {
        if (what === 'assign') board.assign(id, 0);
        if (what === 'unassign') board.unassign(id, 0);
        if (what === 'assign') assigned.add(id);
        if (what === 'unassign') assigned.delete(id);
        if (what === 'go') tasks.delete(id);
        if (what === 'wait') tasks.set(id, task(id, 0));
        if (what === 'run') tasks.set(id, { ...task(id, 1), live: [{ attempt: 1, slave: 's', startedAt: 0 }] });
        if (!what.endsWith('assign')) board.put(id, board.look(), tasks.get(id), 0);
        const inProof = [...tasks.values()].filter((one) => one.live.length > 0 || assigned.has(one.id));
        expect(board.inProofOf.get(1) ?? 0).toBe(inProof.length);
        expect(board.waitingCount).toBe(tasks.size - inProof.length);
        expect(board.running().length).toBe(inProof.filter((one) => one.live.length > 0).length);
      }
    }),
  );
});
