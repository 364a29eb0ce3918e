import type { Chain, HeadChange } from '../chain/chain.ts';
import type { TipSet } from '../chain/tipset.ts';
import { tipSetJson } from './tipset-json.ts';

/** One ChainNotify subscription: the current head, then how it changes. Returns what ends it. */
export function notifyHeads(chain: Chain, channel: number, send: (message: unknown) => void): () => void {
  const value = (changes: readonly { readonly type: string; readonly tipSet: TipSet }[]): void =>
    send({
      jsonrpc: '2.0',
      method: 'xrpc.ch.val',
      params: [channel, changes.map(({ type, tipSet }) => ({ Type: type, Val: tipSetJson(tipSet) }))],
    });
  value([{ type: 'current', tipSet: chain.head }]);
  return chain.onChange((changes: readonly HeadChange[]) => value(changes));
}
