import { afterEach, beforeEach, expect, test } from 'vitest';
import { cutBatch } from '../../src/dispatch/cut-batch.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { canonicalTask, taskId } from '../../src/queue/window-post-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { batchTask, faulty, proofOf, provenBy } from './batch-task.ts';
import { BatchWorld, MINUTE_MS, reserveMs } from './batch-world.ts';

const HOUR_MS = 60 * MINUTE_MS;

let schema: TestDatabase;
let world: BatchWorld;
beforeEach(async () => {
  schema = await createTestDatabase();
  world = new BatchWorld(schema);
});
afterEach(async () => {
  await world.close();
  await schema.drop();
});

const joined = (...firsts: number[]) => ({
  proofs: [Buffer.concat(firsts.map(proofOf)).toString('base64')],
  faults: [],
});
const idOf = (...sectors: number[]): string => taskId(canonicalTask(batchTask(sectors)));
const stateOf = async (...sectors: number[]) => (await world.leader.get(idOf(...sectors)))?.state;

test('three chunks are proven by three slaves at once and joined in order, whichever came first', async () => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => world.slave(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('no slaves');
  // As that protocol has it: a good sector again in the place of each one left out.
  const answer = world.ask(batchTask([21, 3, 7, 20, 3, 11, 3]), { closesInMs: HOUR_MS });
  const leases = await Promise.all([a, b, c].map(async (slave) => ({ slave, lease: await slave.next() })));
  expect(leases.map(({ lease }) => lease.sectors).toSorted((x, y) => (x[0] ?? 0) - (y[0] ?? 0))).toEqual([
    [3, 7],
    [11, 20],
    [21],
  ]);
  for (const { slave, lease } of leases.toSorted((x, y) => (y.lease.sectors[0] ?? 0) - (x.lease.sectors[0] ?? 0)))
    await slave.says(lease, provenBy(lease.sectors[0] ?? 0));
  expect(await answer).toEqual(joined(3, 11, 21));
  // Asked again it is answered from what is there.
  expect(await world.ask(batchTask([3, 7, 11, 20, 21]), { closesInMs: HOUR_MS })).toEqual(joined(3, 11, 21));
});

test('two requests share their chunks', async () => {
  const first = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  const second = world.ask(batchTask([1, 2, 5]), { closesInMs: HOUR_MS });
  const slave = await world.slave('a', 9);
  for (let n = 0; n < 3; n++) {
    const lease = await slave.next();
    await slave.says(lease, provenBy(lease.sectors[0] ?? 0));
  }
  expect(await first).toEqual(joined(1, 3));
  expect(await second).toEqual(joined(1, 5));
  expect(slave.starts.size).toBe(0);
});

test('unknown sectors are not told: the chunk is submitted again, to another slave', async () => {
  const a = await world.slave('a');
  const answer = world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS });
  const lease = await a.next();
  const b = await world.slave('b');
  await a.says(lease, faulty({ 2: 'unknown' }));
  await world.logged.until(({ msg }) => msg === 'chunk is submitted again');
  await b.says(await b.next(), provenBy(1));
  expect(await answer).toEqual(joined(1));
});

test('failures of slaves are not told', async () => {
  const a = await world.slave('a');
  const answer = world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS });
  for (const kind of ['slave', 'transient', 'permanent', 'slave'] as const)
    await a.fails(await a.next(), kind, 'no memory');
  await a.says(await a.next(), provenBy(1));
  expect(await answer).toEqual(joined(1));
});

test('a bad sector is told when all was read, with all others; only what comes before it is proven on', async () => {
  const slave = await world.slave('a', 9);
  const answer = world.ask(batchTask([1, 2, 3, 4, 5, 6, 7, 8]), { closesInMs: HOUR_MS });
  const leases = [await slave.next(), await slave.next(), await slave.next(), await slave.next()];
  const [one, three, five, seven] = leases.toSorted((x, y) => (x.sectors[0] ?? 0) - (y.sectors[0] ?? 0));
  if (one === undefined || three === undefined || five === undefined || seven === undefined)
    throw new Error('no lease');
  await slave.says(three, faulty({ 3: 'bad' }));
  await slave.beat(one, 'proving');
  await slave.beat(seven, 'reading');
  await slave.beat(five, 'proving');
  // Of no use any more, and its slot is free at once.
  expect(await slave.cancels.next()).toMatchObject({ id: five.id, attempt: five.attempt });
  await slave.says(seven, faulty({ 7: 'unknown', 8: 'bad' }));
  expect(await answer).toEqual(faulty({ 3: 'bad', 8: 'bad' }));
  expect(slave.cancels.size).toBe(0);
  expect(await stateOf(1, 2)).toBe('running');

  const again = world.ask(batchTask([1, 2, 4, 5, 6, 7]), { closesInMs: HOUR_MS });
  await slave.says(one, provenBy(1));
  for (let n = 0; n < 2; n++) {
    const lease = await slave.next();
    await slave.says(lease, provenBy(lease.sectors[0] ?? 0));
  }
  expect(await again).toEqual(joined(1, 4, 6));
});

