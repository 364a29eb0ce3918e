import type { Chain } from '../chain/chain.ts';
import type { TipSetKey } from '../chain/tipset.ts';
import { type Address, idAddress } from '../filecoin/address.ts';
import { encodeCbor } from '../filecoin/cbor.ts';
import { address as addressCodec } from '../filecoin/codecs.ts';
import { RandomnessTag } from '../filecoin/randomness.ts';

/** The challenge randomness of a deadline as this head's chain has it: 32 bytes, not masked. */
export function challengeRandomness(
  chain: Chain,
  miner: Address | number,
  challenge: number,
  head: TipSetKey,
): Promise<Uint8Array> {
  const address = typeof miner === 'number' ? idAddress(miner) : miner;
  return chain.beaconRandomness(
    RandomnessTag.WindowedPoStChallengeSeed,
    challenge,
    encodeCbor(addressCodec, address),
    head,
  );
}
