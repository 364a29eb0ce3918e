import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkEnvironment, variables } from '../../src/programs/slave/environment.ts';
import { environmentPage } from '../../src/programs/slave/environment-page.ts';
import { proverEnvironment } from '../../src/programs/slave/prover-environment.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { silentLogger } from '../support/silent-logger.ts';

const root = new URL('../../', import.meta.url).pathname;

// `npm run config-docs` writes this file anew.
test('docs/environment.md is up to date', async () => {
  await expect(environmentPage()).toMatchFileSnapshot(`${root}docs/environment.md`);
});

test("the seed's start line is taken", () => {
  checkEnvironment({
    FORCE_SECTOR_SIZE: '34359738368',
    BELLMAN_LOAD_SHM: '1',
    BELLMAN_GPU_INDEXS: '1',
    CUDA_VISIBLE_DEVICES: '1',
    RUST_LOG: 'trace',
  });
});

test.each([
  ['FORCE_SECTOR_SIZE', ['2048', '32GiB', ''], ['32GB', '34359738369', 'x']],
  [
    'CUDA_VISIBLE_DEVICES',
    ['0', '0,1', '-1', '', 'GPU-8932f937-d72c', 'MIG-GPU-8932/1/2'],
    ['all', '0;1', '0,,1', 'gpu0'],
  ],
  ['BELLMAN_GPU_INDEXS', ['0', '0,1'], ['first']],
  ['BELLMAN_LOAD_SHM', ['0', '1'], ['yes', 'true']],
  ['FIL_PROOFS_PARAMETER_CACHE', [tmpdir()], ['params', '/nonexistent/params', '/etc/hostname']],
  ['TMPDIR', [tmpdir()], ['/nonexistent', '/etc/hostname', 'tmp']],
  ['WDPOST_LOCK_DIR', ['/run/wdpost'], ['locks']],
  ['WDPOST_PROVER', [process.execPath], ['/nonexistent', '/etc/passwd', tmpdir()]],
  ['BELLMAN_NO_GPU', ['0', '1'], ['false']],
  ['EC_GPU_FRAMEWORK', ['cuda', 'opencl'], ['CUDA']],
  ['BELLPERSON_GPUS_PER_LOCK', ['0', '1'], ['-1', 'all']],
  ['BELLMAN_CPU_UTILIZATION', ['0', '0.5', '1', '1.0'], ['1.5', '50%', '-0']],
  ['RAYON_NUM_THREADS', ['8'], ['0', '1.5', 'max']],
  ['FIL_PROOFS_WINDOW_POST_SYNTHESIS_NUM_CPUS', ['4'], ['0', 'four']],
  ['FIL_PROOFS_VERIFY_PRODUCTION_PARAMS', ['1', 'true'], ['yes']],
] as [string, string[], string[]][])('%s', (name, good, bad) => {
  for (const value of good) expect(() => checkEnvironment({ [name]: value }), value).not.toThrow();
  for (const value of bad) {
    expect(() => checkEnvironment({ [name]: value }), value).toThrow(`${name}=${value}: write `);
  }
});

test('every variable that is checked has a case above', () => {
  expect(variables.filter(({ isGood }) => isGood !== undefined)).toHaveLength(15);
});

test('BELLMAN_GPU_INDEXS chooses the GPU where CUDA_VISIBLE_DEVICES does not', () => {
  const components = { logger: silentLogger };
  expect(proverEnvironment(components, { BELLMAN_GPU_INDEXS: '2' })).toMatchObject({ CUDA_VISIBLE_DEVICES: '2' });
  const both = { BELLMAN_GPU_INDEXS: '0', CUDA_VISIBLE_DEVICES: '2' };
  expect(proverEnvironment(components, both)).toMatchObject({ CUDA_VISIBLE_DEVICES: '2' });
});

test('an empty variable is not set for the provers either', () => {
  const components = { logger: silentLogger };
  const empty = { FORCE_SECTOR_SIZE: '', CUDA_VISIBLE_DEVICES: '', BELLMAN_GPU_INDEXS: '1', OF_OTHERS: '' };
  expect(proverEnvironment(components, empty)).toEqual({
    CUDA_VISIBLE_DEVICES: '1',
    BELLMAN_GPU_INDEXS: '1',
    OF_OTHERS: '',
  });
});

test.each([
  [{ CUDA_VISIBLE_DEVICES: '-1' }, 1],
  [{ BELLMAN_GPU_INDEXS: 'NoDevFiles' }, 1],
  [{ CUDA_VISIBLE_DEVICES: '-1', BELLMAN_NO_GPU: '1' }, 0],
  [{ CUDA_VISIBLE_DEVICES: '0' }, 0],
])('%j: GPUs that are all hidden are warned of %d times', (env, times) => {
  const warn = vi.fn();
  proverEnvironment({ logger: { ...silentLogger, warn } as unknown as Logger }, env);
  expect(warn).toHaveBeenCalledTimes(times);
});

test('BELLMAN_LOAD_SHM=1 uses a copy in shared memory that is whole, and else the files as they are', async () => {
  const sharedMemory = await mkdtemp(join(tmpdir(), 'shm-'));
  onTestFinished(() => rm(sharedMemory, { recursive: true }));
  const env = { BELLMAN_LOAD_SHM: '1', FORCE_SECTOR_SIZE: '2048', FIL_PROOFS_PARAMETER_CACHE: tmpdir() };
  const chosen = (changes: NodeJS.ProcessEnv = {}) =>
    proverEnvironment({ logger: silentLogger }, { ...env, ...changes }, { sharedMemory }).FIL_PROOFS_PARAMETER_CACHE;
  const directory = join(sharedMemory, 'filecoin-proof-parameters', '2KiB');
  expect(chosen()).toBe(tmpdir());
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'v28-x.params.17'), '');
  expect(chosen()).toBe(tmpdir());
  await writeFile(join(directory, 'v28-x.params'), '');
  expect(chosen()).toBe(directory);
  expect(chosen({ BELLMAN_LOAD_SHM: '0' })).toBe(tmpdir());
  expect(chosen({ FORCE_SECTOR_SIZE: '' })).toBe(tmpdir());
});
