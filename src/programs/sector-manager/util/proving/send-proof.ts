import { randomUUID } from 'node:crypto';
import type { MessageLookup } from '../../../../chain/message-lookup.ts';
import type { TipSet } from '../../../../chain/tipset.ts';
import { CodedError, errorCode, errorText } from '../../../../errors/coded-error.ts';
import { encodeCbor } from '../../../../filecoin/cbor.ts';
import { type Message, type SignedMessage, signedMessageCid } from '../../../../filecoin/message.ts';
import { MinerMethod } from '../../../../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../../../../filecoin/miner-params.ts';
import { RandomnessTag } from '../../../../filecoin/randomness.ts';
import type { Logger } from '../../../../telemetry/logger.ts';
import { throwIfProven } from './already-proven.ts';
import type { PartitionScope } from './partition-scope.ts';
import type { MadeProof } from './proof-file.ts';
import type { Sender } from './sender.ts';

/** The open epoch itself may still be undone. */
const AFTER_OPEN_EPOCHS = 1;
const LOOKBACK_EPOCHS = 100;

export interface SentProof {
  readonly cid: string;
  readonly landed: MessageLookup;
}

/**
 * Waits for Open, has the node give the nonce, sign and push the proof, and waits until it is on the chain. What the node leaves
 * unanswered or refuses is tried again with each head until Close.
 * @throws CodedError `too-late` with the last refusal, `already-proven`, `not-landed`
 */
export async function sendProof(
  { logger }: { readonly logger: Logger },
  scope: PartitionScope,
  proof: MadeProof,
  sender: Sender,
  signal: AbortSignal,
): Promise<SentProof> {
  const { chain, deadline } = scope;
  // The node knows by it a message that it has pushed already, though its answer was lost.
  const uuid = randomUUID();
  let pushed: SignedMessage | undefined;
  let refusal: unknown;
  for await (const changes of chain.heads(signal)) {
    const head = changes.findLast((change) => change.type !== 'revert')?.tipSet;
    if (head === undefined) continue;
    if (pushed === undefined) {
      if (head.height >= deadline.close) {
        const last = refusal === undefined ? '' : ` (${errorText(refusal)})`;
        const text = `deadline ${deadline.index} closed at epoch ${deadline.close}; nothing was sent${last}`;
        throw new CodedError('too-late', text);
      }
      if (head.height < deadline.open + AFTER_OPEN_EPOCHS) continue;
      try {
        pushed = await push(scope, proof, { sender, uuid }, head);
      } catch (error) {
        refusal = error;
        logger.warn(
          { err: error, height: head.height },
          'the proof could not be sent, trying again with the next head',
        );
        await throwIfProven(scope, head).catch((err: unknown) => {
          if (errorCode(err) === 'already-proven') throw err;
        });
      }
      continue;
    }
    const cid = signedMessageCid(pushed);
    // A node that cannot say it now can with the next head.
    const search = chain.searchMessage(cid, { lookback: LOOKBACK_EPOCHS, allowReplaced: true });
    const landed = await search.catch(() => null);
    if (landed !== null) return { cid: landed.cid.toString(), landed };
    // What was in a block before Close is executed one tipset later.
    if (head.height > deadline.close + 1) {
      const text = `the message ${cid} did not land before the deadline closed at epoch ${deadline.close}`;
      throw new CodedError('not-landed', text);
    }
  }
  signal.throwIfAborted();
  throw new CodedError('not-landed', 'the chain node sends no heads any more');
}

async function push(
  { chain, address, deadline, partition, proofType }: PartitionScope,
  proof: MadeProof,
  { sender, uuid }: { readonly sender: Sender; readonly uuid: string },
  head: TipSet,
): Promise<SignedMessage> {
  const { challenge } = deadline;
  const chainCommitRand = await chain.ticketRandomness(RandomnessTag.PoStChainCommit, challenge, null, head.key);
  const params = encodeCbor(submitWindowedPoStParams, {
    deadline: deadline.index,
    partitions: [{ index: partition, skipped: proof.skipped }],
    proofs: [{ poStProof: proofType, proofBytes: proof.bytes }],
    chainCommitEpoch: challenge,
    chainCommitRand,
  });
  const message: Message = {
    version: 0,
    to: address,
    from: await chain.accountKey(sender.address, head.key),
    nonce: 0,
    value: 0n,
    gasLimit: 0,
    gasFeeCap: 0n,
    gasPremium: 0n,
    method: MinerMethod.SubmitWindowedPoSt,
    params,
  };
  return await chain.pushUnsigned(message, { uuid, maxFee: sender.settings.maxFee });
}
