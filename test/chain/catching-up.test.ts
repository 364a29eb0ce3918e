import { expect, it } from 'vitest';
import { CatchingUp } from '../../src/chain/catching-up.ts';

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;

/** What it says of heads that are `ageMs` old when they come, `afterMs` after the one before. */
function judge(...heads: { ageMs: number; afterMs: number }[]): boolean[] {
  const catching = new CatchingUp();
  let now = NOW;
  return heads.map(({ ageMs, afterMs }, height) => {
    now += afterMs;
    return catching.isCatchingUp({ key: [], height, minTimestamp: (now - ageMs) / 1000 }, now);
  });
}

it('takes fresh heads, and those of a network that runs ahead', () => {
  expect(judge({ ageMs: 6_000, afterMs: 0 }, { ageMs: -90 * MINUTE, afterMs: 100 })).toEqual([false, false]);
});

it('waits while a node comes nearer to the present faster than time goes by', () => {
  expect(
    judge(
      { ageMs: 300 * MINUTE, afterMs: 0 },
      { ageMs: 200 * MINUTE, afterMs: 1_000 },
      { ageMs: 6 * MINUTE, afterMs: 1_000 },
      { ageMs: 5_000, afterMs: 1_000 },
    ),
  ).toEqual([true, true, true, false]);
});

it('works with a network whose time lags', () => {
  expect(
    judge(
      { ageMs: 90 * MINUTE, afterMs: 0 },
      { ageMs: 90 * MINUTE, afterMs: 4_000 },
      { ageMs: 90 * MINUTE, afterMs: 8_000 },
    ),
  ).toEqual([true, false, false]);
});

it('does not take the first old head after a long silence', () => {
  expect(
    judge({ ageMs: 0, afterMs: 0 }, { ageMs: 120 * MINUTE, afterMs: 120 * MINUTE }, { ageMs: 0, afterMs: 1_000 }),
  ).toEqual([false, true, false]);
});
