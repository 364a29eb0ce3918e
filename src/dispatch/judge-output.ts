import type { Verifier } from '../ext-processor/verifier.ts';
import { decodeTask } from '../queue/window-post-task.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';

/**
 * Why an answer cannot be the result of its task; null when it can. A proof is verified here, before it is stored; the task's JSON
 * is only read where faults are named.
 * @throws CodedError of the verifier, when there is no verdict
 */
export async function judgeOutput(
  verifier: Pick<Verifier, 'verifyTask'>,
  body: Uint8Array,
  output: WindowPostOutput,
): Promise<string | null> {
  if (output.faults.length > 0) {
    const sectors = new Set(decodeTask(body).replicas.map((replica) => replica.sector_id));
    const stranger = output.faults.find((sector) => !sectors.has(sector));
    return stranger === undefined ? null : `faults name sector ${stranger}, which is not of the task`;
  }
  const [proof] = output.proofs;
  if (proof === undefined || output.proofs.length > 1) return `${output.proofs.length} proofs instead of one`;
  const { valid, reason } = await verifier.verifyTask(body, Buffer.from(proof, 'base64'));
  return valid ? null : `the proof is not valid: ${reason ?? 'no reason given'}`;
}
