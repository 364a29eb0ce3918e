import { CodedError } from '../../src/errors/coded-error.ts';
import { bullmqAlways, bullmqEverysec } from './bullmq.ts';
import { graphile, graphileBatched } from './graphile.ts';
import { nothing } from './nothing.ts';
import { sqlFloor } from './sql-floor.ts';
import type { System } from './system.ts';
import { wdpost, wdpostWithHistory } from './wdpost.ts';

export const systems: readonly System[] = [
  wdpost,
  graphile,
  graphileBatched,
  bullmqAlways,
  bullmqEverysec,
  sqlFloor,
  nothing,
];

export function systemNamed(name: string): System {
  const system = [...systems, wdpostWithHistory].find((candidate) => candidate.name === name);
  if (system === undefined)
    throw new CodedError('unknown-system', `no system ${name}: ${systems.map((s) => s.name).join(', ')}`);
  return system;
}
