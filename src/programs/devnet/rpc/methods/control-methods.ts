import type { Node } from '../../node.ts';
import { method } from '../method.ts';
import { bool, epoch, uint } from '../params.ts';
import type { Methods } from '../protocol.ts';

/** What only a development chain can do. Milliseconds and epochs. */
export function controlMethods({ chain, control }: Node): Methods {
  return {
    'Devnet.SetBlockTime': method('admin', [uint], (ms) => control.setBlockTime(ms)),
    'Devnet.SkipTo': method('admin', [epoch], (height) => control.skipTo(height)),
    'Devnet.Mine': method('admin', [uint], async (count) => {
      for (let made = 0; made < count; made++) await chain.mine();
      return chain.head.height;
    }),
    'Devnet.NullRounds': method('admin', [uint], async (count) => (await chain.mine(count)).height),
    'Devnet.AddBlock': method('admin', [], async () => (await chain.addBlock()).height),
    'Devnet.Rewind': method('admin', [uint], async (depth) => (await chain.rewind(depth)).height),
    'Devnet.Reorg': method(
      'admin',
      [uint, bool],
      async (depth, newBeacon) => (await chain.reorg(depth, newBeacon)).height,
    ),
    'Devnet.Verdict': method('admin', [], () => control.verdict()),
  };
}
