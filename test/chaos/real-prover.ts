import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { MakeTask } from './tasks.ts';

const MINER = 1000;
const SECTORS = 2;

/**
 * The built prover and its parameters (bin/setup makes them), and tasks over real sectors of 2 KiB: each asks with another seed.
 * The parameters are a copy: provers lock the file while they read it, and one that we stop would stop others of this machine.
 */
export async function realProver(): Promise<{
  bin: string;
  parameters: string;
  makeTask: MakeTask;
  remove(): Promise<void>;
}> {
  const store = await mkdtemp(join(tmpdir(), 'chaos-store-'));
  const parameters = join(store, 'parameters');
  await cp(join(homedir(), '.cache', 'wdpost-cluster', 'params'), parameters, { recursive: true });
  const size = ['--size', '2KiB', '--count', `${SECTORS}`, '--no-links'];
  const args = ['sectors', 'fake', '--miner', `${MINER}`, ...size, '--out', join(store, 'sectors')];
  const { stdout } = await promisify(execFile)(resolve('dist/bin/prover-tools'), args);
  const replicas = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { sector_id: number; comm_r: string })
    .map(({ sector_id, comm_r }) => ({
      sector_id,
      comm_r: [...Buffer.from(comm_r, 'hex')],
      cache_dir: join(store, 'sectors', 'cache', `s-t0${MINER}-${sector_id}`),
      sealed_file: join(store, 'sectors', 'sealed', `s-t0${MINER}-${sector_id}`),
    }));
  return {
    bin: resolve('dist/bin/window-post-prover'),
    parameters,
    makeTask: (_, seed) => ({ miner_id: MINER, proof_type: 'StackedDrgWindow2KiBV1_2', replicas, seed }),
    remove: () => rm(store, { recursive: true, force: true }),
  };
}
