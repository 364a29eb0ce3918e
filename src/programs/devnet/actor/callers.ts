import type { MinerState } from '../state/miner-state.ts';
import { abort, Exit } from './abort.ts';

export function requireCaller(caller: number, allowed: readonly number[]): void {
  if (!allowed.includes(caller)) throw abort(Exit.forbidden, `caller f0${caller} is not one of supported`);
}

export const operators = (miner: MinerState): readonly number[] => [...miner.control, miner.worker, miner.owner];
