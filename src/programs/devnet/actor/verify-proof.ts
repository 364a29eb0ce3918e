import type { Verifier } from '../../../ext-processor/verifier.ts';
import { idAddress } from '../../../filecoin/address.ts';
import type { Bitfield } from '../../../filecoin/bitfield.ts';
import { encodeCbor } from '../../../filecoin/cbor.ts';
import { address } from '../../../filecoin/codecs.ts';
import { proofSeed, RandomnessTag } from '../../../filecoin/randomness.ts';
import type { MinerState } from '../state/miner-state.ts';
import type { ChainRandomness } from './context.ts';

/**
 * Whether a recorded proof holds for these sectors. The actor puts a good sector in the place of each faulty one; the verifier
 * keeps each sector once, so that only the good ones count.
 */
export function verifyProof(
  components: { readonly randomness: ChainRandomness; readonly verifier: Pick<Verifier, 'verify'> },
  miner: MinerState,
  challenge: number,
  good: Bitfield,
  proof: Uint8Array,
): Promise<{ readonly valid: boolean; readonly reason: string | null }> {
  const entropy = encodeCbor(address, idAddress(miner.id));
  const sectors = [...good].flatMap((number) => miner.sectors.get(number) ?? []);
  return components.verifier.verify({
    minerId: miner.id,
    proofType: miner.proofType.name,
    seed: proofSeed(components.randomness.beacon(RandomnessTag.WindowedPoStChallengeSeed, challenge, entropy)),
    sectors: sectors.map(({ number, commR }) => ({ sectorId: number, commR })),
    proof,
  });
}
