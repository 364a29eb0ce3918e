import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { type PoolChildInit, ProverPool } from '../../src/ext-processor/prover-pool.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { answering, READY, saying, scripted } from './scripted.ts';

const pools: ProverPool[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool-'));
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await rm(folder, { recursive: true });
});

function child(
  init: Partial<Pick<PoolChildInit, 'concurrent' | 'weight' | 'readyTimeoutMs'>> = {},
  begin?: Parameters<typeof scripted>[0],
): PoolChildInit {
  return { ...scripted(begin), env: process.env, concurrent: 1, weight: 1, ...init };
}

async function poolOf(...children: PoolChildInit[]) {
  return await poolWith(systemClock, ...children);
}

async function poolWith(clock: Clock, ...children: PoolChildInit[]) {
  const changes = new EventQueue<number>();
  const pool: ProverPool = new ProverPool(
    { clock, logger: silentLogger },
    { stage: 'window_post', children, onChange: () => changes.push(pool.slots) },
  );
  pools.push(pool);
  await pool.start();
  return { pool, changes };
}

/** Which child was asked, 1 and up, each time. */
function asking(pool: ProverPool, task: object, init: { signal?: AbortSignal; closeAt?: number; bad?: number[] } = {}) {
  const asked = new EventQueue<number>();
  const order: number[] = [];
  const output = pool.prove(task, {
    signal: init.signal ?? new AbortController().signal,
    closeAt: init.closeAt ?? 1,
    async accept(said) {
      const last = order.at(-1) ?? 0;
      if (init.bad?.includes(last)) throw new CodedError('prover-failed', `no good from ${last}`);
      return said;
    },
    onStart(name) {
      const number = Number(name.split('#').at(-1));
      order.push(number);
      asked.push(number);
    },
  });
  output.catch(() => {});
  return { output, asked, order };
}

const never = (): object => ({ untilFile: join(folder, 'never') });

test('gives each child its share by weight while all are free', async () => {
  const { pool } = await poolOf(child({ weight: 3 }), child({ weight: 1 }));
  const given: number[] = [];
  for (let request = 0; request < 8; request++) {
    const { output, order } = asking(pool, saying(answering(1)));
    await output;
    given.push(...order);
  }
  expect(given.toSorted()).toEqual([1, 1, 1, 1, 1, 1, 2, 2]);
});

test('gives nothing to a child that is full, and waits in the order of closing when all are', async () => {
  const { pool } = await poolOf(child({ weight: 100, concurrent: 2 }), child());
  const go = join(folder, 'go');
  const slow = { ...saying(answering('slow')), untilFile: go };
  const first = Array.from({ length: 3 }, () => asking(pool, slow));
  const places = await Promise.all(first.map(({ asked }) => asked.next()));
  expect(places.toSorted()).toEqual([1, 1, 2]);
  const given: string[] = [];
  const wait = async (name: string, closeAt: number): Promise<void> => {
    const { asked, output } = asking(pool, saying(answering(name)), { closeAt });
    await asked.next();
    given.push(name);
    await output;
  };
  const waiting = [wait('late', 9), wait('soon', 2)];
  await writeFile(go, '');
  await Promise.all(waiting);
  expect(given).toEqual(['soon', 'late']);
  expect(await Promise.all(first.map(({ output }) => output))).toEqual(['slow', 'slow', 'slow']);
});

test('a request of a child that dies goes to another; the dead one comes back', async () => {
  const { pool, changes } = await poolOf(child({ weight: 9 }), child());
  expect(pool.slots).toBe(2);
  const marker = join(folder, 'died');
  // The first to be asked dies of it, the next finds the file.
  const { output, order } = asking(pool, { ...saying(answering('made')), exitUnlessFile: marker });
  await expect(output).resolves.toBe('made');
  expect(order).toEqual([1, 2]);
  await changes.until((slots) => slots === 2);
  await expect(asking(pool, saying(answering(1))).output).resolves.toBe(1);
}, 20_000);

