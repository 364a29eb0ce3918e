import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';

/** The built prover (bin/setup makes it and its 2 KiB parameters). */
export const prover = proverBinary();

export const proverEnv = {
  ...process.env,
  FIL_PROOFS_PARAMETER_CACHE:
    process.env.FIL_PROOFS_PARAMETER_CACHE ?? join(homedir(), '.cache', 'wdpost-cluster', 'params'),
};

/** A task over freshly made 2 KiB sectors below `store`. */
export async function fakeTask(store: string, count: number): Promise<WindowPostTask> {
  const tools = join(dirname(prover), 'prover-tools');
  const size = ['--size', '2KiB', '--count', `${count}`, '--no-links'];
  const { stdout } = await promisify(execFile)(tools, ['sectors', 'fake', '--miner', '1000', ...size, '--out', store]);
  const sectors = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { sector_id: number; comm_r: string });
  return {
    miner_id: 1000,
    proof_type: 'StackedDrgWindow2KiBV1_2',
    replicas: sectors.map(({ sector_id, comm_r }) => ({
      sector_id,
      comm_r: [...Buffer.from(comm_r, 'hex')],
      cache_dir: join(store, 'cache', `s-t01000-${sector_id}`),
      sealed_file: join(store, 'sealed', `s-t01000-${sector_id}`),
    })),
    seed: Array.from({ length: 32 }, (_, index) => index),
  };
}
