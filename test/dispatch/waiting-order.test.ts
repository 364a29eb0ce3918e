import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WaitingGroup } from '../../src/dispatch/choose.ts';
import { WaitingOrder } from '../../src/dispatch/waiting-order.ts';
import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';
import { waitingTask } from './waiting-task.ts';

const facts = {
  minerId: fc.integer({ min: 1, max: 2 }),
  sectorCount: fc.integer({ min: 1, max: 3 }),
  closeAt: fc.option(fc.constantFrom(10, 20)),
  retryAt: fc.integer({ min: 0, max: 30 }),
  retryElsewhere: fc.boolean(),
  lastSlave: fc.option(fc.constant('a')),
};
const id = fc.constantFrom('t1', 't2', 't3', 't4', 't5');
const step = fc.oneof(
  fc.record({ add: id, facts: fc.record(facts) }),
  fc.record({ remove: id }),
  fc.record({ pass: fc.integer({ min: 1, max: 10 }) }),
);

const shown = (order: WaitingOrder, now: number) => [...order.tiers(now)].map((groups) => groups.map(show).sort());
const show = ({ tasks, ...group }: WaitingGroup) =>
  JSON.stringify({ ...group, ids: [...tasks].map((task) => task.id) });

test('after any changes it is as if made at once of what is left', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const order = new WaitingOrder({ longestPauseMs: 30 });
      const left = new Map<string, UnfinishedTask>();
      let now = 0;
      for (const step of steps) {
        if ('pass' in step) now += step.pass;
        if ('add' in step) {
          const task = waitingTask(step.add, step.facts);
          left.set(task.id, task);
          order.add(task, now);
        }
        if ('remove' in step) {
          left.delete(step.remove);
          order.remove(step.remove);
        }
        const fresh = new WaitingOrder({ longestPauseMs: 30 });
        for (const task of left.values()) fresh.add(task, now);
        expect(shown(order, now)).toEqual(shown(fresh, now));
        expect(order.size).toBe(left.size);
      }
    }),
  );
});

test('a task of a proof type that nobody knows is in no order', () => {
  const order = new WaitingOrder({ longestPauseMs: 30 });
  order.add(waitingTask('t', { proofType: 'Unheard' }), 0);
  expect([...order.tiers(0)]).toEqual([]);
});

test('a pause of the time before the clock was set back is over', () => {
  const order = new WaitingOrder({ longestPauseMs: 10 });
  order.add(waitingTask('long', { retryAt: 600_000 }), 100);
  order.add(waitingTask('right', { retryAt: 110 }), 100);
  expect([...order.tiers(100)].flatMap((groups) => groups.flatMap(({ tasks }) => [...tasks]))).toMatchObject([
    { id: 'long' },
  ]);
});
