import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, type FreeSlave, type WaitingTask } from '../../src/dispatch/choose.ts';

const NOW = 1_000;
const noneRunning = { now: NOW, running: new Map<number, number>() };

function waitingTask(id: string, more: Partial<WaitingTask> = {}): WaitingTask {
  return {
    id,
    minerId: 1,
    sectorSize: 2048,
    closeAt: 5_000,
    queuedAt: 10,
    retryAt: 0,
    retryElsewhere: false,
    lastSlave: null,
    ...more,
  };
}

function freeSlave(name: string, more: Partial<FreeSlave> = {}): FreeSlave {
  return { name, free: 1, sectorSize: null, ...more };
}

const order = (tasks: WaitingTask[], facts = noneRunning) =>
  choose(tasks, [freeSlave('s', { free: tasks.length })], facts).map(({ id }) => id);

test('the nearest Close comes first, none at all last, then age', () => {
  const tasks = [
    waitingTask('open', { closeAt: null, queuedAt: 1 }),
    waitingTask('late', { closeAt: 9_000, queuedAt: 1 }),
    waitingTask('young', { closeAt: 2_000, queuedAt: 20 }),
    waitingTask('old', { closeAt: 2_000, queuedAt: 10 }),
    waitingTask('closed', { closeAt: NOW }),
  ];
  expect(order(tasks)).toEqual(['old', 'young', 'late', 'open']);
});

test('miners of one Close take turns, those in proof already counted', () => {
  const tasks = [
    ...['a1', 'a2', 'a3'].map((id) => waitingTask(id, { minerId: 1, queuedAt: 1 })),
    ...['b1', 'b2'].map((id) => waitingTask(id, { minerId: 2, queuedAt: 2 })),
  ];
  expect(order(tasks)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  expect(order(tasks, { now: NOW, running: new Map([[1, 2]]) })).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
});

test('the slave that had it last gets it last', () => {
  const task = waitingTask('t', { lastSlave: 'a' });
  expect(choose([task], [freeSlave('a', { free: 9 }), freeSlave('b')], noneRunning)).toEqual([{ id: 't', slave: 'b' }]);
  expect(choose([task], [freeSlave('a')], noneRunning)).toEqual([{ id: 't', slave: 'a' }]);
});

test('a pause is for all, or only for the slave that failed', () => {
  const slaves = [freeSlave('a'), freeSlave('b')];
  const paused = waitingTask('t', { retryAt: NOW + 1, lastSlave: 'a' });
  expect(choose([paused], slaves, noneRunning)).toEqual([]);
  expect(choose([{ ...paused, retryElsewhere: true }], slaves, noneRunning)).toEqual([{ id: 't', slave: 'b' }]);
  expect(choose([{ ...paused, retryElsewhere: true }], [freeSlave('a')], noneRunning)).toEqual([]);
});

const names = fc.constantFrom('a', 'b', 'c', 'd');
const size = fc.constantFrom(2048, 8192);
const anyTask = fc.record({
  minerId: fc.integer({ min: 1, max: 3 }),
  sectorSize: size,
  closeAt: fc.option(fc.integer({ min: 500, max: 4_000 })),
  queuedAt: fc.integer({ min: 0, max: 5 }),
  retryAt: fc.constantFrom(0, NOW, NOW + 5),
  retryElsewhere: fc.boolean(),
  lastSlave: fc.option(names),
});
const anyTasks = fc
  .array(anyTask, { maxLength: 30 })
  .map((tasks) => tasks.map((task, i) => ({ ...task, id: `t${i}` })));
const anySlaves = fc.uniqueArray(
  fc.record({ name: names, free: fc.integer({ min: 0, max: 4 }), sectorSize: fc.option(size) }),
  { selector: (slave) => slave.name },
);
const anyRunning = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(4))).map((pairs) => new Map(pairs));

function mayTake(task: WaitingTask, slave: FreeSlave): boolean {
  const inTime = NOW >= task.retryAt || (task.retryElsewhere && slave.name !== task.lastSlave);
  return inTime && (slave.sectorSize === null || slave.sectorSize === task.sectorSize);
}

test('whatever waits: nothing twice, no slot twice, nothing too late, no able slot left idle, order of input without effect', () => {
  fc.assert(
    fc.property(anyTasks, anySlaves, anyRunning, (tasks, slaves, running) => {
      const facts = { now: NOW, running };
      const choices = choose(tasks, slaves, facts);
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
      expect(choose(tasks.toReversed(), slaves.toReversed(), facts)).toEqual(choices);
    }),
  );
});
