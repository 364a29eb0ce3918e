import type { Node } from '../../node.ts';
import type { Methods } from '../protocol.ts';
import { chainMethods } from './chain-methods.ts';
import { controlMethods } from './control-methods.ts';
import { executionMethods } from './execution-methods.ts';
import { gasMethods } from './gas-methods.ts';
import { minerMethods } from './miner-methods.ts';
import { mpoolMethods } from './mpool-methods.ts';
import { nodeMethods } from './node-methods.ts';
import { stateMethods } from './state-methods.ts';
import { walletMethods } from './wallet-methods.ts';

export function allMethods(node: Node): Methods {
  return {
    ...chainMethods(node),
    ...stateMethods(node),
    ...minerMethods(node),
    ...executionMethods(node),
    ...mpoolMethods(node),
    ...gasMethods(node),
    ...walletMethods(node),
    ...nodeMethods(node),
    ...controlMethods(node),
  };
}