test('a request that kills whoever it is given to is given up after three deaths', async () => {
  const { pool } = await poolOf(child());
  const { output, order } = asking(pool, { exit: 3 });
  await expect(output).rejects.toMatchObject({ code: 'prover-exited' });
  expect(order).toEqual([1, 1, 1]);
}, 30_000);

test('an err_msg, or an output that is not accepted, is tried on each of the others once', async () => {
  const { pool } = await poolOf(child(), child(), child());
  const failing = saying('{"id":$ID,"err_msg":"no parameters","output":null}\n');
  const refused = asking(pool, failing);
  await expect(refused.output).rejects.toMatchObject({ code: 'prover-failed', message: 'no parameters' });
  expect(refused.order.toSorted()).toEqual([1, 2, 3]);
  const picky = asking(pool, saying(answering('fine')), { bad: [1, 3] });
  await expect(picky.output).resolves.toBe('fine');
  expect(picky.order.at(-1)).toBe(2);
});

test('the signal kills a child that works for nobody else, and it is ready again', async () => {
  const { pool, changes } = await poolOf(child());
  await changes.until((slots) => slots === 1);
  const stop = new AbortController();
  const { output, asked } = asking(pool, never(), { signal: stop.signal });
  await asked.next();
  stop.abort(new CodedError('deadline-closed', 'closed'));
  await expect(output).rejects.toMatchObject({ code: 'deadline-closed' });
  await changes.until((slots) => slots === 0);
  await changes.until((slots) => slots === 1);
  await expect(asking(pool, saying(answering(1))).output).resolves.toBe(1);
});

test('a child that works for others too is not killed; the place stays taken until it has answered', async () => {
  const { pool, changes } = await poolOf(child({ concurrent: 2 }));
  await changes.until((slots) => slots === 2);
  const stop = new AbortController();
  const go = join(folder, 'go');
  const abandoned = asking(pool, { ...saying(answering(1)), hold: 1 }, { signal: stop.signal });
  await abandoned.asked.next();
  const other = asking(pool, { ...saying(answering('other')), untilFile: go });
  await other.asked.next();
  stop.abort(new Error('enough'));
  await expect(abandoned.output).rejects.toThrow('enough');
  const third = asking(pool, saying(answering('third')));
  await writeFile(go, '');
  await expect(other.output).resolves.toBe('other');
  await expect(third.output).resolves.toBe('third');
  expect(changes.size).toBe(0);
});

test('a child is ended when the last one that waited for anything of it has its answer', async () => {
  const { pool, changes } = await poolOf(child({ concurrent: 2 }));
  await changes.until((slots) => slots === 2);
  const stop = new AbortController();
  const { output, asked } = asking(pool, { silentUnlessFile: join(folder, 'began') }, { signal: stop.signal });
  await asked.next();
  const go = join(folder, 'go');
  const other = asking(pool, { ...saying(answering('other')), untilFile: go });
  await other.asked.next();
  stop.abort(new Error('enough'));
  await expect(output).rejects.toThrow('enough');
  expect(changes.size).toBe(0);
  await writeFile(go, '');
  await expect(other.output).resolves.toBe('other');
  await changes.until((slots) => slots === 0);
  await changes.until((slots) => slots === 2);
});

