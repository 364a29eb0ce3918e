import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { audit } from './audit.ts';
import type { Daemon } from './daemon.ts';
import { DatabaseServer } from './database-server.ts';
import { type Effect, monotonicNow } from './effects.ts';
import { readRows } from './facts.ts';
import { scriptedTask, submitterTasks } from './tasks.ts';
import { HEARTBEAT_TIMEOUT_MS, World } from './world.ts';

const LIMIT_MS = 20_000;
/** What is promised beside the time of a lease. */
const PROMPTLY_MS = 2_000;
/** No task is slow enough for a second attempt. */
const PATIENT = { timeout: '1m' };

let database: DatabaseServer;
let world: World;
let seed = 1_000_000;
beforeAll(async () => {
  database = await DatabaseServer.start();
});
afterAll(() => database.stop());
afterEach(({ task }) => world.stop(task.result?.state === 'fail'));

async function makeWorld(
  masters: number,
  slaves: number,
  more: { heartbeatTimeoutMs?: number; timeout?: string } = {},
): Promise<[Daemon, Daemon]> {
  world = await World.make({ database, masters, slaves, ...more });
  const [first, second = first] = world.masters;
  if (first === undefined || second === undefined) throw new Error('a world without masters');
  return [first, second];
}

/** Resolves when the slaves are ready, and a master answers. */
async function startAll(): Promise<void> {
  world.start();
  await audit(world);
  await world.untilReady();
  await world.submit([]);
  await next(0, { what: 'probe' });
}

/** Tasks that the prover works on for so long, submitted now; their ids. */
async function submit(...plans: { steps: string[]; closeAfterMs?: number }[]): Promise<[string, ...string[]]> {
  const planned = plans.map((plan) => ({ minerId: 1000, submitAtMs: 0, closeAfterMs: null, ...plan }));
  const tasks = submitterTasks(seed++, planned, scriptedTask);
  await world.submit(tasks);
  const [first, ...others] = tasks.map(({ id }) => id);
  if (first === undefined) throw new Error('nothing to submit');
  return [first, ...others];
}

/** The first such effect after a moment. */
async function next(after: number, wanted: Partial<Effect>): Promise<Effect> {
  const found = await world.until(LIMIT_MS, (effects) =>
    effects.find(
      (effect) =>
        (effect.asked ?? effect.at) > after &&
        Object.entries(wanted).every(([key, value]) => effect[key as keyof Effect] === value),
    ),
  );
  if (found === undefined) throw new Error(`no ${JSON.stringify(wanted)} within ${LIMIT_MS} ms; see ${world.home}`);
  return found;
}

async function outcomes(): Promise<string[]> {
  const { attempts } = await readRows(world);
  return attempts.map(({ slave, outcome }) => `${slave} ${outcome}`);
}

it('a killed slave: its task runs elsewhere within two seconds, however long a lease is', async () => {
  await makeWorld(1, 2, { heartbeatTimeoutMs: 10_000 });
  await startAll();
  const [work] = await submit({ steps: ['5000', '100'] });
  const first = await next(0, { what: 'start', work });
  const killedAt = monotonicNow();
  await world.slaves.find(({ name }) => name === first.who)?.end('SIGKILL');
  const second = await next(killedAt, { what: 'start', work });
  expect(second.who).not.toBe(first.who);
  expect(second.at - killedAt).toBeLessThan(PROMPTLY_MS);
  await next(0, { what: 'answer', work, state: 'proven' });
});

it.each(['stopped', 'half-open'] as const)(
  'a slave that is %s: its task runs elsewhere within a lease and two seconds, and what it brings later is refused',
  async (how) => {
    await makeWorld(1, 2);
    await startAll();
    const [work] = await submit({ steps: ['2000', '100'] });
    const first = await next(0, { what: 'start', work });
    const slave = world.slaves.find(({ name }) => name === first.who);
    const silentAt = monotonicNow();
    if (how === 'stopped') slave?.signal('SIGSTOP');
    else world.setLinks(first.who, 'half-open');
    const second = await next(silentAt, { what: 'start', work });
    expect(second.who).not.toBe(first.who);
    expect(second.at - silentAt).toBeLessThan(HEARTBEAT_TIMEOUT_MS + PROMPTLY_MS);
    const answer = await next(0, { what: 'answer', work, state: 'proven' });
    await next(0, { what: 'proof', run: first.run ?? '' });
    slave?.signal('SIGCONT');
    world.setLinks(first.who, 'open');
    // It is back when it is given work again.
    const more = await submit({ steps: ['300'] }, { steps: ['300'] });
    for (const other of more) await next(0, { what: 'answer', work: other, state: 'proven' });
    const { attempts, tasks, rewrites } = await readRows(world);
    expect(attempts.filter((attempt) => attempt.work === work)).toMatchObject([
      { attempt: 1, slave: first.who, outcome: 'lost' },
      { attempt: 2, slave: second.who, outcome: 'proven' },
    ]);
    const proof = await next(0, { what: 'proof', run: second.run ?? '' });
    expect(answer.proof).toBe(proof.proof);
    expect(tasks.filter((task) => !task.isFinished)).toEqual([]);
    expect(rewrites).toEqual([]);
  },
);

it('a master that is killed and started again: the slaves go on, and nothing is proven again', async () => {
  const [master] = await makeWorld(1, 2, PATIENT);
  await startAll();
  const works = await submit({ steps: ['1500'] }, { steps: ['200'] });
  for (const work of works) await next(0, { what: 'start', work });
  await master.end('SIGKILL');
  master.start();
  for (const work of works) await next(0, { what: 'answer', work, state: 'proven' });
  expect((await world.effects()).filter(({ what }) => what === 'start')).toHaveLength(2);
  expect((await outcomes()).toSorted()).toEqual(['slave-1 proven', 'slave-2 proven']);
});

it('Close: whatever is done for the task ends within two seconds, and its slot takes the next one', async () => {
  await makeWorld(1, 1);
  await startAll();
  const closeAfterMs = 2_500;
  const closeAt = monotonicNow() + closeAfterMs;
  const [work, waiting] = await submit({ steps: ['20000'], closeAfterMs }, { steps: ['50'] });
  await next(0, { what: 'start', work });
  await next(0, { what: 'answer', work, state: 'cancelled' });
  const after = await next(0, { what: 'start', work: waiting ?? '' });
  expect(after.at).toBeLessThan(closeAt + PROMPTLY_MS);
  const last = (await world.effects()).findLast((effect) => effect.work === work && effect.what === 'working');
  expect(last?.at).toBeLessThan(closeAt + PROMPTLY_MS);
});

it.each([
  ['SIGKILL', 10_000],
  ['SIGTERM', 3_000],
] as const)(
  'a leader that is ended by %s: another leads within %i ms, and nothing is proven again',
  async (signal, limitMs) => {
    const [leader, standby] = await makeWorld(2, 2, PATIENT);
    leader.start();
    const works = await submit({ steps: ['1000'] }, { steps: ['3000'] });
    await next(0, { what: 'probe' });
    standby.start();
    for (const slave of world.slaves) slave.start();
    for (const work of works) await next(0, { what: 'start', work });
    await next(0, { what: 'ready', who: standby.name });
    const endedAt = monotonicNow();
    await leader.end(signal);
    const served = await next(endedAt, { what: 'probe' });
    expect(served.at - endedAt).toBeLessThan(limitMs);
    for (const work of works) await next(0, { what: 'answer', work, state: 'proven' });
    expect((await world.effects()).filter(({ what }) => what === 'start')).toHaveLength(2);
  },
);
