import { expect, it } from 'vitest';
import { taskFact } from '../../src/poster/task-fact.ts';
import type { TaskView } from '../../src/rpc/methods.ts';

const view: TaskView = {
  id: 'a',
  state: 'faulted',
  closeAt: null,
  retryCount: 0,
  attempts: 1,
  slave: 'gpu-1',
  phase: null,
  done: 0,
  total: 0,
  createdAt: 0,
  startedAt: 1_000,
  finishedAt: 9_000,
  output: { proofs: [], faults: [4, 5], details: [{ sector_id: 5, class: 'bad', reason: 'corrupt' }] },
  error: null,
};

it('takes a fault for bad only where the prover says so', () => {
  expect(taskFact(view)).toEqual({
    state: 'faulted',
    faults: [
      { sector: 4, class: 'unknown', reason: 'unreadable' },
      { sector: 5, class: 'bad', reason: 'corrupt' },
    ],
  });
});

it('says which copy was read, where the master does', () => {
  const files = { sealed_file: '/a/s5', cache_dir: '/a/c5' };
  const output = { proofs: [], faults: [5], details: [{ sector_id: 5, class: 'bad' as const, reason: 'x', ...files }] };
  expect(taskFact({ ...view, output })).toMatchObject({
    faults: [{ sector: 5, copy: { number: 5, sealedFile: '/a/s5', cacheDir: '/a/c5' } }],
  });
});

it('says how long a proof took', () => {
  const output = { proofs: [Buffer.alloc(192, 3).toString('base64')], faults: [] };
  expect(taskFact({ ...view, state: 'proven', output })).toEqual({
    state: 'proven',
    proof: Buffer.alloc(192, 3),
    tookMs: 8_000,
  });
});

it('is a failure where the master lost it, or has no proof', () => {
  expect(taskFact(null).state).toBe('failed');
  expect(taskFact({ ...view, state: 'proven' }).state).toBe('failed');
});
