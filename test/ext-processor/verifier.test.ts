import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverProcess } from '../../src/ext-processor/prover-process.ts';
import { createVerifier, type VerifyInput } from '../../src/ext-processor/verifier.ts';
import type { WindowPostOutput } from '../../src/rpc/window-post.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { EventQueue } from '../support/event-queue.ts';
import { fakeTask, prover, proverEnv } from './real-prover.ts';

const components = { clock: systemClock, logger: createLogger('test', { LOG_LEVEL: 'silent' }) };
const nothing: VerifyInput = {
  minerId: 1000,
  proofType: 'StackedDrgWindow2KiBV1_2',
  seed: new Uint8Array(32),
  sectors: [],
  proof: new Uint8Array(192),
};

/** A proof that was made, and what it proves. */
async function realProof(): Promise<{ input: VerifyInput; body: Buffer }> {
  const store = await mkdtemp(join(tmpdir(), 'verifier-'));
  onTestFinished(() => rm(store, { recursive: true }));
  const task = await fakeTask(store, 2);
  const args = ['processor', 'window_post'];
  const proving = new ProverProcess(components, {
    bin: prover,
    args,
    stage: 'window_post',
    env: proverEnv,
    readyTimeoutMs: 20_000,
  });
  onTestFinished(() => proving.kill());
  await proving.start();
  const output = await proving.request<WindowPostOutput>(task);
  expect(output.faults).toEqual([]);
  const input: VerifyInput = {
    minerId: task.miner_id,
    proofType: task.proof_type,
    seed: Uint8Array.from(task.seed),
    sectors: task.replicas.map(({ sector_id, comm_r }) => ({ sectorId: sector_id, commR: Uint8Array.from(comm_r) })),
    proof: Buffer.from(output.proofs[0] ?? '', 'base64'),
  };
  return { input, body: Buffer.from(JSON.stringify(task, undefined, 1)) };
}

test('a real proof is valid, a changed one is not', async () => {
  const { input, body } = await realProof();
  const verifier = createVerifier(components, { bin: prover, env: proverEnv });
  onTestFinished(() => verifier.close());
  await expect(verifier.verify(input)).resolves.toEqual({ valid: true, reason: null });
  await expect(verifier.verifyTask(body, input.proof)).resolves.toEqual({ valid: true, reason: null });
  await expect(verifier.verifyTask(body, new Uint8Array(192))).resolves.toMatchObject({ valid: false });
  await expect(verifier.verifyTask(Buffer.from('{"miner_id":1'), input.proof)).rejects.toMatchObject({
    code: 'prover-failed',
  });
  const otherSeed = { ...input, seed: new Uint8Array(32) };
  await expect(verifier.verify(otherSeed)).resolves.toMatchObject({ valid: false, reason: expect.any(String) });
  const cut = { ...input, proof: input.proof.subarray(1) };
  await expect(verifier.verify(cut)).resolves.toMatchObject({ valid: false, reason: expect.any(String) });
});

test('a .vk that was mended counts at once, for all who ask', async () => {
  const { input } = await realProof();
  const good = proverEnv.FIL_PROOFS_PARAMETER_CACHE;
  const folder = await mkdtemp(join(tmpdir(), 'verifier-vk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = (await readdir(good)).filter((file) => file.endsWith('.vk'));
  for (const file of files) await writeFile(join(folder, file), changed(await readFile(join(good, file))));
  const env = { ...proverEnv, FIL_PROOFS_PARAMETER_CACHE: folder };
  const started = new EventQueue<number>();
  const logger = Object.assign(Object.create(components.logger), {
    info: (data: { proverPid: number }, message: string) => message === 'prover: ready' && started.push(data.proverPid),
  });
  const verifier = createVerifier({ clock: systemClock, logger }, { bin: prover, env });
  onTestFinished(() => verifier.close());
  await expect(verifier.verify(input)).resolves.toMatchObject({ valid: false });
  expect(started.size).toBe(2);
  for (const file of files) await copyFile(join(good, file), join(folder, file));
  const wrong = { ...input, seed: new Uint8Array(32) };
  const verdicts = await Promise.all([input, wrong, input, wrong, input].map((one) => verifier.verify(one)));
  expect(verdicts.map(({ valid }) => valid)).toEqual([true, false, true, false, true]);
  expect(started.size).toBe(3);
  // What holds is asked of no other child.
  await verifier.verify(input);
  expect(started.size).toBe(3);
});

/** A key whose first two points of the inputs are exchanged: of the right form, and wrong. */
function changed(vk: Buffer): Buffer {
  const at = 3 * 96 + 3 * 192 + 4;
  return Buffer.concat([
    vk.subarray(0, at),
    vk.subarray(at + 96, at + 192),
    vk.subarray(at, at + 96),
    vk.subarray(at + 192),
  ]);
}

test('without a prover there is no verdict, and the error says why', async () => {
  const verifier = createVerifier(components, { bin: '/nonexistent/prover', limitMs: 50 });
  onTestFinished(() => verifier.close());
  await expect(verifier.verify(nothing)).rejects.toMatchObject({
    code: 'prover-unavailable',
    message: expect.stringContaining('/nonexistent/prover cannot be started'),
  });
});

test('a verifier that hangs is replaced, and the caller hears of it', async () => {
  const started: number[] = [];
  const logger = Object.assign(Object.create(components.logger), {
    info: (data: { proverPid: number }, message: string) => message === 'prover: ready' && started.push(data.proverPid),
  });
  const verifier = createVerifier({ clock: systemClock, logger }, { bin: prover, env: proverEnv, limitMs: 2_000 });
  onTestFinished(() => verifier.close());
  const stopped = await vi.waitUntil(() => started[0], { timeout: 20_000 });
  process.kill(stopped, 'SIGSTOP');
  await expect(verifier.verify(nothing)).rejects.toMatchObject({ code: 'time-limit' });
  await vi.waitUntil(() => started.length > 1, { timeout: 20_000 });
  // An answer of the new one: there is nothing to verify.
  await expect(verifier.verify(nothing)).rejects.toMatchObject({ code: 'prover-failed' });
});