test('a request that waits is let go by its signal', async () => {
  const { pool } = await poolOf(child());
  const busy = new AbortController();
  const { asked, output } = asking(pool, never(), { signal: busy.signal });
  await asked.next();
  const stop = new AbortController();
  const waiting = asking(pool, saying(answering(1)), { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(waiting.output).rejects.toThrow('enough');
  busy.abort(new Error('enough'));
  await expect(output).rejects.toThrow('enough');
});

test('starts with one that works, and not with none', async () => {
  const silent = child({ readyTimeoutMs: 200 }, {});
  const wrong = child({}, { first: 'winning_post processor ready\n' });
  const { pool } = await poolOf(silent, child({}, { first: READY }));
  expect(pool.slots).toBe(1);
  await expect(poolOf(silent, wrong)).rejects.toMatchObject({
    code: 'no-ext-prover',
    message: expect.stringMatching(/#1: .*ready line.*200 ms; .*#2: .*said "winning_post processor ready"/),
  });
});

const HALF_HOUR = 1_800_000;

/** Whoever is asked first makes the file, and never answers. */
async function hanging(
  pool: ProverPool,
  clock: Clock,
  how: 'hangUnlessFile' | 'silentUnlessFile' = 'hangUnlessFile',
  signal = new AbortController().signal,
) {
  const began = join(folder, 'began');
  const task = { ...saying(answering('made')), [how]: began };
  const asked = asking(pool, task, { closeAt: clock.now() + HALF_HOUR, signal });
  await vi.waitUntil(() => existsSync(began), { timeout: 10_000 });
  return asked;
}

/** Five proofs that take this long, so that it is known how long they take. */
async function measured(pool: ProverPool, clock: ManualClock, tookMs: number): Promise<void> {
  const go = join(folder, 'measured');
  const five = Array.from({ length: 5 }, () => asking(pool, { ...saying(answering(1)), untilFile: go }));
  await five[0]?.asked.next();
  clock.advance(tookMs);
  await writeFile(go, '');
  await Promise.all(five.map(({ output }) => output));
}

test('an idle child is asked beside one that hangs, which is ended', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child({ weight: 9 }), child());
  await changes.until((slots) => slots === 2);
  const { output, order } = await hanging(pool, clock);
  // Twice what the slowest sound proof is assumed to take.
  clock.advance(899_999);
  expect(order).toEqual([1]);
  clock.advance(1);
  await expect(output).resolves.toBe('made');
  expect(order).toEqual([1, 2]);
  await changes.until((slots) => slots === 1);
  await changes.until((slots) => slots === 2);
}, 20_000);

test('how long is too long is measured where proofs were made', async () => {
  const clock = new ManualClock();
  const { pool } = await poolWith(clock, child({ weight: 9 }), child());
  await measured(pool, clock, 2_000);
  const { output, order } = await hanging(pool, clock);
  clock.advance(4_000);
  await expect(output).resolves.toBe('made');
  expect(order).toHaveLength(2);
}, 20_000);

test('one that hangs and has no other beside it is ended while time for another proof is left, and asked again', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child());
  await changes.until((slots) => slots === 1);
  const { output, order } = await hanging(pool, clock);
  clock.advance(HALF_HOUR - 270_000 - 1);
  expect(order).toEqual([1]);
  clock.advance(1);
  await expect(output).resolves.toBe('made');
  expect(order).toEqual([1, 1]);
}, 20_000);

test('one that hangs on a request and answers others is emptied and started again', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child({ concurrent: 2 }));
  await changes.until((slots) => slots === 2);
  const { output, order } = await hanging(pool, clock, 'silentUnlessFile');
  clock.advance(1_200_000);
  const go = join(folder, 'go');
  const closeAt = clock.now() + HALF_HOUR;
  const live = asking(pool, { ...saying(answering('live')), untilFile: go }, { closeAt });
  await live.asked.next();
  // The hanging one is not waited for any more.
  clock.advance(HALF_HOUR - 270_000 - 1_200_000);
  const next = asking(pool, saying(answering('next')), { closeAt });
  expect(changes.size).toBe(0);
  await writeFile(go, '');
  await expect(live.output).resolves.toBe('live');
  await changes.until((slots) => slots === 0);
  await expect(Promise.all([output, next.output])).resolves.toEqual(['made', 'next']);
  expect([order, next.order]).toEqual([[1, 1], [1]]);
}, 20_000);

