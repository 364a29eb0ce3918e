import { formatAddress } from '../../../../filecoin/address.ts';
import { signedMessageCid } from '../../../../filecoin/message.ts';
import { findAccount } from '../../chain/apply-message.ts';
import type { Node } from '../../node.ts';
import { signatureJson, signedMessageJson } from '../json.ts';
import { keyAddressAt } from '../lookups.ts';
import { method } from '../method.ts';
import { address, bytes, message } from '../params.ts';
import type { Methods } from '../protocol.ts';

export function walletMethods({ chain, wallet }: Node): Methods {
  return {
    'Filecoin.WalletHas': method('write', [address], (wanted) => wallet.has(wanted)),
    'Filecoin.WalletList': method('write', [], () => wallet.addresses().map((known) => formatAddress(known))),
    'Filecoin.WalletDefaultAddress': method('write', [], () => formatAddress(wallet.defaultAddress)),
    'Filecoin.WalletBalance': method('read', [address], (wanted) =>
      (findAccount(chain.head.applied, wanted)?.balance ?? 0n).toString(),
    ),
    'Filecoin.WalletSign': method('sign', [address, bytes], (signer, data) =>
      signatureJson(wallet.sign(keyAddressAt(chain.head, signer), data)),
    ),
    'Filecoin.WalletSignMessage': method('sign', [address, message], (signer, unsigned) => {
      const signed = wallet.signMessage(keyAddressAt(chain.head, signer), unsigned);
      return signedMessageJson({ cid: signedMessageCid(signed).toString(), signed });
    }),
  };
}
