import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, type FreeSlave } from '../../src/dispatch/choose.ts';
import { WaitingOrder } from '../../src/dispatch/waiting-order.ts';
import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';
import { canRead } from '../../src/queue/store-roots.ts';
import { waitingTask } from './waiting-task.ts';

const NOW = 1_000;
const noneRunning = { now: NOW, surelyPast: NOW, running: new Map<number, number>() };

function freeSlave(name: string, more: Partial<FreeSlave> = {}): FreeSlave {
  return { name, free: 1, sectorSize: null, stores: null, ...more };
}

function chosen(tasks: readonly UnfinishedTask[], slaves: readonly FreeSlave[], facts = noneRunning) {
  const order = new WaitingOrder({ longestPauseMs: 10_000 });
  for (const task of tasks) order.add(task, facts.now);
  return choose(order.tiers(facts.now), slaves, facts);
}

const order = (tasks: UnfinishedTask[], facts = noneRunning) =>
  chosen(tasks, [freeSlave('s', { free: tasks.length })], facts).map(({ id }) => id);

test('the nearest Close comes first, none at all last; of one Close the longest, then the oldest', () => {
  const tasks = [
    waitingTask('open, long', { closeAt: null, queuedAt: 2, sectorCount: 9 }),
    waitingTask('open, old', { closeAt: null, queuedAt: 1 }),
    waitingTask('late', { closeAt: 9_000, queuedAt: 1, sectorCount: 9 }),
    waitingTask('young', { closeAt: 2_000, queuedAt: 20 }),
    waitingTask('old', { closeAt: 2_000, queuedAt: 10 }),
    waitingTask('long', { closeAt: 2_000, queuedAt: 30, sectorCount: 3 }),
    waitingTask('closed', { closeAt: NOW }),
  ];
  expect(order(tasks)).toEqual(['long', 'old', 'young', 'late', 'open, old', 'open, long']);
});

test('where the clocks differ, what may be closed comes last, and what is closed by both not at all', () => {
  const tasks = [
    waitingTask('open', { closeAt: null }),
    waitingTask('certain', { closeAt: NOW + 1 }),
    waitingTask('doubtful', { closeAt: NOW }),
    waitingTask('more doubtful', { closeAt: 501 }),
    waitingTask('closed', { closeAt: 500 }),
  ];
  expect(order(tasks, { ...noneRunning, surelyPast: 500 })).toEqual(['certain', 'open', 'more doubtful', 'doubtful']);
});

test('miners of one Close take turns, those in proof already counted', () => {
  const tasks = [
    ...['a1', 'a2', 'a3'].map((id) => waitingTask(id, { minerId: 1, queuedAt: 1 })),
    ...['b1', 'b2'].map((id) => waitingTask(id, { minerId: 2, queuedAt: 2 })),
  ];
  expect(order(tasks)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  expect(order(tasks, { ...noneRunning, running: new Map([[1, 2]]) })).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
});

test('the slave that had it last gets it last', () => {
  const task = waitingTask('t', { lastSlave: 'a' });
  expect(chosen([task], [freeSlave('a', { free: 9 }), freeSlave('b')])).toEqual([{ id: 't', slave: 'b' }]);
  expect(chosen([task], [freeSlave('a')])).toEqual([{ id: 't', slave: 'a' }]);
});

test('a pause is for all, or only for the slave that failed', () => {
  const slaves = [freeSlave('a'), freeSlave('b')];
  const paused = waitingTask('t', { retryAt: NOW + 1, lastSlave: 'a' });
  expect(chosen([paused], slaves)).toEqual([]);
  expect(chosen([{ ...paused, retryElsewhere: true }], slaves)).toEqual([{ id: 't', slave: 'b' }]);
  expect(chosen([{ ...paused, retryElsewhere: true }], [freeSlave('a')])).toEqual([]);
});

test('a slave gets what it can read', () => {
  const task = waitingTask('t', { stores: ['/mnt/a', '/mnt/b/deep'] });
  const reads = (...stores: string[]) => chosen([task], [freeSlave('s', { stores })]).length === 1;
  expect([reads('/mnt'), reads('/mnt/'), reads('/'), reads('/mnt/b', '/mnt/a')]).toEqual([true, true, true, true]);
  expect([reads('/mnt/a'), reads('/mnt/a', '/mnt/b/deeper'), reads()]).toEqual([false, false, false]);
});

const names = fc.constantFrom('a', 'b', 'c', 'd');
const size = fc.constantFrom('2KiB', '8MiB');
const SIZES: Record<string, number> = { '2KiB': 2048, '8MiB': 8 * 2 ** 20 };
const store = fc.constantFrom('/s/1', '/s/2', '/t');
const anyTask = fc.record({
  minerId: fc.integer({ min: 1, max: 3 }),
  proofType: size.map((name) => `StackedDrgWindow${name}V1_2`),
  sectorCount: fc.integer({ min: 1, max: 3 }),
  stores: fc.option(fc.uniqueArray(store, { minLength: 1 })),
  closeAt: fc.option(fc.constantFrom(500, NOW, 1_500, 2_000, 4_000)),
  queuedAt: fc.integer({ min: 0, max: 5 }),
  retryAt: fc.constantFrom(0, NOW, NOW + 5),
  retryElsewhere: fc.boolean(),
  lastSlave: fc.option(names),
});
const anyTasks = fc
  .array(anyTask, { maxLength: 30 })
  .map((tasks) => tasks.map((task, i) => waitingTask(`t${i}`, task)));
const anySlaves = fc.uniqueArray(
  fc.record({
    name: names,
    free: fc.integer({ min: 0, max: 4 }),
    sectorSize: fc.option(size.map((name) => SIZES[name] ?? 0)),
    stores: fc.option(fc.uniqueArray(fc.constantFrom('/s', '/s/1', '/t'))),
  }),
  { selector: (slave) => slave.name },
);
const anyRunning = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(4))).map((pairs) => new Map(pairs));

