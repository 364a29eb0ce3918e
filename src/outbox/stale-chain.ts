import type { TipSet } from '../chain/tipset.ts';
import { decodeCbor } from '../filecoin/cbor.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../filecoin/miner-params.ts';
import { RandomnessTag } from '../filecoin/randomness.ts';
import type { OutboxComponents } from './components.ts';
import type { OpenMessage } from './outbox-message.ts';

/**
 * Whether a window PoSt was made for a chain that is not the one of this head: the chain commitment in it is another one now, so
 * the challenge may be, too, and the chain refuses it.
 */
export async function isOfStaleChain(
  { chain }: Pick<OutboxComponents, 'chain'>,
  message: OpenMessage,
  head: TipSet,
): Promise<boolean> {
  const commitment = commitmentOf(message);
  if (commitment === undefined) return false;
  const { epoch, randomness } = commitment;
  const now = await chain.ticketRandomness(RandomnessTag.PoStChainCommit, epoch, null, head.key);
  return !Buffer.from(now).equals(randomness);
}

function commitmentOf({ method, params }: OpenMessage) {
  if (method !== MinerMethod.SubmitWindowedPoSt) return undefined;
  try {
    const { chainCommitEpoch, chainCommitRand } = decodeCbor(submitWindowedPoStParams, params);
    return { epoch: chainCommitEpoch, randomness: chainCommitRand };
  } catch {
    return undefined;
  }
}
