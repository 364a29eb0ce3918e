import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type PoolChildInit, ProverPool } from '../../src/ext-processor/prover-pool.ts';
import { createVerifier, type Verifier } from '../../src/ext-processor/verifier.ts';
import { ChildTasks } from '../../src/poster/child-tasks.ts';
import { canonicalTask } from '../../src/queue/window-post-task.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import { batchTask, provenBy } from '../dispatch/batch-task.ts';
import { fakeTask, prover, proverEnv } from '../ext-processor/real-prover.ts';
import { scripted } from '../ext-processor/scripted.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };
const HOUR_MS = 3_600_000;
const accepting: Pick<Verifier, 'verifyTask'> = { verifyTask: async () => ({ valid: true, reason: null }) };

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function tasksOf(pool: Pick<ProverPool, 'prove'>, verifier: Pick<Verifier, 'verifyTask'> = accepting) {
  const waiting = new Set<() => void>();
  const onFinish = (): void => {
    for (const look of waiting) look();
  };
  const tasks = new ChildTasks({ ...components, pool, verifier }, { onFinish });
  stops.push(() => tasks.close());
  const finished = (id: string): Promise<TaskView> =>
    new Promise((resolve) => {
      const look = async (): Promise<void> => {
        const view = await tasks.get(id);
        if (view !== null && view.finishedAt !== null) resolve(view);
      };
      waiting.add(look);
      void look();
    });
  return { tasks, finished };
}

function poolOf(...children: PoolChildInit[]): ProverPool {
  const pool = new ProverPool(components, { stage: 'window_post', children });
  stops.push(() => pool.close());
  return pool;
}

/** Answers as the last of these says. */
function answering(...outputs: unknown[]): Pick<ProverPool, 'prove'> {
  return {
    async prove(_, { accept, onStart }) {
      onStart?.('child');
      return await accept(outputs.shift());
    },
  };
}

test('real proofs by two children, one of which is killed at work', async () => {
  const store = await mkdtemp(join(tmpdir(), 'children-'));
  stops.push(() => rm(store, { recursive: true }));
  const task = await fakeTask(store, 4);
  const child = (weight: number, mark: string) => ({
    bin: prover,
    args: ['processor', 'window_post', '--read-timeout', mark],
    env: proverEnv,
    readyTimeoutMs: 60_000,
    concurrent: 1,
    weight,
  });
  const pool = poolOf(child(3, '71'), child(1, '72'));
  await pool.start();
  const verifier = createVerifier(components, { bin: prover, env: proverEnv });
  stops.push(() => verifier.close());
  const { tasks, finished } = tasksOf(pool, verifier);
  const work = [0, 1, 2, 3].map((seed) => ({ ...task, seed: task.seed.map((byte) => byte + seed) }));
  const views = await Promise.all(work.map((one) => tasks.submit(one, systemClock.now() + HOUR_MS)));
  process.kill(await childOfOurs('--read-timeout 71'), 'SIGKILL');
  const ended = await Promise.all(views.map(({ id }) => finished(id)));
  expect(ended.map(({ state }) => state)).toEqual(['proven', 'proven', 'proven', 'proven']);
  expect(Math.max(...ended.map(({ attempts }) => attempts))).toBe(2);
  for (const [index, one] of work.entries()) {
    const proof = Buffer.from(ended[index]?.output?.proofs[0] ?? '', 'base64');
    expect(await verifier.verifyTask(canonicalTask(one), proof)).toMatchObject({ valid: true });
  }
  // The child that was killed is back.
  expect(await childOfOurs('--read-timeout 71')).toBeGreaterThan(0);

  const [first] = task.replicas;
  await rm(first?.sealed_file ?? '');
  const { id } = await tasks.submit({ ...task, seed: task.seed.map(() => 9) }, systemClock.now() + HOUR_MS);
  expect(await finished(id)).toMatchObject({ state: 'faulted', output: { faults: [first?.sector_id] } });
}, 120_000);

