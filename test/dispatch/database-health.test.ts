import { expect, test } from 'vitest';
import { DatabaseHealth } from '../../src/dispatch/database-health.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { silentLogger } from '../support/silent-logger.ts';

function healthAt(start: number) {
  const at = { monotonic: start };
  const health = new DatabaseHealth({ clock: { now: () => 0, monotonic: () => at.monotonic }, logger: silentLogger });
  /** Answered at once by a database whose clock is `ahead` of ours. */
  const look = (ahead: number) => health.observeClock(1_700_000_000_000 + at.monotonic + ahead, at.monotonic);
  return { at, health, look };
}

test.each([2_500, -2_500, 3_600_000])('a clock that jumps by %d ms: leases begin anew, once', (jump) => {
  const { at, health, look } = healthAt(0);
  look(0);
  at.monotonic = 20_000;
  look(300);
  expect(health.healthyForMs()).toBe(20_000);
  look(jump);
  expect(health.healthyForMs()).toBe(0);
  at.monotonic = 25_000;
  look(jump);
  expect(health.healthyForMs()).toBe(5_000);
});

test('an answer that took long: leases begin anew', () => {
  const { at, health } = healthAt(0);
  at.monotonic = 20_000;
  health.observeClock(1_700_000_020_000, 17_999);
  expect(health.healthyForMs()).toBe(0);
});

test.each(['database-unavailable', 'database-full', 'database-busy', 'database-unfit'])(
  '%s: not healthy until something is answered',
  async (code) => {
    const { at, health } = healthAt(0);
    at.monotonic = 20_000;
    await expect(health.watch(Promise.reject(new CodedError(code, 'no')))).rejects.toMatchObject({ code });
    at.monotonic = 30_000;
    expect(health.healthyForMs()).toBe(0);
    await health.watch(Promise.resolve());
    at.monotonic = 31_000;
    expect(health.healthyForMs()).toBe(1_000);
  },
);

test('what was asked in vain is no trouble of the database', async () => {
  const { at, health } = healthAt(0);
  at.monotonic = 20_000;
  await expect(health.watch(Promise.reject(new CodedError('bad-task', 'no')))).rejects.toThrow('no');
  expect(health.healthyForMs()).toBe(20_000);
});
