import { randomUUID } from 'node:crypto';
import type { MessageLookup } from '../../../../chain/message-lookup.ts';
import type { TipSet } from '../../../../chain/tipset.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import type { Bitfield } from '../../../../filecoin/bitfield.ts';
import { encodeCbor } from '../../../../filecoin/cbor.ts';
import { type Message, type SignedMessage, signedMessageCid } from '../../../../filecoin/message.ts';
import { MinerMethod } from '../../../../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../../../../filecoin/miner-params.ts';
import { RandomnessTag } from '../../../../filecoin/randomness.ts';
import type { PartitionScope } from './partition-scope.ts';
import type { Sender } from './sender.ts';

/** The open epoch itself may still be undone. */
const AFTER_OPEN_EPOCHS = 1;
const LOOKBACK_EPOCHS = 100;

export interface SentProof {
  readonly cid: string;
  readonly landed: MessageLookup;
}

/**
 * Waits for Open, has the node give the nonce, sign and push the proof, and waits until it is on the chain.
 * @throws CodedError `too-late`, `chain-error` where the chain would not execute it, `not-landed`
 */
export async function sendProof(
  scope: PartitionScope,
  proof: { readonly bytes: Uint8Array; readonly skipped: Bitfield },
  sender: Sender,
  signal: AbortSignal,
): Promise<SentProof> {
  const { chain, deadline } = scope;
  let pushed: SignedMessage | undefined;
  for await (const changes of chain.heads(signal)) {
    const head = changes.findLast((change) => change.type !== 'revert')?.tipSet;
    if (head === undefined) continue;
    if (pushed === undefined) {
      if (head.height >= deadline.close) {
        const text = `deadline ${deadline.index} closed at epoch ${deadline.close}; nothing was sent`;
        throw new CodedError('too-late', text);
      }
      if (head.height >= deadline.open + AFTER_OPEN_EPOCHS) pushed = await push(scope, proof, sender, head);
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
  proof: { readonly bytes: Uint8Array; readonly skipped: Bitfield },
  sender: Sender,
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
  return await chain.pushUnsigned(message, { uuid: randomUUID(), maxFee: sender.settings.maxFee });
}