test('the same work is one task; what failed is asked anew, and a restart knows nothing', async () => {
  const { tasks, finished } = tasksOf(answering('nonsense', provenBy(1)));
  const task = batchTask([2, 1]);
  const closeAt = systemClock.now() + HOUR_MS;
  const { id } = await tasks.submit(task, closeAt);
  expect(await finished(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('no output') });
  const again = await tasks.submit(batchTask([1, 2, 2]), closeAt);
  expect(again.id).toBe(id);
  const proven = await finished(id);
  expect(proven).toMatchObject({ state: 'proven', output: provenBy(1), slave: 'child', error: null });
  expect(await tasks.submit(task, closeAt)).toEqual(proven);
  expect(await tasksOf(answering()).tasks.get(id)).toBeNull();
});

test('a proof that is refused is forgotten, and made anew', async () => {
  const { tasks, finished } = tasksOf(answering(provenBy(1), provenBy(2)));
  const task = batchTask([2, 1]);
  const closeAt = systemClock.now() + HOUR_MS;
  const { id } = await tasks.submit(task, closeAt);
  const { output } = await finished(id);
  const proof = Buffer.from(output?.proofs[0] ?? '', 'base64');
  await tasks.refuse(id, Buffer.alloc(192, 9), 'another');
  expect(await tasks.get(id)).toMatchObject({ state: 'proven' });
  await tasks.refuse(id, proof, 'it does not verify');
  expect(await tasks.get(id)).toMatchObject({ state: 'failed', error: 'refused: it does not verify', output: null });
  await tasks.submit(task, closeAt);
  expect(await finished(id)).toMatchObject({ state: 'proven', output: provenBy(2) });
});

test('the files of a fault are named', async () => {
  const details = [{ sector_id: 2, class: 'bad', reason: 'corrupt' }];
  const { tasks, finished } = tasksOf(answering({ proofs: [], faults: [2], details }));
  const task = batchTask([2, 1]);
  const { id } = await tasks.submit(task, systemClock.now() + HOUR_MS);
  const { sealed_file, cache_dir } = task.replicas.find((replica) => replica.sector_id === 2) ?? {};
  expect((await finished(id)).output?.details).toEqual([{ ...details[0], sealed_file, cache_dir }]);
});

test('lists that a Go program writes as null are empty ones', async () => {
  const { tasks, finished } = tasksOf(answering({ proofs: null, faults: [2] }));
  const { id } = await tasks.submit(batchTask([1, 2]), systemClock.now() + HOUR_MS);
  expect(await finished(id)).toMatchObject({ state: 'faulted', output: { proofs: [], faults: [2] } });
});

test.each([
  ['a proof that does not hold', provenBy(1), /not valid: made up/],
  ['no proof and no fault', { proofs: [], faults: [] }, /0 proofs instead of one/],
  ['a fault of another partition', { proofs: [], faults: [77] }, /sector 77, which is not of the task/],
])('%s is a failure', async (_, output, error) => {
  const verifier = { verifyTask: async () => ({ valid: false, reason: 'made up' }) };
  const { tasks, finished } = tasksOf(answering(output), verifier);
  const { id } = await tasks.submit(batchTask([1, 2]), systemClock.now() + HOUR_MS);
  expect(await finished(id)).toMatchObject({ state: 'failed', error: expect.stringMatching(error) });
});

test('Close and a cancel end the work, and the child with it', async () => {
  const pool = poolOf({ ...scripted(), env: process.env, concurrent: 1, weight: 1 });
  await pool.start();
  const { tasks, finished } = tasksOf(pool);
  // The scripted child answers no real task.
  const late = await tasks.submit(batchTask([1, 2]), systemClock.now() + 100);
  expect(await finished(late.id)).toMatchObject({ state: 'cancelled', error: 'the deadline closed', attempts: 1 });
  const other = await tasks.submit(batchTask([3, 4]), systemClock.now() + HOUR_MS);
  await tasks.cancel(other.id, 'not needed');
  expect(await finished(other.id)).toMatchObject({ state: 'cancelled', error: 'not needed' });
});

/** The child of this process whose command line has this text, as soon as there is one. */
async function childOfOurs(text: string): Promise<number> {
  for (;;) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const [command, status] = await Promise.all(
        ['cmdline', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const isOurs = status?.includes(`PPid:\t${process.pid}\n`) && !/^State:\s*Z/m.test(status);
      if (isOurs && command?.replaceAll('\0', ' ').includes(text)) return Number(pid);
    }
    await systemClock.sleep(20);
  }
}