test('nothing is cancelled that another request waits for', async () => {
  const slave = await world.slave('a', 9);
  const first = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  const leases = [await slave.next(), await slave.next()];
  const [one, three] = leases.toSorted((x, y) => (x.sectors[0] ?? 0) - (y.sectors[0] ?? 0));
  if (one === undefined || three === undefined) throw new Error('no lease');
  const other = world.ask(batchTask([3, 4]), { closesInMs: HOUR_MS });
  await world.logged.until(({ msg }) => msg === 'batch asked for');
  await world.logged.until(({ msg }) => msg === 'batch asked for');
  await slave.beat(three, 'proving');
  await slave.says(one, faulty({ 1: 'bad' }));
  expect(await first).toEqual(faulty({ 1: 'bad' }));
  await slave.says(three, provenBy(3));
  expect(await other).toEqual(joined(3));
});

test('in the reserve unknown sectors are told, with an alarm', async () => {
  const slave = await world.slave('a', 9);
  // Two proofs would be to make.
  const answer = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: reserveMs(2) + MINUTE_MS });
  const leases = [await slave.next(), await slave.next()];
  const [one, three] = leases.toSorted((x, y) => (x.sectors[0] ?? 0) - (y.sectors[0] ?? 0));
  if (one === undefined || three === undefined) throw new Error('no lease');
  await slave.says(one, faulty({ 2: 'unknown' }));
  await slave.says(await slave.next(), faulty({ 1: 'unknown' }));
  await slave.next();
  world.aheadMs = 2 * MINUTE_MS;
  expect(await answer).toEqual(faulty({ 1: 'unknown' }));
  await world.logged.until(({ level, msg }) => level === 'error' && msg.includes('given up'));
  // The chunks behind it will be others.
  await slave.cancels.until(({ id }) => id === three.id);
});

test('all unknown: nothing is told until Close', async () => {
  const slave = await world.slave('a');
  const answer = world.ask(batchTask([1, 2]), { closesInMs: reserveMs(1) });
  await slave.says(await slave.next(), faulty({ 1: 'unknown', 2: 'unknown' }));
  const again = await slave.next();
  world.aheadMs = HOUR_MS;
  await slave.says(again, faulty({ 1: 'unknown', 2: 'unknown' }));
  await expect(answer).rejects.toMatchObject({
    code: 'deadline-closed',
    message: expect.stringContaining('chunk 1 of 1: 2 sectors could not be read'),
  });
});

test('bad input is told at once', async () => {
  for (const task of [{ ...batchTask([1]), replicas: null }, { ...batchTask([1]), replicas: [] }, null])
    await expect(world.ask(task)).rejects.toMatchObject({ code: 'bad-task' });
  const slave = await world.slave('a', 9);
  const answer = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  const [refused, other] = [await slave.next(), await slave.next()];
  await slave.fails(refused, 'permanent', 'bad-task: no such proof type');
  await expect(answer).rejects.toMatchObject({ code: 'bad-task', message: expect.stringContaining('no such proof') });
  expect(await slave.cancels.next()).toMatchObject({ id: other.id });
});

test('a chunk cancelled by hand ends its request, for now', async () => {
  const slave = await world.slave('a', 9);
  const answer = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  const [cancelled] = [await slave.next(), await slave.next()];
  await world.leader.cancel(cancelled.id, 'not now');
  await expect(answer).rejects.toMatchObject({ code: 'task-cancelled', message: expect.stringContaining('not now') });
  expect(await Promise.all([stateOf(1, 2), stateOf(3, 4)])).toEqual(['cancelled', 'cancelled']);
  const again = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  for (let n = 0; n < 2; n++) {
    const lease = await slave.next();
    await slave.says(lease, provenBy(lease.sectors[0] ?? 0));
  }
  expect(await again).toEqual(joined(1, 3));
});

test('a chunk that others withdrew, or whose Close they set, is submitted again', async () => {
  const slave = await world.slave('a');
  const answer = world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS });
  for (const reason of ['withdrawn: the challenge changed', 'its deadline closed']) {
    await world.leader.cancel((await slave.next()).id, reason);
  }
  await slave.says(await slave.next(), provenBy(1));
  expect(await answer).toEqual(joined(1));
});

test('what a request needs no more is left to the submitters that want it', async () => {
  const slave = await world.slave('a', 9);
  const answer = world.ask(batchTask([1, 2, 3, 4]), { closesInMs: HOUR_MS });
  const leases = [await slave.next(), await slave.next()];
  const [one, three] = leases.toSorted((x, y) => (x.sectors[0] ?? 0) - (y.sectors[0] ?? 0));
  if (one === undefined || three === undefined) throw new Error('no lease');
  world.wanted.add(three.id);
  await slave.beat(three, 'proving');
  await slave.says(one, faulty({ 1: 'bad' }));
  expect(await answer).toEqual(faulty({ 1: 'bad' }));
  expect(await stateOf(3, 4)).toBe('running');
});

