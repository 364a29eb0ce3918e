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

/** Proves sector 1 at once and no other; a proof is its own arguments and how many tasks came before. */
const SCRIPT = `#!${process.execPath}
import { createInterface } from 'node:readline';
process.stdout.write('winning_post processor ready\\n');
let before = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, task } = JSON.parse(line);
  const proof = Buffer.from(process.argv.slice(2).join(' ') + ' ' + before++).toString('base64');
  if (task.replicas[0].sector_id === 1)
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
