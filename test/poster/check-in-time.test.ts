import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { checkInTime } from '../../src/poster/check-in-time.ts';
import type { CheckInit } from '../../src/stores/store-checker.ts';

const init = { minerId: 1000, sectorSize: 2048, sectors: [{ number: 7, upgraded: false }] };

test('a check that never ends makes sectors unknown, and is ended', async () => {
  const clock = {
    ...systemClock,
    after: (_ms: number, run: () => void) => {
      setImmediate(run);
      return () => {};
    },
  };
  let given: AbortSignal | undefined;
  const checker = {
    check: ({ signal }: CheckInit) => {
      given = signal;
      return new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const checked = checkInTime({ clock, checker }, { ...init, signal: new AbortController().signal });
  expect(await checked).toEqual([
    { number: 7, verdict: 'unknown', reason: 'the check of the files gave no answer within 600000 ms' },
  ]);
  expect(given?.aborted).toBe(true);
});

test('what a check finds, and why it was ended, is told as it is', async () => {
  const clock = systemClock;
  const good = [{ number: 7, verdict: 'good' as const, sealed: 'a', cache: 'b' }];
  const ending = new AbortController();
  const asked = { ...init, signal: ending.signal };
  expect(await checkInTime({ clock, checker: { check: async () => good as never } }, asked)).toBe(good);
  ending.abort(new Error('closed'));
  const check = async ({ signal }: CheckInit): Promise<never> => {
    throw signal?.reason;
  };
  await expect(checkInTime({ clock, checker: { check } }, asked)).rejects.toThrow('closed');
});
