import { z } from 'zod';
import { bytesJson, cidJson, listJson } from '../chain/json-values.ts';

// What venus-gateway (now sophon-gateway) and the provers behind it say to each other: read from sophon-gateway `proofevent/` and
// `types/base_event.go`, venus `venus-shared/types/gateway` and `venus-shared/api/gateway/{v0,v1,v2}`, damocles
// `modules/miner/proof_event.go`. v0, v1 and v2 of the API have the same two methods; only the path differs. Both are called over one
// WebSocket:
//
//   → Gateway.ListenProofEvent [{"MinerAddress":"t01000"}]                   ← the number of a channel, its values being events
//   → Gateway.ResponseProofEvent [{"Id":uuid,"Payload":base64|null,"Error":""}]                                         ← null
//
// The payload of `InitConnect`, the first event, is {"ChannelId":uuid} and wants no answer. That of `ComputeProof` is below; the
// answer's is [{"PoStProof":number,"ProofBytes":base64}]. A request belongs to its channel: once that ended the gateway has asked
// somebody else, and an answer finds nobody.

/** go's []byte: base64; the bytes are JSON in their turn. */
const payload = bytesJson.transform((bytes): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
});

export const gatewayEvent = z.object({ Id: z.string().min(1), Method: z.string(), Payload: payload });

/** The node draws the sectors (GenerateWinningPoStSectorChallenge); today it is one for each block. */
const computeProof = z.object({
  SectorInfos: listJson(
    z
      .object({
        SealProof: z.number().int(),
        SectorNumber: z.number().int().nonnegative(),
        /** That of the sector's key, where a snap deal replaced its data. */
        SectorKey: cidJson.nullish(),
        SealedCID: cidJson,
      })
      .transform(({ SealProof, SectorNumber, SectorKey, SealedCID }) => ({
        sealProof: SealProof,
        number: SectorNumber,
        upgraded: SectorKey != null,
        sealedCid: SealedCID,
      })),
  ),
  Rand: bytesJson.refine((bytes) => bytes.length === 32, 'must be 32 bytes'),
  /** Of the block; gateways before v1 do not tell. */
  Height: z.number().nullish(),
});

/** A block was won if this is proven. */
export const proofRequest = computeProof.transform(({ SectorInfos, Rand, Height }) => ({
  sectors: SectorInfos,
  randomness: Rand,
  epoch: Height ?? undefined,
}));
export type ProofRequest = z.infer<typeof proofRequest>;

export interface WinningProof {
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  readonly proof: Uint8Array;
}

/** The parameter of `ResponseProofEvent`. @param answer proofs, or what went wrong */
export function responseJson(id: string, answer: readonly WinningProof[] | string): object {
  if (typeof answer === 'string') return { Id: id, Payload: null, Error: answer };
  const proofs = answer.map(({ proofType, proof }) => ({ PoStProof: proofType, ProofBytes: base64(proof) }));
  return { Id: id, Payload: base64(Buffer.from(JSON.stringify(proofs))), Error: '' };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
