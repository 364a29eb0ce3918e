import type { Node } from '../../node.ts';
import { base64 } from '../json.ts';
import { method } from '../method.ts';
import { strings } from '../params.ts';
import type { Methods } from '../protocol.ts';

/** 2.3.0, as nodes with the v1 interface give it. */
const API_VERSION = 0x20300;

export function nodeMethods({ chain, tokens }: Node): Methods {
  return {
    'Filecoin.Version': method('read', [], () => ({
      Version: '0.0.0+wdpost-devnet',
      APIVersion: API_VERSION,
      BlockDelay: chain.blockDelay,
      Agent: 'wdpost-devnet',
    })),
    'Filecoin.SyncState': method('read', [], () => ({
      ActiveSyncs: [
        {
          WorkerID: 1,
          Base: null,
          Target: null,
          Stage: 0,
          Height: 0,
          Start: '0001-01-01T00:00:00Z',
          End: '0001-01-01T00:00:00Z',
          Message: '',
        },
      ],
      VMApplied: chain.head.height,
    })),
    'Filecoin.AuthNew': method('admin', [strings], (allowed) => base64(Buffer.from(tokens.issue(allowed)))),
  };
}
