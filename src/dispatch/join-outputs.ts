import { CodedError } from '../errors/coded-error.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';

/** Of each partition. */
const PROOF_BYTES = 192;

/**
 * One output with one proof out of those of the chunks, in the order of `cutBatch`: proofs of V1_2 chunks, each made alone, put
 * one after the other are the proof of their union. Whether they are is for the verifier to say.
 * @throws CodedError `bad-output` where a chunk's output is not one proof of whole partitions
 */
export function joinOutputs(outputs: readonly WindowPostOutput[]): WindowPostOutput {
  const proofs = outputs.map(({ proofs: [proof, ...others] }, index) => {
    const bytes = Buffer.from(proof ?? '', 'base64');
    if (others.length > 0 || bytes.length === 0 || bytes.length % PROOF_BYTES !== 0) {
      throw new CodedError(
        'bad-output',
        `chunk ${index + 1} of ${outputs.length} has no proof of ${PROOF_BYTES} bytes`,
      );
    }
    return bytes;
  });
  return { proofs: [Buffer.concat(proofs).toString('base64')], faults: [] };
}
