import { describe, expect, it } from 'vitest';
import { mutations } from './mutations.ts';
import { drawPlan } from './plan.ts';
import { simulate } from './simulate.ts';

/** `npm run simulate` runs many more. */
const SEEDS = 50;
/** A mistake shows in at least one of so many. */
const MUTATION_SEEDS = 150;

describe('the simulated poster', () => {
  it('proves whatever can be proven, once, truly and at its price', () => {
    const verdicts = Array.from({ length: SEEDS }, (_, seed) => simulate(drawPlan(seed)));
    expect(verdicts.flatMap(({ seed, problems }) => problems.map((problem) => `seed ${seed}: ${problem}`))).toEqual([]);
    // Not for want of trouble.
    const ends = new Set(verdicts.flatMap(({ outcomes }) => outcomes.map(({ end }) => end)));
    expect(ends).toEqual(new Set(['proven', 'skipped some', 'lost']));
    expect(verdicts.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(50);
    expect(verdicts.reduce((sum, { reorganisations }) => sum + reorganisations, 0)).toBeGreaterThan(50);
  });

  it('is the same for the same seed', () => {
    const replay = (seed: number) => {
      const lines: string[] = [];
      simulate(drawPlan(seed), { tell: (line) => lines.push(line) });
      return lines;
    };
    expect(replay(7)).toEqual(replay(7));
    expect(replay(7)).not.toEqual(replay(8));
  });
});

describe('the oracle sees a poster that', () => {
  it.each(mutations)('$name', ({ decide, caught, plan }) => {
    const problems: string[] = [];
    for (let seed = 0; seed < MUTATION_SEEDS && !problems.some((problem) => caught.test(problem)); seed++) {
      problems.push(...simulate({ ...drawPlan(seed), ...plan }, { judgement: { decide } }).problems);
    }
    expect(problems.filter((problem) => caught.test(problem))).not.toEqual([]);
  });
});
