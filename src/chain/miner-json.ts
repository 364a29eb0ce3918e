import { z } from 'zod';
import type { DeadlineInfo } from '../filecoin/deadline.ts';
import { addressJson, bitfieldJson, cidJson, listJson } from './json-values.ts';
import type { DeadlineState, MinerInfo, Partition } from './miner-state.ts';
import type { SectorInfo } from './sector-info.ts';

export const minerInfoJson = z
  .object({
    Owner: addressJson,
    Worker: addressJson,
    ControlAddresses: listJson(addressJson),
    WindowPoStProofType: z.int(),
    SectorSize: z.int(),
    WindowPoStPartitionSectors: z.int(),
    ConsensusFaultElapsed: z.int().default(-1),
  })
  .transform(
    (json): MinerInfo => ({
      owner: json.Owner,
      worker: json.Worker,
      controlAddresses: json.ControlAddresses,
      windowPoStProofType: json.WindowPoStProofType,
      sectorSize: json.SectorSize,
      windowPoStPartitionSectors: json.WindowPoStPartitionSectors,
      consensusFaultElapsed: json.ConsensusFaultElapsed,
    }),
  );

export const provingDeadlineJson = z
  .object({
    CurrentEpoch: z.int(),
    PeriodStart: z.int(),
    Index: z.int(),
    Open: z.int(),
    Close: z.int(),
    Challenge: z.int(),
    FaultCutoff: z.int(),
    WPoStPeriodDeadlines: z.int(),
    WPoStProvingPeriod: z.int(),
    WPoStChallengeWindow: z.int(),
    WPoStChallengeLookback: z.int(),
    FaultDeclarationCutoff: z.int(),
  })
  .transform(
    (json): DeadlineInfo => ({
      policy: {
        periodDeadlines: json.WPoStPeriodDeadlines,
        provingPeriod: json.WPoStProvingPeriod,
        challengeWindow: json.WPoStChallengeWindow,
        challengeLookback: json.WPoStChallengeLookback,
        faultDeclarationCutoff: json.FaultDeclarationCutoff,
      },
      currentEpoch: json.CurrentEpoch,
      periodStart: json.PeriodStart,
      index: json.Index,
      open: json.Open,
      close: json.Close,
      challenge: json.Challenge,
      faultCutoff: json.FaultCutoff,
    }),
  );

export const deadlinesJson = listJson(
  z.object({ PostSubmissions: bitfieldJson, DisputableProofCount: z.int() }).transform(
    (json): DeadlineState => ({
      postSubmissions: json.PostSubmissions,
      disputableProofCount: json.DisputableProofCount,
    }),
  ),
);

export const partitionsJson = listJson(
  z
    .object({
      AllSectors: bitfieldJson,
      FaultySectors: bitfieldJson,
      RecoveringSectors: bitfieldJson,
      LiveSectors: bitfieldJson,
      ActiveSectors: bitfieldJson,
    })
    .transform(
      (json): Partition => ({
        all: json.AllSectors,
        faulty: json.FaultySectors,
        recovering: json.RecoveringSectors,
        live: json.LiveSectors,
        active: json.ActiveSectors,
      }),
    ),
);

export const sectorJson = z
  .object({
    SectorNumber: z.int(),
    SealProof: z.int(),
    SealedCID: cidJson,
    SectorKeyCID: cidJson.nullable(),
    Expiration: z.int(),
  })
  .transform(
    (json): SectorInfo => ({
      number: json.SectorNumber,
      sealProof: json.SealProof,
      sealedCid: json.SealedCID,
      sectorKeyCid: json.SectorKeyCID,
      expiration: json.Expiration,
    }),
  );

export const sectorsJson = listJson(sectorJson);
