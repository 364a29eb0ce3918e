import { CodedError } from '../../../../errors/coded-error.ts';
import { type Address, formatAddress } from '../../../../filecoin/address.ts';
import type { ChainRandomness } from '../../actor/context.ts';
import { findAccount, findMiner } from '../../chain/apply-message.ts';
import type { TipSet } from '../../chain/tipset.ts';
import type { Node } from '../../node.ts';
import { base64, placeholderCid } from '../json.ts';
import { keyAddressAt, tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { address, bytes, epoch, randomnessTag, tipSetKey } from '../params.ts';
import type { Methods } from '../protocol.ts';
import { RpcCode, rpcError } from '../rpc-error.ts';

/** The first version whose rules for window PoSt this chain follows, as a node of today names it. */
const NETWORK_VERSION = 28;

/** Randomness tags are numbers that need not be known to be hashed. */
type Draw = (randomness: ChainRandomness) => Uint8Array;

export function stateMethods({ chain, networkName }: Node): Methods {
  const draw = (kind: 'beacon' | 'chain', tipSet: TipSet, take: Draw): string => {
    try {
      return base64(take(chain.randomness(tipSet)));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      throw rpcError(RpcCode.plain, `getting ${kind} randomness: ${error.message}`);
    }
  };
  return {
    'Filecoin.StateNetworkName': method('read', [], () => networkName),
    'Filecoin.StateNetworkVersion': method('read', [tipSetKey], (key) => {
      tipSetAt(chain, key);
      return NETWORK_VERSION;
    }),
    'Filecoin.StateLookupID': method('read', [address, tipSetKey], (wanted, key) => {
      const tipSet = tipSetAt(chain, key);
      const id = findAccount(tipSet.state, wanted)?.id ?? findMiner(tipSet.state, wanted)?.id;
      if (id === undefined) throw rpcError(RpcCode.actorNotFound, 'actor not found');
      return `t0${id}`;
    }),
    'Filecoin.StateAccountKey': method('read', [address, tipSetKey], (wanted, key) =>
      formatAddress(keyAddressAt(tipSetAt(chain, key), wanted)),
    ),
    'Filecoin.StateGetActor': method('read', [address, tipSetKey], (wanted, key) =>
      actorJson(tipSetAt(chain, key), wanted),
    ),
    'Filecoin.StateListMiners': method('read', [tipSetKey], (key) =>
      [...tipSetAt(chain, key).state.miners.keys()].map((id) => `t0${id}`),
    ),
    'Filecoin.StateGetRandomnessFromBeacon': method(
      'read',
      [randomnessTag, epoch, bytes, tipSetKey],
      (tag, height, entropy, key) => draw('beacon', tipSetAt(chain, key), (from) => from.beacon(tag, height, entropy)),
    ),
    'Filecoin.StateGetRandomnessFromTickets': method(
      'read',
      [randomnessTag, epoch, bytes, tipSetKey],
      (tag, height, entropy, key) => {
        // Unlike everywhere else, no key is not the head.
        if (key.length === 0)
          throw rpcError(RpcCode.plain, 'loading tipset key: NewTipSet called with zero length array of blocks');
        return draw('chain', tipSetAt(chain, key), (from) => from.ticket(tag, height, entropy));
      },
    ),
  };
}

function actorJson(tipSet: TipSet, wanted: Address): unknown {
  const account = findAccount(tipSet.state, wanted);
  const miner = findMiner(tipSet.state, wanted);
  // Only StateLookupID has a code of its own for this.
  if (account === undefined && miner === undefined) throw rpcError(RpcCode.plain, 'actor not found');
  return {
    Code: placeholderCid(miner === undefined ? 'account' : 'miner'),
    Head: placeholderCid(`actor/${formatAddress(wanted)}/${tipSet.key.join()}`),
    Nonce: account?.nonce ?? 0,
    Balance: (account?.balance ?? 0n).toString(),
    DelegatedAddress: null,
  };
}
