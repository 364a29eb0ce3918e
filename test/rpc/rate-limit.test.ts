import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from '../../src/rpc/rate-limit.ts';
import { ManualClock } from './manual-clock.ts';

test('any stretch of time gives at most a burst and what fills up in it; a full second of patience gives its share', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 40 }), (pauses) => {
      const clock = new ManualClock();
      const limit = new RateLimit({ clock }, { perSecond: 10, burst: 20 });
      const takeAll = () => {
        let taken = 0;
        while (taken < 100 && limit.take()) taken++;
        return taken;
      };
      expect(takeAll()).toBe(20);
      let passed = 0;
      let taken = 0;
      for (const pause of pauses) {
        clock.advance(pause);
        passed += pause;
        const now = takeAll();
        expect(now).toBeLessThanOrEqual(20);
        if (pause >= 1_000) expect(now).toBeGreaterThanOrEqual(10);
        taken += now;
      }
      expect(taken).toBeLessThanOrEqual(passed / 100 + 0.001);
    }),
  );
});
