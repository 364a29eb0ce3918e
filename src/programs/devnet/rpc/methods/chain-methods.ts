import type { Node } from '../../node.ts';
import { messageJson } from '../json.ts';
import { tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { cid, epoch, tipSetKey } from '../params.ts';
import type { Methods } from '../protocol.ts';
import { RpcCode, rpcError } from '../rpc-error.ts';
import { tipSetJson } from '../tipset-json.ts';

export function chainMethods({ chain }: Node): Methods {
  const from = (key: readonly string[], height: number) => {
    const tipSet = tipSetAt(chain, key);
    if (height <= tipSet.height) return tipSet;
    const text = `looking for tipset with height greater than start point, req: ${height}, head: ${tipSet.height}`;
    throw rpcError(RpcCode.plain, text);
  };
  return {
    'Filecoin.ChainHead': method('read', [], () => tipSetJson(chain.head)),
    'Filecoin.ChainGetGenesis': method('read', [], () => tipSetJson(chain.store.genesis)),
    'Filecoin.ChainGetTipSet': method('read', [tipSetKey], (key) => tipSetJson(tipSetAt(chain, key))),
    'Filecoin.ChainGetTipSetByHeight': method('read', [epoch, tipSetKey], (height, key) =>
      tipSetJson(chain.store.atOrBelow(height, from(key, height))),
    ),
    'Filecoin.ChainGetTipSetAfterHeight': method('read', [epoch, tipSetKey], (height, key) =>
      tipSetJson(chain.store.atOrAbove(height, from(key, height))),
    ),
    'Filecoin.ChainGetMessage': method('read', [cid], (wanted) => {
      const message = chain.message(wanted);
      if (message === undefined) throw rpcError(RpcCode.plain, `ipld: could not find ${wanted}`);
      return messageJson(message.signed.message, null);
    }),
  };
}
