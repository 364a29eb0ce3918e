import type { Facts } from './facts.ts';
import type { Fault } from './inject.ts';
import { runsOf } from './runs.ts';
import type { FaultKind } from './schedule.ts';
import { isOfAll, Weather } from './weather.ts';

/** How long a fault was felt, and how long it lasted itself; in seconds. */
export interface Recovery {
  readonly kind: FaultKind;
  readonly seconds: number;
  readonly lasted: number;
}

/** A prover writes every 50 ms that it is at work. */
const SIGN_OF_LIFE_MS = 150;

/**
 * Of a fault of masters or database: until a question asked after it was answered. Of a slave's: until the task that it worked on
 * was started again, there or elsewhere. Faults that others of masters or
 * database overlap, and those of a standby, tell nothing.
 */
export function recoveries(facts: Facts): Recovery[] {
  const weather = new Weather(facts);
  const runs = runsOf(facts);
  function startedAgain({ target, from }: Fault): number | undefined {
    const broken = runs.find(
      ({ who, startedAt, lastSeenAt, attempt }) =>
        who === target && startedAt < from && lastSeenAt > from - SIGN_OF_LIFE_MS && attempt?.outcome !== 'proven',
    );
    return runs.find(({ work, startedAt }) => work === broken?.work && startedAt > from)?.startedAt;
  }
  return facts.faults.flatMap((fault) => {
    const { kind, from, until } = fault;
    const isOfSlave = fault.target.startsWith('slave') && kind !== 'slave drained';
    const end = isOfAll(fault) ? weather.servedAfter(from) : isOfSlave ? startedAgain(fault) : undefined;
    if (end === undefined || !Number.isFinite(end) || fault.isIdle) return [];
    const isAlone = facts.faults.every(
      (other) => other === fault || !isOfAll(other) || other.from > end || weather.over(other) < from,
    );
    return isAlone ? [{ kind, seconds: (end - from) / 1000, lasted: (until - from) / 1000 }] : [];
  });
}
