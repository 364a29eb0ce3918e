import { type Message, type SignedMessage, signedMessageCid } from '../../../../filecoin/message.ts';
import type { ChainMessage } from '../../chain/tipset.ts';
import type { Node } from '../../node.ts';
import { isSignedBySender } from '../../wallet.ts';
import { estimateGas } from '../estimate.ts';
import { cidJson, signedMessageJson } from '../json.ts';
import { accountAt, tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { address, message, type SendSpec, sendSpec, signedMessage, tipSetKey } from '../params.ts';
import type { Methods } from '../protocol.ts';
import { RpcCode, rpcError } from '../rpc-error.ts';

export function mpoolMethods({ chain, wallet }: Node): Methods {
  const byUuid = new Map<string, ChainMessage>();
  let turn: Promise<unknown> = Promise.resolve();

  const push = (signed: SignedMessage): ChainMessage => {
    const sender = accountAt(chain.head, signed.message.from);
    if (!isSignedBySender(signed, sender.key)) {
      throw rpcError(RpcCode.plain, `${signed.signature.type} signature verification failed: signature did not match`);
    }
    const pushed = { cid: signedMessageCid(signed).toString(), signed };
    chain.push(pushed);
    return pushed;
  };

  const assign = async (unsigned: Message, spec: SendSpec): Promise<ChainMessage> => {
    const known = spec.uuid === null ? undefined : byUuid.get(spec.uuid);
    if (known !== undefined) return known;
    if (unsigned.nonce !== 0)
      throw rpcError(RpcCode.plain, `MpoolPushMessage expects message nonce to be 0, was ${unsigned.nonce}`);
    const estimated = await estimateGas(chain, chain.head, unsigned, spec).catch((error: unknown) => {
      throw rpcError(
        RpcCode.plain,
        `GasEstimateMessageGas error: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const sender = accountAt(chain.head, unsigned.from);
    const nonce = chain.pool.nextNonce(sender);
    const pushed = push(wallet.signMessage(sender.key, { ...estimated, from: sender.key, nonce }));
    if (spec.uuid !== null) byUuid.set(spec.uuid, pushed);
    return pushed;
  };

  return {
    'Filecoin.MpoolPending': method('read', [tipSetKey], (key) => {
      tipSetAt(chain, key);
      return chain.pool.pending().map((pending) => signedMessageJson(pending, pending.isRestored ? null : ''));
    }),
    'Filecoin.MpoolGetNonce': method('read', [address], (sender) =>
      chain.pool.nextNonce(accountAt(chain.head, sender)),
    ),
    'Filecoin.MpoolPush': method('write', [signedMessage], (signed) => cidJson(push(signed).cid)),
    'Filecoin.MpoolPushMessage': method('sign', [message, sendSpec], async (unsigned, spec) => {
      // One at a time, so that no two messages get the same nonce.
      const pushed = turn.then(() => assign(unsigned, spec));
      turn = pushed.catch(() => undefined);
      return signedMessageJson(await pushed);
    }),
  };
}
