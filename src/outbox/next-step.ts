import type { Message } from '../filecoin/message.ts';
import type { Landing } from './look-up.ts';
import { exitText } from './node-answers.ts';
import type { IntendedMessage, SignedOutboxMessage } from './outbox-message.ts';
import { withHigherFees } from './replacement.ts';
import { isWithdrawal, withdrawalOf } from './withdrawal.ts';

/** Epochs in the pool after which a message is replaced by one with higher fees, at most and at least. */
const STUCK_EPOCHS = 10;
const STUCK_EPOCHS_LEAST = 2;
/** A message with little time left is replaced so often, as long as its nonce is the next one. */
const TRIES_IN_TIME_LEFT = 5;

/** What is known about a signed message beside its row; absent where it was not asked at this head. */
export interface MessageFacts {
  /** Of the head. */
  readonly height: number;
  /** Whether fees may be what it waits for: it is the next nonce of its signer, or offers less than the next one or the base fee. */
  readonly waitsForFees: boolean;
  /** Whether a window PoSt of the same signer waits behind a message of less weight. */
  readonly isInTheWay?: boolean;
  readonly push?: 'accepted' | 'refused' | 'nonce-too-low';
  /** On the chain of this head, in any of its versions. */
  readonly lookup?: Landing | null;
  /** Whether it was made for a chain that is not the head's. */
  readonly isStale?: boolean;
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
  readonly state: 'landed' | 'failed' | 'expired';
  readonly error: string | null;
  readonly landing?: Landing;
}

/** Whether a message without a nonce is not worth one any more: the earliest tipset that can hold it is the one after the head. */
export function isWorthless({ expiresEpoch }: Pick<IntendedMessage, 'expiresEpoch'>, height: number): boolean {
  return expiresEpoch !== null && height + 1 >= expiresEpoch;
}

/** What to do next about a signed message. Each step is harmless when it is repeated after a crash. */
export function nextStep(message: SignedOutboxMessage, facts: MessageFacts): Step {
  // A crash may have come between the push and its record, so the pool or the chain may have it: the push will tell.
  if (message.state === 'signed' && facts.push === undefined && !isToWithdraw(message, facts)) return { do: 'push' };
  if (facts.push === 'accepted') return { do: 'wait' };
  const { lookup } = facts;
  if (lookup === undefined) return { do: 'look-up' };
  if (lookup !== null) {
    return facts.height - lookup.height < message.confidence ? { do: 'wait' } : { do: 'finish', as: endingOf(lookup) };
  }
  if (facts.push === 'nonce-too-low') {
    if (facts.nonceTaken === undefined) return { do: 'check-nonce' };
    if (!facts.nonceTaken) return { do: 'wait' };
    return { do: 'finish', as: { state: 'failed', error: foreignNonce(message.signer, message.nonce) } };
  }
  const successor = successorOf(message, facts);
  if (successor !== undefined) return { do: 'replace', message: successor };
  return facts.push === undefined ? { do: 'push' } : { do: 'wait' };
}

/** Whether it is so long in the pool that its fees should be raised. */
export function isStuck(
  { expiresEpoch, signedHeight }: Pick<SignedOutboxMessage, 'expiresEpoch' | 'signedHeight'>,
  { waitsForFees, height }: Pick<MessageFacts, 'waitsForFees' | 'height'>,
): boolean {
  // What is late already, a withdrawal, is in no hurry.
  const isLate = expiresEpoch === null || signedHeight >= expiresEpoch;
  const timeLeft = isLate ? Number.POSITIVE_INFINITY : expiresEpoch - signedHeight;
  const patience = Math.max(STUCK_EPOCHS_LEAST, Math.min(STUCK_EPOCHS, Math.floor(timeLeft / TRIES_IN_TIME_LEFT)));
  return waitsForFees && height - signedHeight >= patience;
}

/** A message that can only fail still has its nonce, for which all later ones wait. */
function isToWithdraw({ expiresEpoch, signed }: SignedOutboxMessage, { height, isStale }: MessageFacts): boolean {
  const isLate = expiresEpoch !== null && height >= expiresEpoch;
  return (isLate || isStale === true) && !isWithdrawal(signed.message);
}

function successorOf(message: SignedOutboxMessage, facts: MessageFacts): Message | undefined {
  const { signed, maxFee } = message;
  if (isToWithdraw(message, facts)) {
    const withdrawal = withHigherFees(withdrawalOf(signed.message), maxFee);
    if (withdrawal !== undefined) return withdrawal;
  }
  if (!isStuck(message, facts)) return undefined;
  const dearer = withHigherFees(signed.message, maxFee);
  if (dearer !== undefined || facts.isInTheWay !== true || isWithdrawal(signed.message)) return dearer;
  // A transfer needs so much less gas that the same budget outbids any base fee.
  return withHigherFees(withdrawalOf(signed.message), maxFee);
}

export function endingOf(landing: Landing): Ending {
  const { exitCode } = landing;
  if (landing.isWithdrawal) return { state: 'expired', error: 'withdrawn: it had not landed in time', landing };
  return exitCode === 0
    ? { state: 'landed', error: null, landing }
    : { state: 'failed', error: exitText(exitCode), landing };
}

function foreignNonce(signer: string, nonce: number): string {
  return `nonce ${nonce} of ${signer} was used by a message that is not ours; this sender must be used by this cluster alone`;
}
