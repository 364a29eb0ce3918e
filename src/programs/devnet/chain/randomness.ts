import { CodedError } from '../../../errors/coded-error.ts';
import { drawRandomness } from '../../../filecoin/randomness.ts';
import type { ChainRandomness } from '../actor/context.ts';
import { smallestTicket, type TipSet } from './tipset.ts';
import type { TipSetStore } from './tipset-store.ts';

/** Randomness of the chain that ends with `tipSet`; throws `future-randomness` for an epoch above it. */
export function randomnessOf(store: TipSetStore, tipSet: TipSet): ChainRandomness {
  const notAbove = (epoch: number): void => {
    if (epoch > tipSet.height) throw new CodedError('future-randomness', 'cannot draw randomness from the future');
  };
  return {
    beacon(tag, epoch, entropy) {
      notAbove(epoch);
      // An epoch without a tipset has its entry in the next one.
      const entries = store.atOrAbove(epoch, tipSet).blocks[0]?.beaconEntries ?? [];
      const entry = entries.find(({ round }) => round === epoch) ?? entries[0];
      return drawRandomness(entry?.data ?? new Uint8Array(), tag, epoch, entropy);
    },
    ticket(tag, epoch, entropy) {
      notAbove(epoch);
      return drawRandomness(smallestTicket(store.atOrBelow(epoch, tipSet)), tag, epoch, entropy);
    },
  };
}