test('a requester that goes away leaves the work to its end, and finds it when it comes again', async () => {
  const slave = await world.slave('a', 9);
  const gone = new AbortController();
  const answer = world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS, signal: gone.signal });
  const lease = await slave.next();
  gone.abort(new CodedError('connection-lost', 'the manager is gone'));
  await expect(answer).rejects.toMatchObject({ code: 'connection-lost' });
  expect(world.waits.watchers(lease.id)).toBe(0);
  await slave.says(lease, provenBy(1));
  expect(await world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS })).toEqual(joined(1));
});

test('after Close nothing is asked for', async () => {
  await expect(world.ask(batchTask([1, 2]), { closesInMs: -1 })).rejects.toMatchObject({ code: 'deadline-closed' });
  expect(await stateOf(1, 2)).toBe(undefined);
});

test('without a Close it is counted from the first request for the challenge', async () => {
  const before = await nowOfDatabase();
  const requests = [world.ask(batchTask([1, 2])), world.ask(batchTask([3]))];
  const closes = [await closeOf(1, 2), await closeOf(3)];
  expect(closes[1]).toBe(closes[0]);
  expect(Number(closes[0]) - before).toBeGreaterThanOrEqual(35 * MINUTE_MS);
  expect(Number(closes[0]) - (await nowOfDatabase())).toBeLessThanOrEqual(35 * MINUTE_MS);
  const slave = await world.slave('a', 9);
  for (let n = 0; n < 2; n++) {
    const lease = await slave.next();
    await slave.says(lease, provenBy(lease.sectors[0] ?? 0));
  }
  expect(await Promise.all(requests)).toEqual([joined(1), joined(3)]);
  // Long past every deadline of that challenge: somebody tries something.
  await schema.db.kysely
    .updateTable('proving_seeds')
    .set({ first_seen_at: before - 36 * MINUTE_MS })
    .execute();
  void world.ask(batchTask([5]));
  expect(Number(await closeOf(5)) - before).toBeGreaterThanOrEqual(35 * MINUTE_MS);
  const lease = await slave.next();
  await slave.says(lease, provenBy(5));
});

test('a database that is away for a while costs a pause', async () => {
  const slave = await world.slave('a', 9);
  let failures = 0;
  const away = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    let times = 0;
    return async (...args: A): Promise<T> => {
      if (times++ === 0) {
        failures++;
        throw new CodedError('database-unavailable', 'away');
      }
      return await call(...args);
    };
  };
  const { leader } = world;
  const answer = world.ask(batchTask([1, 2]), {
    closesInMs: HOUR_MS,
    leader: {
      submit: away((submission) => leader.submit(submission)),
      get: away((id) => leader.get(id)),
      cancel: (id, reason) => leader.cancel(id, reason),
    },
  });
  await slave.says(await slave.next(), provenBy(1));
  expect(await answer).toEqual(joined(1));
  expect(failures).toBe(2);
});

test('what does not verify as a whole is not answered; without a verdict it is asked again', async () => {
  const slave = await world.slave('a', 9);
  const answer = world.ask(batchTask([1, 2]), { closesInMs: HOUR_MS });
  world.verdicts.push(
    () => Promise.reject(new CodedError('prover-unavailable', 'not there')),
    async () => ({ valid: false, reason: 'swapped' }),
  );
  await slave.says(await slave.next(), provenBy(1));
  await expect(answer).rejects.toMatchObject({ code: 'invalid-proof', message: expect.stringContaining('swapped') });
});

test('a V1 request is one task', async () => {
  const slave = await world.slave('a');
  const task = { ...batchTask([1, 2, 3]), proof_type: 'StackedDrgWindow2KiBV1' };
  const answer = world.ask(task, { closesInMs: HOUR_MS });
  const lease = await slave.next();
  expect(lease.sectors).toEqual([1, 2, 3]);
  await slave.says(lease, joined(1, 3));
  expect(await answer).toEqual(joined(1, 3));
  expect(cutBatch(task).length).toBe(1);
});

async function closeOf(...sectors: number[]): Promise<number | null> {
  for (;;) {
    const view = await world.leader.get(idOf(...sectors));
    if (view !== null) return view.closeAt;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function nowOfDatabase(): Promise<number> {
  const { rows } = await schema.db.kysely.executeQuery<{ now: number }>(
    schema.db.kysely
      .selectNoFrom((of) => of.fn<number>('UNIX_TIMESTAMP', [of.fn('NOW', [of.lit(3)])]).as('now'))
      .compile(),
  );
  return Number(rows[0]?.now) * 1000;
}