test('one that is emptied is given what cannot wait for that', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child({ concurrent: 4 }));
  await changes.until((slots) => slots === 4);
  await measured(pool, clock, 2_000);
  const stop = new AbortController();
  const { output } = await hanging(pool, clock, 'silentUnlessFile', stop.signal);
  const go = join(folder, 'go-on');
  const live = asking(pool, { ...saying(answering('live')), untilFile: go }, { closeAt: clock.now() + HALF_HOUR });
  await live.asked.next();
  stop.abort(new Error('enough'));
  await expect(output).rejects.toThrow('enough');
  clock.advance(4_000);
  const patient = asking(pool, saying(answering('patient')), { closeAt: clock.now() + 6_001 });
  const urgent = asking(pool, saying(answering('urgent')), { closeAt: clock.now() + 6_000 });
  await urgent.asked.next();
  expect(patient.order).toEqual([]);
  await writeFile(go, '');
  await expect(Promise.all([live.output, urgent.output])).resolves.toEqual(['live', 'urgent']);
  await changes.until((slots) => slots === 0);
  await expect(patient.output).resolves.toBe('patient');
}, 20_000);

test('few lost places of many are borne until it has nothing else to do', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child({ concurrent: 5 }));
  await changes.until((slots) => slots === 5);
  const stop = new AbortController();
  await hanging(pool, clock, 'silentUnlessFile', stop.signal);
  const go = join(folder, 'go');
  const closeAt = clock.now() + HALF_HOUR;
  const live = asking(pool, { ...saying(answering('live')), untilFile: go }, { closeAt });
  await live.asked.next();
  clock.advance(900_000);
  stop.abort(new Error('enough'));
  const next = asking(pool, saying(answering('next')), { closeAt });
  await next.asked.next();
  expect(changes.size).toBe(0);
  await writeFile(go, '');
  await expect(Promise.all([live.output, next.output])).resolves.toEqual(['live', 'next']);
  await changes.until((slots) => slots === 0);
}, 20_000);

test('an answer that comes after all counts, though another child was asked', async () => {
  const clock = new ManualClock();
  const { pool } = await poolWith(clock, child({ weight: 9 }), child());
  const go = join(folder, 'go');
  const { output, asked } = asking(
    pool,
    { ...saying(answering('late')), untilFile: go },
    { closeAt: clock.now() + HALF_HOUR },
  );
  await asked.next();
  clock.advance(900_000);
  await asked.next();
  await writeFile(go, '');
  await expect(output).resolves.toBe('late');
}, 20_000);

test('one that answers late is not asked the same again', async () => {
  const clock = new ManualClock();
  const { pool, changes } = await poolWith(clock, child());
  await changes.until((slots) => slots === 1);
  const go = join(folder, 'go');
  const task = { ...saying(answering('late')), untilFile: go };
  const { output, asked, order } = asking(pool, task, { closeAt: clock.now() + HALF_HOUR });
  await asked.next();
  clock.advance(900_000);
  const next = asking(pool, saying(answering('next')), { closeAt: clock.now() + HALF_HOUR });
  await writeFile(go, '');
  await expect(output).resolves.toBe('late');
  await expect(next.output).resolves.toBe('next');
  expect(order).toEqual([1]);
  expect(changes.size).toBe(0);
}, 20_000);

test('a task that stops whoever works at it does not stop all', async () => {
  const clock = new ManualClock();
  const { pool } = await poolWith(clock, child(), child(), child(), child());
  const stop = new AbortController();
  const { output, order, asked } = asking(pool, never(), { signal: stop.signal, closeAt: clock.now() + HALF_HOUR });
  // Each time half of what is left.
  for (const patience of [900_000, 450_000, 225_000]) {
    await asked.next();
    clock.advance(patience);
  }
  await expect(asking(pool, saying(answering('free'))).output).resolves.toBe('free');
  expect(order).toHaveLength(3);
  stop.abort(new CodedError('deadline-closed', 'closed'));
  await expect(output).rejects.toMatchObject({ code: 'deadline-closed' });
}, 20_000);

test('a signal that outlives its requests is not listened to any more', async () => {
  const { pool } = await poolOf(child());
  const { signal } = new AbortController();
  for (let i = 0; i < 2; i++) await asking(pool, saying(answering(1)), { signal }).output;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
