import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { test as baseTest, expect, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { runWinningLine } from '../../src/programs/master/winning-line.ts';
import { createWinningProver } from '../../src/winning/winning-prover.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };
const node = Array<number>(32).fill(1);
const task = (sector: number) => ({
  miner_id: 1000,
  proof_type: 'StackedDrgWinning2KiBV1',
  replicas: [{ sector_id: sector, comm_r: node, cache_dir: '/a/cache', sealed_file: '/a/sealed' }],
  seed: node,
});

/** Proves sector 1 at once, 3 when the test says so with a file, and no other; a proof is its own arguments and how many tasks came before. */
const SCRIPT = `#!${process.execPath}
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
process.stdout.write('winning_post processor ready\\n');
let before = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, task } = JSON.parse(line);
  const [{ sector_id: sector }] = task.replicas;
  writeFileSync(process.argv[1] + '.began' + before, '');
  while (sector === 3 && !existsSync(process.argv[1] + '.' + before)) await sleep(5);
  const proof = Buffer.from(process.argv.slice(2).join(' ') + ' ' + before++).toString('base64');
  if (sector !== 2)
    process.stdout.write(JSON.stringify({ id, err_msg: null, output: { proofs: [proof] } }) + '\\n');
}
`;

const test = baseTest.extend<{ env: NodeJS.ProcessEnv }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from a pattern
  env: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'wdpost-winning-'));
    const WDPOST_PROVER = join(folder, 'prover.mjs');
    await writeFile(WDPOST_PROVER, SCRIPT);
    await chmod(WDPOST_PROVER, 0o755);
    await use({ ...process.env, WDPOST_PROVER });
    await rm(folder, { recursive: true });
  },
});

function said(proofs: readonly string[]): string[] {
  return proofs.map((proof) => Buffer.from(proof, 'base64').toString());
}

test('one process is kept for all proofs, warmed up where that is wanted', async ({ env }) => {
  const prover = createWinningProver(components, { env, warmUp: true });
  onTestFinished(() => prover.close());
  const { signal } = new AbortController();
  expect(said((await prover.prove(task(1), signal)).proofs)).toEqual(['processor winning_post --warmup 0']);
  expect(said((await prover.prove(task(1), signal)).proofs)).toEqual(['processor winning_post --warmup 1']);
});

test('a task that is none is refused by the name of its field', async ({ env }) => {
  const prover = createWinningProver(components, { env });
  onTestFinished(() => prover.close());
  const { signal } = new AbortController();
  const refused = (wrong: object, message: string) =>
    expect(prover.prove({ ...task(1), ...wrong }, signal)).rejects.toMatchObject({ code: 'bad-task', message });
  await refused({ proof_type: 'StackedDrgWindow2KiBV1_2' }, 'task.proof_type: is not a winning PoSt proof type');
  await refused({ replicas: null }, expect.stringContaining('task.replicas: '));
  await refused({ seed: [1] }, expect.stringContaining('task.seed: '));
});

test('a prover that takes too long is replaced', async ({ env }) => {
  const clock = new ManualClock();
  const prover = createWinningProver({ clock, logger: silentLogger }, { env });
  onTestFinished(() => prover.close());
  const { signal } = new AbortController();
  await vi.waitUntil(() => prover.isReady, { timeout: 10_000 });
  const late = prover.prove(task(2), signal);
  clock.advance(25_000);
  await expect(late).rejects.toMatchObject({ code: 'time-limit' });
  // The first task of another process.
  expect(said((await prover.prove(task(1), signal)).proofs)).toEqual(['processor winning_post 0']);
});

test('of several the oldest are first, and one that can no longer be in time is given up at once', async ({ env }) => {
  const clock = new ManualClock();
  const ours = { bin: env.WDPOST_PROVER ?? '', args: [], env, readyTimeoutMs: 60_000, concurrent: 1, weight: 1 };
  const prover = createWinningProver({ clock, logger: silentLogger }, { children: [ours] });
  onTestFinished(() => prover.close());
  const { signal } = new AbortController();
  await vi.waitUntil(() => prover.isReady, { timeout: 10_000 });
  const ended: string[] = [];
  const prove = async (name: string, leftMs: number): Promise<void> => {
    const end = await prover.prove(task(3), signal, leftMs).then(
      ({ proofs }) => said(proofs)[0]?.trim(),
      (error: Error) => error.message,
    );
    ended.push(`${name}: ${end}`);
  };
  const all = [prove('first', 25_000), prove('young', 24_000), prove('old', 12_000), prove('older', 11_000)];
  const began = (proof: number): Promise<unknown> =>
    vi.waitUntil(() => existsSync(`${env.WDPOST_PROVER}.began${proof}`), { timeout: 10_000 });
  const goOn = async (afterMs: number, done: number): Promise<void> => {
    await began(done);
    clock.advance(afterMs);
    await writeFile(`${env.WDPOST_PROVER}.${done}`, '');
    await vi.waitUntil(() => ended.some((end) => end.endsWith(`: ${done}`)), { timeout: 10_000 });
  };
  // Each takes 5 s: the first leaves 7 s and 6 s to the old ones, the second is over when too little is left of the third.
  await goOn(5_000, 0);
  await began(1);
  clock.advance(2_000);
  expect(ended).toHaveLength(1);
  await vi.waitUntil(() => ended.length === 2, { timeout: 10_000 });
  expect(ended[1]).toBe('old: others were made first, and the quickest proof takes 5000 ms');
  await goOn(3_000, 1);
  await goOn(5_000, 2);
  await Promise.all(all);
  expect(ended.map((end) => end.split(':')[0])).toEqual(['first', 'old', 'older', 'young']);
});

test('as the child of a manager it is ready at once and answers line by line until the input ends', async ({ env }) => {
  vi.stubEnv('WDPOST_PROVER', env.WDPOST_PROVER);
  onTestFinished(() => void vi.unstubAllEnvs());
  const input = new PassThrough();
  const output = new PassThrough();
  const lines = new EventQueue<string>();
  createInterface({ input: output }).on('line', (line) => lines.push(line));
  const { signal } = new AbortController();
  const running = runWinningLine(components, { signal, input, output });
  expect(await lines.next()).toBe('winning_post processor ready');
  input.write(`${JSON.stringify({ id: 1, task: task(1) })}\n`);
  const { id, err_msg, output: answer } = JSON.parse(await lines.next());
  expect({ id, err_msg, proofs: said(answer.proofs) }).toEqual({
    id: 1,
    err_msg: null,
    proofs: ['processor winning_post --warmup 0'],
  });
  input.write(`${JSON.stringify({ id: 2, task: { ...task(1), proof_type: 'Other' } })}\n`);
  expect(JSON.parse(await lines.next())).toEqual({
    id: 2,
    err_msg: 'task.proof_type: is not a winning PoSt proof type',
    output: null,
  });
  input.end();
  await running;
});
