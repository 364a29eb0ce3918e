import { expect, it } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { CoalescedLoop } from '../../src/clock/coalesced-loop.ts';

/** Timers that fire when the test says so. */
function manualClock() {
  const timers = new Set<() => void>();
  const clock: Pick<Clock, 'after'> = {
    after(_, run) {
      timers.add(run);
      return () => timers.delete(run);
    },
  };
  const fire = () => {
    for (const run of [...timers]) {
      timers.delete(run);
      run();
    }
  };
  return { clock, timers, fire };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

function loopOf(work: () => Promise<void>) {
  const { clock, timers, fire } = manualClock();
  const failures: unknown[] = [];
  const init = { work, onFailure: (error: unknown) => failures.push(error), retryMs: 1_000 };
  return { loop: new CoalescedLoop({ clock }, init), timers, fire, failures };
}

it('answers wakes during a run with one more run', async () => {
  let runs = 0;
  const gates: (() => void)[] = [];
  const { loop } = loopOf(() => new Promise((resolve) => gates.push(resolve) && runs++));
  loop.wake();
  await settle();
  for (let i = 0; i < 5; i++) loop.wake();
  await settle();
  expect(runs).toBe(1);
  gates.shift()?.();
  await settle();
  expect(runs).toBe(2);
  gates.shift()?.();
  await settle();
  expect(runs).toBe(2);
});

it('tries a failure once for each pause, however many wakes come', async () => {
  let runs = 0;
  const { loop, timers, fire, failures } = loopOf(async () => {
    runs++;
    loop.wake();
    throw new Error('away');
  });
  loop.wake();
  await settle();
  for (let tries = 1; tries <= 4; tries++) {
    loop.wake();
    loop.wake();
    await settle();
    expect([runs, failures.length, timers.size]).toEqual([tries, tries, 1]);
    fire();
    await settle();
  }
});

it('does nothing after its end, which waits for the run under way', async () => {
  let open: () => void = () => {};
  const { loop, timers } = loopOf(
    () =>
      new Promise((_, reject) => {
        open = () => reject(new Error('late'));
      }),
  );
  loop.wake();
  const closed = loop.close();
  open();
  await closed;
  loop.wake();
  await settle();
  expect(timers.size).toBeLessThanOrEqual(1);
});
