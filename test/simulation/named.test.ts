import { expect, it } from 'vitest';
import { decide } from '../../src/poster/decide.ts';
import { Random } from '../chaos/random.ts';
import { drawPlan, type Plan } from './plan.ts';
import { countBits } from './sectors.ts';
import { simulate } from './simulate.ts';
import { type CopyName, Stores } from './stores.ts';
import { type Storm, Weather } from './weather.ts';

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

  override awayOf(_partition: number, _name: CopyName, epoch: number): number {
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

/** A base fee two hundred times as high from five epochs after each Open until Close: dear, and within the budget. */
class DearWindows extends Weather {
  readonly start: number;
  readonly window: number;

  constructor({ epochs, start, policy }: Plan) {
    super(new Random(0), { epochs, calmFrom: epochs, density: 0 });
    this.start = start;
    this.window = policy.challengeWindow;
  }

  override blows(storm: Storm, epoch: number): boolean {
    return storm === 'base-fee' && epoch >= this.start && (epoch - this.start) % this.window >= 5;
  }
}

it.each([
  [5, 10],
  [14, 5],
])(
  'lands %i messages a window with confidence %i when the base fee rises after they were pushed',
  (partitions, messageConfidence) => {
    const drawn = drawPlan(1);
    const { epochs, policy } = drawn;
    const stores = new Stores(new Random(0), {
      epochs,
      density: 0,
      partitions: partitions * policy.periodDeadlines,
      sectors: 2,
    });
    const plan = {
      ...drawn,
      partitions,
      sectors: 2,
      maxPartitions: 1,
      messageConfidence,
      submitConfidence: 4,
      challengeConfidence: 10,
      proveEpochs: 3,
      stores,
    };
    const { problems, outcomes } = simulate({ ...plan, weather: new DearWindows(plan) });
    expect(problems).toEqual([]);
    expect(outcomes).toHaveLength(partitions * policy.periodDeadlines * plan.periods);
    expect(outcomes.filter(({ end }) => end !== 'proven')).toEqual([]);
  },
);

/** Our verifier is wrong from each challenge until 10 epochs after Open; from then until Close no slave gets on. */
class WrongThenSlow extends DearWindows {
  override blows(storm: Storm, epoch: number): boolean {
    const isEarly = (epoch - this.start + 20) % this.window < 30;
    return storm === (isEarly ? 'wrong-verifier' : 'slow-proofs');
  }
}

const forgetful: typeof decide = (...known) => decide(...known).filter(({ kind }) => kind !== 'look-again');

it('sends what was refused, when it was the verifier that was wrong', () => {
  const plan = { ...clearPlan(() => 0), proveEpochs: 8, challengeConfidence: 5 };
  const windows = { ...plan, weather: new WrongThenSlow(plan) };
  expect(simulate(windows).outcomes.filter(({ end }) => end !== 'proven')).toEqual([]);
  expect(
    simulate(windows, { judgement: { decide: forgetful } }).outcomes.filter(({ end }) => end === 'lost'),
  ).not.toEqual([]);
});
