import { createHash } from 'node:crypto';
import type { WindowPostTask } from '../src/rpc/window-post.ts';

/** Sizes of bodies: 4 KB, and the real shape of a full 32 GiB partition with the paths of a large store. */
export const bodies = {
  '4KB': { replicas: 17, store: '/mnt/s1' },
  '700KB': { replicas: 2_349, store: '/mnt/nfs/storage-pool-03/persist-store-0017' },
} as const;
export type Body = keyof typeof bodies;

const NUMBER_BYTES = 4;

/** Tasks of one partition that differ in their seeds, as the same sectors do from day to day. The seed holds the task's number. */
export function taskMaker(body: Body): (number: number) => WindowPostTask {
  const { replicas: count, store } = bodies[body];
  const replicas = Array.from({ length: count }, (_, index) => {
    const sector = 100_000 + index * 7;
    return {
      sector_id: sector,
      comm_r: bytesOf(`comm_r ${sector}`),
      cache_dir: `${store}/cache/s-t01000-${sector}`,
      sealed_file: `${store}/sealed/s-t01000-${sector}`,
    };
  });
  return (number) => {
    const seed = Buffer.alloc(NUMBER_BYTES);
    seed.writeUInt32BE(number);
    return {
      miner_id: 1000,
      proof_type: 'StackedDrgWindow32GiBV1_2',
      replicas,
      seed: [...seed, ...bytesOf(`seed ${number}`).slice(NUMBER_BYTES)],
    };
  };
}

export function numberOf(task: WindowPostTask): number {
  return Buffer.from(task.seed.slice(0, NUMBER_BYTES)).readUInt32BE();
}

function bytesOf(text: string): number[] {
  return [...createHash('sha256').update(text).digest()];
}
