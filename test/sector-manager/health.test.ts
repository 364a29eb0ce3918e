import { expect, onTestFinished, test } from 'vitest';
import type { TipSet } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { Health } from '../../src/programs/sector-manager/health.ts';
import { createTestDatabase } from '../support/database.ts';

test('health is found out anew at each question', async () => {
  const schema = await createTestDatabase();
  let isOpen = true;
  onTestFinished(async () => {
    if (isOpen) await schema.drop();
  });
  const head = { height: 9, key: [], minTimestamp: Math.floor(Date.now() / 1000) } as unknown as TipSet;
  let answer = async () => head;
  const health = new Health({ clock: systemClock });
  expect(await health.report()).toMatchObject({ status: 'starting' });

  health.watch({ chain: { head: () => answer() }, db: schema.db, leads: () => true });
  expect(await health.report()).toMatchObject({ status: 'ok', troubles: [], leads: true, height: 9 });

  answer = async () => ({ ...head, minTimestamp: head.minTimestamp - 400 });
  expect(await health.report()).toMatchObject({
    status: 'failing',
    troubles: [/its head is 4\d\d s old/].map(matching),
  });

  answer = () => Promise.reject(new Error('connection refused'));
  await schema.drop();
  isOpen = false;
  const { status, troubles } = await health.report();
  expect([status, troubles]).toEqual(['failing', [/chain node: connection refused/, /^database: /].map(matching)]);
});

function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
