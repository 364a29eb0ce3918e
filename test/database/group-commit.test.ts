import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupCommit } from '../../src/database/group-commit.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { EventQueue } from '../support/event-queue.ts';

test('a lone item starts at once, and what comes meanwhile goes together', async () => {
  const groups: number[][] = [];
  const ends = new EventQueue<() => void>();
  const commits = new GroupCommit<number, number>({
    maxItems: 3,
    run: async (items) => {
      groups.push([...items]);
      await new Promise<void>((resolve) => ends.push(resolve));
      return items.map((item) => item * 10);
    },
  });
  const first = commits.add(1);
  const end = await ends.next();
  expect(groups).toEqual([[1]]);
  const rest = [2, 3, 4, 5].map((item) => commits.add(item));
  end();
  expect(await first).toBe(10);
  (await ends.next())();
  expect(await Promise.all(rest.slice(0, 3))).toEqual([20, 30, 40]);
  (await ends.next())();
  expect(await rest[3]).toBe(50);
  expect(groups).toEqual([[1], [2, 3, 4], [5]]);
});

test('what comes in one turn of the event loop is one group', async () => {
  const groups: number[][] = [];
  const commits = new GroupCommit<number, number>({
    maxItems: 3,
    run: async (items) => {
      groups.push([...items]);
      return items;
    },
  });
  const first = commits.add(1);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await Promise.all([first, commits.add(2)]);
  expect(groups).toEqual([[1, 2]]);
});

test('a group holds no more bytes than it may, and at least one item', async () => {
  const groups: number[][] = [];
  const commits = new GroupCommit<number, number>({
    maxItems: 100,
    maxBytes: 10,
    bytesOf: (item) => item,
    run: async (items) => {
      groups.push([...items]);
      return items;
    },
  });
  await Promise.all([4, 4, 4, 50, 1, 9].map((item) => commits.add(item)));
  expect(groups).toEqual([[4, 4], [4], [50], [1, 9]]);
});

test('a poisoned item fails alone, whatever groups there are; nothing is answered twice or never', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean()), fc.integer({ min: 1, max: 5 }), async (poisoned, maxItems) => {
      const kept: number[] = [];
      const commits = new GroupCommit<number, number>({
        maxItems,
        run: async (items) => {
          if (items.some((item) => poisoned[item])) throw new Error('poison');
          kept.push(...items);
          return items;
        },
      });
      const results = await Promise.allSettled(poisoned.map((_, index) => commits.add(index)));
      expect(results.map(({ status }) => status === 'rejected')).toEqual(poisoned);
      expect(kept.toSorted((a, b) => a - b)).toEqual(
        poisoned.flatMap((isPoisoned, index) => (isPoisoned ? [] : [index])),
      );
      await commits.idle();
    }),
  );
});

test.each(['database-unavailable', 'not-leading'])('%s is not tried item by item', async (code) => {
  let runs = 0;
  const commits = new GroupCommit<number, number>({
    maxItems: 9,
    run: async () => {
      runs++;
      throw new CodedError(code, 'tried');
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => commits.add(item)));
  expect(results.every((result) => result.status === 'rejected' && result.reason.code === code)).toBe(true);
  expect(runs).toBe(1);
  // The next one is tried again.
  await expect(commits.add(4)).rejects.toMatchObject({ code });
});
