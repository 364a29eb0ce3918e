import { sameAddress } from '../filecoin/address.ts';
import { decodeCbor } from '../filecoin/cbor.ts';
import type { Message } from '../filecoin/message.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../filecoin/miner-params.ts';
import type { HandedMessage, IntendedMessage } from './outbox-message.ts';

/** What a message that was sent has to do with an intended one: its twin, a part of the same work, or nothing. */
export type Likeness = 'same' | 'overlapping' | 'other';

/**
 * Proofs are made anew after a loss of the database, so two window PoSts are the same when they post the same partitions for the
 * same challenge. Everything else is the same when its params are.
 */
export function likeness(intended: IntendedMessage | HandedMessage, sent: Message): Likeness {
  if (sent.method !== intended.method || !sameAddress(sent.to, intended.recipient)) return 'other';
  if (Buffer.from(sent.params).equals(intended.params)) return 'same';
  if (intended.method !== MinerMethod.SubmitWindowedPoSt) return 'other';
  const [ours, theirs] = [posted(intended.params), posted(sent.params)];
  if (ours === undefined || theirs === undefined || ours.deadline !== theirs.deadline) return 'other';
  const common = ours.partitions.filter((index) => theirs.partitions.includes(index)).length;
  if (common === 0) return 'other';
  return common === ours.partitions.length && common === theirs.partitions.length ? 'same' : 'overlapping';
}

function posted(params: Uint8Array): { readonly deadline: string; readonly partitions: readonly number[] } | undefined {
  try {
    const { deadline, partitions, chainCommitEpoch } = decodeCbor(submitWindowedPoStParams, params);
    return { deadline: `${deadline}/${chainCommitEpoch}`, partitions: partitions.map(({ index }) => index) };
  } catch {
    return undefined;
  }
}
