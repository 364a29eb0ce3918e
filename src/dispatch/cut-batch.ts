import { CodedError } from '../errors/coded-error.ts';
import { chunkUnion } from '../filecoin/partitions.ts';
import { windowProofType } from '../queue/window-post-task.ts';
import type { Replica, WindowPostTask } from '../rpc/window-post.ts';

/**
 * Cuts a request over several partitions into tasks that may be proven alone, in the order in which their proofs join: full
 * chunks of the sorted union of its sectors, as the chain's verifier sees them. A V1 proof draws the challenges of a sector from
 * its place in the whole set, so that such a request stays one task, whatever its size.
 *
 * Expects a task that `parseTask` accepted. A sector that is named again counts once (the requester puts a good sector in the
 * place of each one that it skips).
 * @throws CodedError `bad-task` where the same sector is given with different comm_r
 */
export function cutBatch(task: WindowPostTask): WindowPostTask[] {
  const replicas = uniqueReplicas(task);
  const type = windowProofType(task.proof_type);
  const provenAlone = type?.name.endsWith('V1_2') === true;
  return chunkUnion(replicas.keys(), provenAlone ? type.partitionSectors : replicas.size).map((sectors) => ({
    ...task,
    replicas: sectors.flatMap((sector) => replicas.get(sector) ?? []),
  }));
}

function uniqueReplicas(task: WindowPostTask): Map<number, Replica> {
  const replicas = new Map<number, Replica>();
  for (const replica of task.replicas) {
    const known = replicas.get(replica.sector_id);
    if (known === undefined) replicas.set(replica.sector_id, replica);
    else if (known.comm_r.some((byte, index) => byte !== replica.comm_r[index])) {
      const sector = `sector ${replica.sector_id} of miner ${task.miner_id}`;
      throw new CodedError('bad-task', `the task's replicas: ${sector} is there twice, with different comm_r`);
    }
  }
  return replicas;
}
