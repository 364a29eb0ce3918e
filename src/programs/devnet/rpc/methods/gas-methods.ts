import { gasFeeCap, gasPremium } from '../../chain/gas.ts';
import type { Node } from '../../node.ts';
import { estimateGas, estimateGasLimit } from '../estimate.ts';
import { messageJson } from '../json.ts';
import { tipSetAt } from '../lookups.ts';
import { method } from '../method.ts';
import { address, int, message, sendSpec, tipSetKey, uint } from '../params.ts';
import type { Methods } from '../protocol.ts';

export function gasMethods({ chain }: Node): Methods {
  return {
    'Filecoin.GasEstimateMessageGas': method('read', [message, sendSpec, tipSetKey], async (unsigned, spec, key) =>
      messageJson(await estimateGas(chain, tipSetAt(chain, key), unsigned, spec)),
    ),
    'Filecoin.GasEstimateGasLimit': method('read', [message, tipSetKey], (unsigned, key) =>
      estimateGasLimit(chain, tipSetAt(chain, key), unsigned),
    ),
    'Filecoin.GasEstimateGasPremium': method(
      'read',
      [uint, address, int, tipSetKey],
      (_blocks, _sender, _gasLimit, _key) => gasPremium().toString(),
    ),
    'Filecoin.GasEstimateFeeCap': method('read', [message, int, tipSetKey], (unsigned, blocks, _key) =>
      gasFeeCap(unsigned.gasPremium, blocks).toString(),
    ),
  };
}
