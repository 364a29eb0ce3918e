import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Replica, WindowPostTask } from '../src/rpc/window-post.ts';
import { proverTools } from './paths.ts';

const run = promisify(execFile);
const MINER = 1000;

interface FakeSector {
  readonly sector_id: number;
  /** Hexadecimal. */
  readonly comm_r: string;
}

/** Provable sectors of any size, numbered from `first`; a task for each challenge seed. `store` is where the prover finds them. */
export async function fakeSectors(
  folder: string,
  size: '8MiB' | '32GiB',
  count: number,
  first = 0,
): Promise<(store: string, seed: number) => WindowPostTask> {
  const args = [
    'sectors',
    'fake',
    '--miner',
    MINER,
    '--size',
    size,
    '--count',
    count,
    '--first',
    first,
    '--out',
    folder,
  ];
  const { stdout } = await run(proverTools, args.map(String), { maxBuffer: 64 << 20 });
  const sectors = stdout
    .trim()
    .split('\n')
    .map((line): FakeSector => JSON.parse(line));
  return (store, seed) => ({
    miner_id: MINER,
    proof_type: `StackedDrgWindow${size}V1_2`,
    replicas: sectors.map((sector) => replica(sector, store)),
    seed: Array.from({ length: 32 }, (_, index) => (seed * 31 + index * 7) % 64),
  });
}

function replica({ sector_id, comm_r }: FakeSector, store: string): Replica {
  const name = `s-t0${MINER}-${sector_id}`;
  return {
    sector_id,
    comm_r: [...Buffer.from(comm_r, 'hex')],
    cache_dir: join(store, 'cache', name),
    sealed_file: join(store, 'sealed', name),
  };
}
