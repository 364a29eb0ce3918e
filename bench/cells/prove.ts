import { Cluster } from '../cluster.ts';
import { LineChild } from '../line-child.ts';
import { realProver } from '../paths.ts';
import type { Measurement } from '../records.ts';
import { fakeSectors } from '../sectors.ts';
import type { Servers } from '../servers.ts';
import { Stage } from '../stage.ts';

const SECTORS = 2;

/** A real proof of a partition of two 8 MiB sectors, by the prover alone and through master and slave, in turn, parameters warm. */
export async function prove(
  servers: Servers,
  init: { readonly times: number; readonly parameters: string },
): Promise<Measurement[]> {
  const env = { FIL_PROOFS_PARAMETER_CACHE: init.parameters, FORCE_SECTOR_SIZE: '8MiB', WDPOST_PROVER: realProver };
  const stage = await Stage.open('sectors');
  const alone = new LineChild(realProver, ['processor', 'window_post', '--progress'], env);
  try {
    const makeTask = await fakeSectors(stage.dir, '8MiB', SECTORS);
    const cluster = await Cluster.open(servers, { slaves: 1, env, slaveEnv: () => env });
    const all: Measurement[] = [];
    try {
      for (let round = 0; round < init.times; round++) {
        const { tookMs: aloneMs } = await alone.prove(makeTask(stage.dir, 2 * round));
        const clusterMs = await cluster.prove(makeTask(stage.dir, 2 * round + 1));
        const values = { aloneMs, clusterMs, ratio: clusterMs / aloneMs };
        all.push({ cell: 'prove', variant: '8MiB', system: 'wdpost', round, values });
      }
    } finally {
      await cluster.close();
    }
    return all;
  } finally {
    alone.close();
    await stage.close();
  }
}
