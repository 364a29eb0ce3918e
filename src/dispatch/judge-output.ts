import type { Verifier } from '../ext-processor/verifier.ts';
import type { WindowPostOutput, WindowPostTask } from '../rpc/window-post.ts';

/**
 * Why an answer cannot be the result of its task; null when it can. A proof is verified here, before it is stored.
 * @throws CodedError of the verifier, when there is no verdict
 */
export async function judgeOutput(
  verifier: Pick<Verifier, 'verify'>,
  task: WindowPostTask,
  output: WindowPostOutput,
): Promise<string | null> {
  if (output.faults.length > 0) {
    const sectors = new Set(task.replicas.map((replica) => replica.sector_id));
    const stranger = output.faults.find((sector) => !sectors.has(sector));
    return stranger === undefined ? null : `faults name sector ${stranger}, which is not of the task`;
  }
  const [proof] = output.proofs;
  if (proof === undefined || output.proofs.length > 1) return `${output.proofs.length} proofs instead of one`;
  const { valid, reason } = await verifier.verify({
    minerId: task.miner_id,
    proofType: task.proof_type,
    seed: Uint8Array.from(task.seed),
    sectors: task.replicas.map((replica) => ({
      sectorId: replica.sector_id,
      commR: Uint8Array.from(replica.comm_r),
    })),
    proof: Buffer.from(proof, 'base64'),
  });
  return valid ? null : `the proof is not valid: ${reason ?? 'no reason given'}`;
}
