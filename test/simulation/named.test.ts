import { expect, it } from 'vitest';
import { Random } from '../chaos/random.ts';
import { drawPlan, type Plan } from './plan.ts';
import { countBits } from './sectors.ts';
import { simulate } from './simulate.ts';
import { Stores } from './stores.ts';
import { Weather } from './weather.ts';

const PARTITIONS = 5;
const SECTORS = 20;
const ALL = 2 ** SECTORS - 1;
/** 32 GiB. */
const PROOF_TYPE = 13;
/** Sectors 3 and 11 of each partition: a tenth. */
const ONE_STORE = (1 << 3) | (1 << 11);

/** Stores of which some sectors give no answer in some epochs. */
class AwayStores extends Stores {
  readonly #away: (epoch: number) => number;

  constructor(plan: Plan, away: (epoch: number) => number) {
    const partitions = PARTITIONS * plan.policy.periodDeadlines;
    super(new Random(0), { epochs: plan.epochs, density: 0, partitions, sectors: SECTORS });
    this.#away = away;
  }

  override unknown(_partition: number, epoch: number): number {
    return this.#away(epoch);
  }
}

function clearPlan(away: (epoch: number, plan: Plan) => number): Plan {
  const drawn = drawPlan(1);
  const { epochs } = drawn;
  const weather = new Weather(new Random(0), { epochs, calmFrom: epochs, density: 0 });
  const plan = { ...drawn, partitions: PARTITIONS, sectors: SECTORS, proofType: PROOF_TYPE, weather };
  return { ...plan, stores: new AwayStores(plan, (epoch) => away(epoch, plan)) };
}

it('skips nothing when no store answers for five minutes at Open', () => {
  const plan = clearPlan((epoch, { start, policy }) =>
    Math.abs((epoch - start) % policy.challengeWindow) < 10 ? ALL : 0,
  );
  const { problems, outcomes } = simulate(plan);
  expect(problems).toEqual([]);
  expect(outcomes).toHaveLength(PARTITIONS * plan.policy.periodDeadlines * plan.periods);
  expect(outcomes.filter(({ end }) => end !== 'proven')).toEqual([]);
});

it('skips the sectors of a store that hangs for a whole window and no others, and keeps the reserve', () => {
  const plan = clearPlan((epoch, { start, policy }) => (epoch < start + policy.challengeWindow ? ONE_STORE : 0));
  const { problems, outcomes, posts } = simulate(plan);
  expect(problems).toEqual([]);
  const inHangingWindow = posts.filter(({ open }) => open === plan.start);
  expect(inHangingWindow).toHaveLength(PARTITIONS);
  for (const { skipped, proven, height } of inHangingWindow) {
    expect(skipped).toBe(ONE_STORE);
    expect(countBits(proven)).toBe(SECTORS - 2);
    expect(height).toBeLessThan(plan.start + plan.policy.challengeWindow - 5);
  }
  expect(outcomes.filter(({ end }) => end === 'lost')).toEqual([]);
});
