import type { Verifier } from '../../../ext-processor/verifier.ts';
import type { RandomnessTag } from '../../../filecoin/randomness.ts';
import type { MinerState } from '../state/miner-state.ts';

/** Randomness as a message sees it: of the chain below the block that it stands in. */
export interface ChainRandomness {
  beacon(tag: RandomnessTag, epoch: number, entropy: Uint8Array): Uint8Array;
  ticket(tag: RandomnessTag, epoch: number, entropy: Uint8Array): Uint8Array;
}

/** What a method of the miner actor may look at beside its own state and parameters. */
export interface ActorContext {
  readonly epoch: number;
  /** Actor id of the sender. */
  readonly caller: number;
  /** CID of the message. */
  readonly message: string;
  readonly randomness: ChainRandomness;
  readonly verifier: Pick<Verifier, 'verify'>;
}

/** A proof that the message itself verified, since sectors recover with it. */
export interface VerifiedPost {
  readonly deadline: number;
  readonly partitions: readonly number[];
  readonly sectors: number;
}

export interface ActorResult {
  readonly miner: MinerState;
  readonly verified?: VerifiedPost;
}
