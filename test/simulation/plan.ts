import type { DeadlinePolicy } from '../../src/filecoin/policy.ts';
import { Random } from '../chaos/random.ts';
import { Stores } from './stores.ts';
import { Weather } from './weather.ts';

/** Everything of one simulated miner that a seed decides beforehand. Lengths in epochs. */
export interface Plan {
  readonly seed: number;
  readonly policy: DeadlinePolicy;
  /** First epoch of the first proving period. */
  readonly start: number;
  /** Proving periods that are simulated; heads go on after the last one until every message is settled. */
  readonly periods: number;
  readonly epochs: number;
  /** In each deadline. */
  readonly partitions: number;
  /** In each partition; they fill it at 2 (sectors of 2 KiB), else none is full (32 GiB). */
  readonly sectors: number;
  readonly proofType: number;
  readonly challengeConfidence: number;
  readonly submitConfidence: number;
  readonly messageConfidence: number;
  readonly maxPartitions: number;
  readonly proveEpochs: number;
  readonly weather: Weather;
  readonly stores: Stores;
}

/** Calm, for every message to be settled. */
const TAIL_EPOCHS = 60;
const POLICY = { challengeWindow: 60, challengeLookback: 20, faultDeclarationCutoff: 70 };
const PROOF_2KIB = 10;
const PROOF_32GIB = 13;

/** `small`: one partition a deadline and few faults, to measure the rate. */
export function drawPlan(seed: number, small = false): Plan {
  const random = new Random(seed);
  const deadlines = random.between(4, 6);
  const policy = { ...POLICY, periodDeadlines: deadlines, provingPeriod: deadlines * POLICY.challengeWindow };
  const start = 100;
  const periods = random.between(2, 3);
  const epochs = start + periods * policy.provingPeriod + TAIL_EPOCHS;
  const isFull = random.chance(0.5);
  const partitions = small ? 1 : random.between(1, 5);
  const sectors = isFull ? 2 : random.between(1, 20);
  const density = small ? 0.5 : random.pick([0, 1, 2, 4, 8]);
  return {
    seed,
    policy,
    start,
    periods,
    epochs,
    partitions,
    sectors,
    proofType: isFull ? PROOF_2KIB : PROOF_32GIB,
    challengeConfidence: random.between(1, 10),
    submitConfidence: random.between(0, 4),
    messageConfidence: random.between(4, 12),
    maxPartitions: random.between(1, 3),
    proveEpochs: random.between(1, 8),
    weather: new Weather(random, { epochs, calmFrom: epochs - TAIL_EPOCHS, density }),
    stores: new Stores(random, { epochs, density, partitions: partitions * deadlines, sectors }),
  };
}
