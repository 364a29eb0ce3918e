import { z } from 'zod';
import { parseAddress } from '../../src/filecoin/address.ts';
import * as deadlines from '../../src/filecoin/deadline.ts';
import * as policies from '../../src/filecoin/policy.ts';
import { poStProofType, poStProofTypeByName } from '../../src/filecoin/proof-types.ts';
import { parse, type Shape, same, shape } from './check.ts';

const policySchema = z
  .strictObject({
    Name: z.string(),
    Deadlines: z.int(),
    Period: z.int(),
    Window: z.int(),
    Lookback: z.int(),
    Cutoff: z.int(),
  })
  .transform(({ Name, ...policy }) => ({
    name: Name,
    policy: {
      periodDeadlines: policy.Deadlines,
      provingPeriod: policy.Period,
      challengeWindow: policy.Window,
      challengeLookback: policy.Lookback,
      faultDeclarationCutoff: policy.Cutoff,
    },
  }));

const { mainnetPolicy } = policies;

const constants: Readonly<Record<string, number>> = {
  AddressedPartitionsMax: policies.ADDRESSED_PARTITIONS_MAX,
  AddressedSectorsMax: policies.ADDRESSED_SECTORS_MAX,
  ChainFinality: policies.CHAIN_FINALITY,
  DeclarationsMax: policies.DECLARATIONS_MAX,
  EpochDurationSeconds: policies.EPOCH_DURATION_SECONDS,
  EpochsInDay: policies.EPOCHS_IN_DAY,
  FaultDeclarationCutoff: mainnetPolicy.faultDeclarationCutoff,
  FaultMaxAge: policies.FAULT_MAX_AGE,
  MaxPartitionsPerDeadline: policies.MAX_PARTITIONS_PER_DEADLINE,
  PoStedPartitionsMax: policies.POSTED_PARTITIONS_MAX,
  WPoStChallengeLookback: mainnetPolicy.challengeLookback,
  WPoStChallengeWindow: mainnetPolicy.challengeWindow,
  WPoStDisputeWindow: policies.WPOST_DISPUTE_WINDOW,
  WPoStPeriodDeadlines: mainnetPolicy.periodDeadlines,
  WPoStProvingPeriod: mainnetPolicy.provingPeriod,
};

/** dline.Info with its Go names. */
function goInfo({ policy, ...deadline }: deadlines.DeadlineInfo): Record<string, number> {
  return {
    CurrentEpoch: deadline.currentEpoch,
    PeriodStart: deadline.periodStart,
    Index: deadline.index,
    Open: deadline.open,
    Close: deadline.close,
    Challenge: deadline.challenge,
    FaultCutoff: deadline.faultCutoff,
    WPoStPeriodDeadlines: policy.periodDeadlines,
    WPoStProvingPeriod: policy.provingPeriod,
    WPoStChallengeWindow: policy.challengeWindow,
    WPoStChallengeLookback: policy.challengeLookback,
    FaultDeclarationCutoff: policy.faultDeclarationCutoff,
  };
}

function goDerived(deadline: deadlines.DeadlineInfo): Record<string, number | boolean> {
  return {
    PeriodStarted: deadlines.periodStarted(deadline),
    PeriodElapsed: deadlines.periodElapsed(deadline),
    PeriodEnd: deadlines.periodEnd(deadline),
    NextPeriodStart: deadlines.nextPeriodStart(deadline),
    IsOpen: deadlines.isOpen(deadline),
    HasElapsed: deadlines.hasElapsed(deadline),
    Last: deadlines.lastEpoch(deadline),
    NextOpen: deadlines.nextOpen(deadline),
    FaultCutoffPassed: deadlines.faultCutoffPassed(deadline),
  };
}

const numbers = z.record(z.string(), z.int());

const vectorSchema = z.strictObject({
  policy: z.string(),
  periodStart: z.int(),
  index: z.int(),
  epoch: z.int(),
  info: numbers,
  derived: z.record(z.string(), z.union([z.int(), z.boolean()])),
  nextNotElapsed: numbers,
});

function checkDeadline(vector: z.output<typeof vectorSchema>, file: Readonly<Record<string, unknown>>): void {
  const known = parse(z.array(policySchema), file.policies).find(({ name }) => name === vector.policy);
  if (known === undefined) throw new Error(`unknown format: policy ${vector.policy} is not in the file`);
  const deadline = deadlines.newDeadline(vector.periodStart, vector.index, vector.epoch, known.policy);
  same('info', goInfo(deadline), vector.info);
  same('derived', goDerived(deadline), vector.derived);
  same('next not elapsed', goInfo(deadlines.nextNotElapsed(deadline)), vector.nextNotElapsed);
}

export const deadlineShapes: readonly Shape[] = [
  shape('policies', ['Period'], policySchema, ({ name, policy }) => {
    // Others are made up for the deadlines below them, which check every number.
    if (name === 'mainnet') same('policy', mainnetPolicy, policy);
  }),
  shape('constants', ['value'], z.strictObject({ name: z.string(), value: z.int() }), ({ name, value }) => {
    same(name, constants[name], value);
  }),
  shape(
    'postProofs',
    ['postProof'],
    z.strictObject({ postProof: z.int(), name: z.string(), sectorSize: z.int(), partitionSectors: z.int() }),
    (vector) => {
      const { name, sectorSize, partitionSectors } = poStProofType(vector.postProof);
      same('proof type', { postProof: poStProofTypeByName(name).number, name, sectorSize, partitionSectors }, vector);
    },
  ),
  shape('vectors', ['periodStart'], vectorSchema, checkDeadline),
  shape(
    'provingPeriodOffsets',
    ['offset'],
    z.strictObject({ miner: z.string(), epoch: z.int(), offset: z.int() }),
    ({ miner, epoch, offset }) => same('offset', deadlines.provingPeriodOffset(parseAddress(miner), epoch), offset),
  ),
];
