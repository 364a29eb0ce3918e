import type { Call } from './exchange.ts';
import type { World } from './world.ts';

/** A world in the state of an exchange, and the recorded parameters in its words: its addresses, tipsets and messages. */
export interface Scene {
  readonly world: World;
  readonly params: readonly unknown[];
}

/** The recorded miner's deadlines open at these epochs of its first proving period. */
export const openOf = (deadline: number): number => 154 + 60 * deadline;

/** The epoch of the head, where the recorded text tells it. */
export function headInText({ error }: Call): number | undefined {
  const epoch = /(?:at epoch|current epoch|head:) (\d+)/.exec(error)?.[1];
  return epoch === undefined ? undefined : Number(epoch);
}

/** An address of the recorded network in this one: its worker, owner and another wallet address stand for theirs. */
export function localAddress(world: World, call: Call, text: string): string {
  const isUnknown = /not found|invalid|balance 0\.0,/.test(call.error) || call.result === false;
  if (isUnknown || !/^[tf][0-4]/.test(text)) return text;
  // Ids of the system's actors and of miners are the same everywhere.
  if (/^[tf]0/.test(text)) return /^[tf]0[1-9][0-9]{2}$/.test(text) ? world.idOf(world.worker) : text;
  return text.startsWith('t3') ? world.owner : world.stranger;
}

/** Parameters of plain queries: addresses, and tipset keys, which become the head's. */
export function localParams(world: World, call: Call): readonly unknown[] {
  return call.params.map((param) => {
    if (typeof param === 'string') return localAddress(world, call, param);
    const isKey = Array.isArray(param) && param.length > 0 && param.every((part) => isCid(part));
    if (!isKey || call.error.includes('could not find')) return param;
    return world.node.chain.head.key.map((cid) => ({ '/': cid }));
  });
}

export function isCid(json: unknown): boolean {
  return typeof json === 'object' && json !== null && '/' in json;
}
