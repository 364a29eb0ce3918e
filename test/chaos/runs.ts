import type { AttemptFact, Facts } from './facts.ts';

/** Rows have whole milliseconds. */
export const ROUNDING_MS = 2;

/** A task in a prover, from its start until its last sign of life. */
export interface Run {
  readonly run: string;
  readonly work: string;
  readonly who: string;
  readonly startedAt: number;
  readonly lastSeenAt: number;
  /** The newest lease that this slave had of the task when the prover started. */
  readonly attempt: AttemptFact | undefined;
}

export function runsOf(facts: Facts): Run[] {
  return facts.effects
    .filter(({ what }) => what === 'start')
    .map(({ run = '', work = '', who, at }) => {
      const signs = facts.effects.filter((effect) => effect.run === run);
      return {
        run,
        work,
        who,
        startedAt: at,
        lastSeenAt: signs.at(-1)?.at ?? at,
        attempt: facts.attempts.findLast(
          (attempt) => attempt.work === work && attempt.slave === who && attempt.startedAt <= at + ROUNDING_MS,
        ),
      };
    });
}
