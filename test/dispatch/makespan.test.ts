import { expect, test } from 'vitest';
import { choose } from '../../src/dispatch/choose.ts';
import { WaitingOrder } from '../../src/dispatch/waiting-order.ts';
import { waitingTask } from './waiting-task.ts';

const SLAVES = 200;
const DEADLINES = 48;
const CHUNKS = 100;
const HALF_HOUR_MS = 1_800_000;

/** A fixed sequence between 0 and 1, so that the test is the same each time. */
function* fractions(): Generator<number> {
  for (let state = 42; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

/** When the last of the chunks is proven, where each takes a time by its sectors, over the least that any order could take. */
function makespanRatio(closeOf: (deadline: number) => number | null): number {
  const random = fractions();
  const order = new WaitingOrder({ longestPauseMs: 0 });
  const lengths = new Map<string, number>();
  for (let index = 0; index < DEADLINES * CHUNKS; index++) {
    const sectorCount = 1 + Math.floor(2_349 * (random.next().value ?? 0));
    const task = waitingTask(`t${index}`, { sectorCount, minerId: index % 7, closeAt: closeOf(index % DEADLINES) });
    lengths.set(task.id, 60 + sectorCount / 10);
    order.add(task, 0);
  }
  const freeAt = new Map(Array.from({ length: SLAVES }, (_, index) => [`s${index}`, 0]));
  const running = new Map<number, number>();
  for (let now = 0; order.size > 0; ) {
    const free = [...freeAt].flatMap(([name, at]) =>
      at <= now ? { name, free: 1, sectorSize: null, stores: null } : [],
    );
    for (const { id, slave } of choose(order.tiers(0), free, { now: 0, surelyPast: 0, running })) {
      order.remove(id);
      freeAt.set(slave, now + (lengths.get(id) ?? 0));
    }
    now = Math.min(...freeAt.values());
  }
  const sum = [...lengths.values()].reduce((total, length) => total + length, 0);
  return Math.max(...freeAt.values()) / Math.max(sum / SLAVES, ...lengths.values());
}

test('48 × 100 chunks of unequal length on 200 slaves take no more than 1.02 of what is possible', () => {
  expect(makespanRatio(() => HALF_HOUR_MS)).toBeLessThanOrEqual(1.02);
});

test('in the order of their deadlines they take hardly longer', () => {
  expect(makespanRatio((deadline) => (deadline + 1) * HALF_HOUR_MS)).toBeLessThanOrEqual(1.04);
});
