import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverProcess } from '../../src/ext-processor/prover-process.ts';
import { createVerifier, type VerifyInput } from '../../src/ext-processor/verifier.ts';
import type { WindowPostOutput } from '../../src/rpc/window-post.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { fakeTask, prover, proverEnv } from './real-prover.ts';

const components = { clock: systemClock, logger: createLogger('test', { LOG_LEVEL: 'silent' }) };
const nothing: VerifyInput = {
  minerId: 1000,
  proofType: 'StackedDrgWindow2KiBV1_2',
  seed: new Uint8Array(32),
  sectors: [],
  proof: new Uint8Array(192),
};

test('a real proof is valid, a changed one is not', async () => {
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

  const verifier = createVerifier(components, { bin: prover, env: proverEnv });
  onTestFinished(() => verifier.close());
  const input: VerifyInput = {
    minerId: task.miner_id,
    proofType: task.proof_type,
    seed: Uint8Array.from(task.seed),
    sectors: task.replicas.map(({ sector_id, comm_r }) => ({ sectorId: sector_id, commR: Uint8Array.from(comm_r) })),
    proof: Buffer.from(output.proofs[0] ?? '', 'base64'),
  };
  await expect(verifier.verify(input)).resolves.toEqual({ valid: true, reason: null });
  const body = Buffer.from(JSON.stringify(task, undefined, 1));
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
