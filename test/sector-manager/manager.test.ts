import { expect, onTestFinished, test } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import type { HeadChange, TipSet } from '../../src/chain/tipset.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { Manager } from '../../src/programs/sector-manager/manager.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

interface Advance {
  readonly height: number;
  readonly end: (changed: boolean) => void;
  readonly fail: (error: Error) => void;
}

function follow(init: { readonly sendsBesideItself: boolean }) {
  const clock = new ManualClock();
  const advances = new EventQueue<Advance>();
  const under = new Set<Advance>();
  const heads = new EventQueue<HeadChange[]>();
  const chain: Pick<Chain, 'heads'> = {
    async *heads(signal) {
      const over = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
      for (;;) {
        const changes = await Promise.race([heads.next(), over]);
        if (changes === undefined) return;
        yield changes;
      }
    },
  };
  const outbox = {
    advance: ({ height }: TipSet) =>
      new Promise<boolean>((end, fail) => {
        const advance = { height, end, fail };
        under.add(advance);
        advances.push(advance);
      }),
  };
  const manager = new Manager(
    { clock, logger: silentLogger, metrics: new Metrics(), chain: chain as Chain, outbox },
    { posters: [], onHead: () => {}, ...init },
  );
  const over = new AbortController();
  const running = manager.run(over.signal);
  onTestFinished(async () => {
    over.abort();
    for (const { end } of under) end(false);
    await running;
  });
  const at = (height: number) =>
    heads.push([{ type: 'apply', tipSet: { key: [], height, minTimestamp: clock.now() / 1000 } }]);
  return { clock, manager, advances, at };
}

test('what is put in while messages are sent is sent beside them', async () => {
  const { manager, advances, at } = follow({ sendsBesideItself: true });
  at(10);
  expect((await advances.next()).height).toBe(10);
  manager.onIntent();
  expect((await advances.next()).height).toBe(10);
  at(11);
  expect((await advances.next()).height).toBe(11);
});

test('what fails after others were begun is tried again, and after a failure there is a pause', async () => {
  const { clock, manager, advances, at } = follow({ sendsBesideItself: true });
  at(10);
  const slow = await advances.next();
  manager.onIntent();
  (await advances.next()).end(false);
  slow.fail(new CodedError('database-unavailable', 'the database is away'));
  const again = await advances.next();
  again.fail(new CodedError('database-unavailable', 'the database is away'));
  await new Promise(setImmediate);
  clock.advance(2_000);
  await advances.next();
});

test('a shadow goes on when it is done', async () => {
  const { manager, advances, at } = follow({ sendsBesideItself: false });
  at(10);
  const first = await advances.next();
  at(11);
  manager.onIntent();
  await new Promise(setImmediate);
  expect(advances.size).toBe(0);
  first.end(true);
  expect((await advances.next()).height).toBe(11);
});
