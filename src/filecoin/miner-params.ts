import type { Encoded } from './cbor.ts';
import { address, bitfield, bool, bytes, cid, int, list, nullable, tuple, uint } from './codecs.ts';

// Parameters of the miner actor's methods. Names and order of fields as in go-state-types builtin/v18/miner; versions
// 18 and 19 of the actor write them alike. Use with `encodeCbor` and `decodeCbor`.

const declaration = tuple({ deadline: uint, partition: uint, sectors: bitfield });

export const submitWindowedPoStParams = tuple({
  deadline: uint,
  partitions: list(tuple({ index: uint, skipped: bitfield })),
  proofs: list(tuple({ poStProof: int, proofBytes: bytes })),
  chainCommitEpoch: int,
  chainCommitRand: bytes,
});
export type SubmitWindowedPoStParams = Encoded<typeof submitWindowedPoStParams>;

export const declareFaultsParams = tuple({ faults: list(declaration) });

export const declareFaultsRecoveredParams = tuple({ recoveries: list(declaration) });

export const disputeWindowedPoStParams = tuple({ deadline: uint, poStIndex: uint });

export const compactPartitionsParams = tuple({ deadline: uint, partitions: bitfield });

export const terminateSectorsParams = tuple({ terminations: list(declaration) });

export const preCommitSectorBatchParams2 = tuple({
  sectors: list(
    tuple({
      sealProof: int,
      sectorNumber: uint,
      sealedCid: cid,
      sealRandEpoch: int,
      dealIds: list(uint),
      expiration: int,
      unsealedCid: nullable(cid),
    }),
  ),
});

const pieces = list(
  tuple({
    cid,
    size: uint,
    verifiedAllocationKey: nullable(tuple({ client: uint, id: uint })),
    notify: list(tuple({ address, payload: bytes })),
  }),
);

export const proveCommitSectors3Params = tuple({
  sectorActivations: list(tuple({ sectorNumber: uint, pieces })),
  sectorProofs: list(bytes),
  aggregateProof: bytes,
  aggregateProofType: nullable(int),
  requireActivationSuccess: bool,
  requireNotificationSuccess: bool,
});

export const proveReplicaUpdates3Params = tuple({
  sectorUpdates: list(tuple({ sector: uint, deadline: uint, partition: uint, newSealedCid: cid, pieces })),
  sectorProofs: list(bytes),
  aggregateProof: bytes,
  updateProofsType: int,
  aggregateProofType: nullable(int),
  requireActivationSuccess: bool,
  requireNotificationSuccess: bool,
});

export const extendSectorExpiration2Params = tuple({
  extensions: list(
    tuple({
      deadline: uint,
      partition: uint,
      sectors: bitfield,
      sectorsWithClaims: list(tuple({ sectorNumber: uint, maintainClaims: list(uint), dropClaims: list(uint) })),
      newExpiration: int,
    }),
  ),
});
