import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DatabaseClock } from '../../src/dispatch/database-clock.ts';

const WALL = 1_700_000_000_000;

function world() {
  /** Steady time, and what wall and database clock are ahead of it. */
  const at = { steady: 1_000, wall: WALL, database: WALL };
  const lines: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line).msg) });
  const clock = new DatabaseClock({
    clock: { now: () => at.steady + at.wall, monotonic: () => at.steady },
    logger,
  });
  const look = (tookMs = 0): number => {
    const askedAt = at.steady;
    const read = at.steady + at.database;
    at.steady += tookMs;
    return clock.observe(read, askedAt);
  };
  return { at, clock, lines, look };
}

test('it goes on as the database showed it, whatever is done to our own wall clock', () => {
  const { at, clock, look } = world();
  at.database = WALL + 300;
  look();
  at.steady += 5_000;
  for (const step of [0, 3_600_000, -3_600_000]) {
    at.wall = WALL + step;
    expect(clock.now()).toBe(WALL + 300 + at.steady);
  }
});

test('a wall clock that was set, and a machine that was suspended, make it doubtful until the next look', () => {
  const { at, clock, look } = world();
  expect(clock.isDoubtful).toBe(true);
  for (const step of [3_600_000, -3_600_000]) {
    look();
    at.steady += 3_600_000;
    expect(clock.isDoubtful).toBe(false);
    at.wall += step;
    expect(clock.isDoubtful).toBe(true);
  }
  expect(look()).toBe(0);
  expect(clock.isDoubtful).toBe(false);
});

test('what is surely past is so by both clocks', () => {
  const { at, clock, look } = world();
  at.database = WALL + 3_600_000;
  look();
  expect(clock.surelyPast()).toBe(at.steady + WALL);
  at.wall = WALL + 7_200_000;
  expect(clock.surelyPast()).toBe(at.steady + WALL + 3_600_000);
});

test('a jump is told by its length; an answer that took long moves nothing further than it must', () => {
  const { at, clock, look } = world();
  look();
  at.database += 10_000;
  expect(look()).toBe(10_000);
  expect(look(4_000)).toBe(0);
  expect(clock.now()).toBe(at.steady + WALL + 10_000);
  at.database += 10_000;
  expect(look(4_000)).toBe(6_000);
  expect(look()).toBe(4_000);
});

test('clocks that differ are alarmed at once and every ten minutes, and told when they agree again', () => {
  const { at, lines, look } = world();
  at.database = WALL + 4_900;
  look();
  expect(lines).toEqual([]);
  at.database = WALL - 5_100;
  const alarm = 'the clocks of master and database differ: set the wrong one right';
  for (const passes of [0, 599_999, 1]) {
    at.steady += passes;
    look();
  }
  expect(lines).toEqual([alarm, alarm]);
  at.database = WALL;
  look();
  look();
  expect(lines).toEqual([alarm, alarm, 'the clocks of master and database agree again']);
});
