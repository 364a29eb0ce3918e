import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskBoard } from '../../src/dispatch/task-board.ts';
import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';

const task = (id: string, lastAttempt: number): UnfinishedTask => ({
  id,
  minerId: 1,
  proofType: 'StackedDrgWindow2KiBV1_2',
  closeAt: null,
  queuedAt: 0,
  retryAt: 0,
  retryElsewhere: false,
  lastAttempt,
  lastSlave: null,
  startedAt: null,
});

test('answers of the database in any order leave the newest look standing', () => {
  // Look n sees the tasks of `worlds[n]`; looks at single tasks and at all of them land in any order.
  const world = fc.subarray(['a', 'b', 'c']);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(world, fc.option(fc.constantFrom('a', 'b', 'c'))), { minLength: 1 }),
      fc.nat(),
      (looks, seed) => {
        const board = new TaskBoard();
        const numbered = looks.map((look) => ({ look, seen: board.look() }));
        const landing = numbered
          .map((entry, index) => ({ entry, rank: (index * 7919 + seed * (index + 1)) % 101 }))
          .sort((a, b) => a.rank - b.rank);
        for (const { entry } of landing) {
          const [present, single] = entry.look;
          const tasks = present.map((id) => task(id, entry.seen));
          if (single === null) board.putAll(entry.seen, tasks);
          else
            board.put(
              single,
              entry.seen,
              tasks.find(({ id }) => id === single),
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
