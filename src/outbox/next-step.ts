import type { MessageLookup } from '../chain/message-lookup.ts';
import type { Message } from '../filecoin/message.ts';
import type { IntendedMessage, SignedOutboxMessage } from './outbox-message.ts';
import { withHigherFees } from './replacement.ts';

/** Epochs in the pool after which a message is replaced by one with higher fees. */
const STUCK_EPOCHS = 10;

/** What is known about a signed message beside its row; absent where it was not asked at this head. */
export interface MessageFacts {
  /** Of the head. */
  readonly height: number;
  /** Whether no message of the same signer with a lower nonce is open. */
  readonly firstInLine: boolean;
  readonly push?: 'accepted' | 'refused' | 'nonce-too-low';
  /** On the chain of this head, in any of its versions. */
  readonly lookup?: MessageLookup | null;
  /** Whether the chain, `confidence` epochs back, has a message of this nonce already. */
  readonly nonceTaken?: boolean;
}

export type Step =
  | { readonly do: 'push' }
  | { readonly do: 'look-up' }
  | { readonly do: 'check-nonce' }
  /** Sign and store this one in its place. */
  | { readonly do: 'replace'; readonly message: Message }
  | { readonly do: 'finish'; readonly as: Ending }
  /** Until the next head. */
  | { readonly do: 'wait' };

export interface Ending {
  readonly state: 'landed' | 'failed';
  readonly error: string | null;
  readonly landing?: MessageLookup;
}

/** Whether a message without a nonce is not worth one any more: the earliest tipset that can hold it is the one after the head. */
export function isWorthless({ expiresEpoch }: IntendedMessage, height: number): boolean {
  return expiresEpoch !== null && height + 1 >= expiresEpoch;
}

/** What to do next about a signed message. Each step is harmless when it is repeated after a crash. */
export function nextStep(message: SignedOutboxMessage, facts: MessageFacts): Step {
  // A crash may have come between the push and its record, so the pool or the chain may have it: the push will tell.
  if (message.state === 'signed' && facts.push === undefined) return { do: 'push' };
  if (facts.push === 'accepted') return { do: 'wait' };
  const { lookup } = facts;
  if (lookup === undefined) return { do: 'look-up' };
  if (lookup !== null) {
    if (facts.height - lookup.height < message.confidence) return { do: 'wait' };
    const { exitCode } = lookup;
    return exitCode === 0 ? finish('landed', null, lookup) : finish('failed', `exit code ${exitCode}`, lookup);
  }
  if (facts.push === 'nonce-too-low') {
    if (facts.nonceTaken === undefined) return { do: 'check-nonce' };
    return facts.nonceTaken ? finish('failed', foreignNonce(message.signer, message.nonce)) : { do: 'wait' };
  }
  if (facts.firstInLine && facts.height - message.signedHeight >= STUCK_EPOCHS) {
    const replacement = withHigherFees(message.signed.message, message.maxFee);
    if (replacement !== undefined) return { do: 'replace', message: replacement };
  }
  return facts.push === undefined ? { do: 'push' } : { do: 'wait' };
}

function finish(state: Ending['state'], error: string | null, landing?: MessageLookup): Step {
  return { do: 'finish', as: { state, error, ...(landing && { landing }) } };
}

function foreignNonce(signer: string, nonce: number): string {
  return `nonce ${nonce} of ${signer} was used by a message that is not ours; this sender must be used by this cluster alone`;
}
