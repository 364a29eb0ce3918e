import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverPool } from '../../src/ext-processor/prover-pool.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { ChildTasks } from '../../src/poster/child-tasks.ts';
import { prover, proverEnv } from '../ext-processor/real-prover.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };
const [child = '', requests = '', answers = ''] = [
  '../ext-processor/replay-child.mjs',
  'data/damocles-requests.jsonl',
  'data/damocles-answers.jsonl',
].map((path) => fileURLToPath(new URL(path, import.meta.url)));

// Recorded with the window_post processor of damocles-worker 0.13.1 (crate vc-processors, filecoin-proofs 18.1.0) as [[WdPost]] of the
// manager, over sectors of 2 KiB: two sectors; three, one of them named twice; three of which one is corrupt; one that is gone.
test('what a damocles child answered is understood, and its proofs hold', async () => {
  const pool = new ProverPool(components, {
    stage: 'window_post',
    children: [
      {
        bin: process.execPath,
        args: [child, requests, answers],
        env: process.env,
        readyTimeoutMs: 20_000,
        concurrent: 1,
        weight: 1,
      },
    ],
  });
  onTestFinished(() => pool.close());
  const verifier = createVerifier(components, { bin: prover, env: proverEnv });
  onTestFinished(() => verifier.close());
  const ends = new EventQueue<void>();
  const tasks = new ChildTasks({ ...components, pool, verifier }, { onFinish: () => ends.push() });
  await pool.start();
  const said = [];
  for (const line of (await readFile(requests, 'utf8')).trim().split('\n')) {
    const { id } = await tasks.submit(JSON.parse(line).task, systemClock.now() + 1_800_000);
    await ends.next();
    const view = await tasks.get(id);
    said.push({ state: view?.state, faults: view?.output?.faults, error: view?.error });
  }
  expect(said).toEqual([
    { state: 'proven', faults: [], error: null },
    { state: 'proven', faults: [], error: null },
    { state: 'faulted', faults: [1], error: null },
    { state: 'failed', faults: undefined, error: 'Sealed replica does not exist' },
  ]);
});