function mayTake(task: UnfinishedTask, slave: FreeSlave): boolean {
  const inTime = NOW >= task.retryAt || (task.retryElsewhere && slave.name !== task.lastSlave);
  const isOfSize = slave.sectorSize === null || slave.sectorSize === SIZES[task.proofType.slice(16, 20)];
  return inTime && isOfSize && canRead(task.stores, slave.stores);
}

test('whatever waits: nothing twice, no slot twice, nothing too late, no able slot left idle, order of input without effect', () => {
  fc.assert(
    fc.property(anyTasks, anySlaves, anyRunning, (tasks, slaves, running) => {
      const facts = { ...noneRunning, running };
      const choices = chosen(tasks, slaves, facts);
      expect(new Set(choices.map(({ id }) => id)).size).toBe(choices.length);
      const left = new Map(slaves.map((slave) => [slave.name, slave.free]));
      for (const choice of choices) {
        const task = tasks.find(({ id }) => id === choice.id);
        const slave = slaves.find(({ name }) => name === choice.slave);
        if (task === undefined || slave === undefined) throw new Error('chose what is not there');
        expect(mayTake(task, slave)).toBe(true);
        expect(task.closeAt === null || task.closeAt > NOW).toBe(true);
        left.set(slave.name, (left.get(slave.name) ?? 0) - 1);
      }
      expect(Math.min(0, ...left.values())).toBe(0);
      const idle = slaves.filter((slave) => (left.get(slave.name) ?? 0) > 0);
      for (const task of tasks) {
        if (choices.some(({ id }) => id === task.id) || (task.closeAt !== null && task.closeAt <= NOW)) continue;
        expect(idle.some((slave) => mayTake(task, slave))).toBe(false);
      }
      expect(chosen(tasks.toReversed(), slaves.toReversed(), facts)).toEqual(choices);
    }),
  );
});

test('with slots for all, the order is that of sorting them all', () => {
  fc.assert(
    fc.property(anyTasks, anyRunning, (tasks, running) => {
      const facts = { ...noneRunning, running };
      const close = (task: UnfinishedTask) => task.closeAt ?? Number.MAX_SAFE_INTEGER;
      const open = tasks.filter((task) => close(task) > NOW && (task.retryAt <= NOW || task.retryElsewhere));
      const slaves = [freeSlave('nobody else', { free: tasks.length })];
      const expected: string[] = [];
      const turns = new Map<string, number>();
      const turnOf = (task: UnfinishedTask) =>
        turns.get(`${task.closeAt}/${task.minerId}`) ?? running.get(task.minerId) ?? 0;
      const rest = new Set(open);
      while (rest.size > 0) {
        const [next] = [...rest].toSorted(
          (a, b) =>
            close(a) - close(b) ||
            turnOf(a) - turnOf(b) ||
            (a.closeAt === null ? 0 : b.sectorCount - a.sectorCount) ||
            a.queuedAt - b.queuedAt ||
            (a.id < b.id ? -1 : 1),
        );
        if (next === undefined) break;
        rest.delete(next);
        turns.set(`${next.closeAt}/${next.minerId}`, turnOf(next) + 1);
        expected.push(next.id);
      }
      expect(chosen(tasks, slaves, facts).map(({ id }) => id)).toEqual(expected);
    }),
  );
});
