import { sealedCid } from '../../src/filecoin/cid.ts';

export const MINER = 1000;

/** The payload of a `ComputeProof` event for one 2 KiB sector. */
export function computeProof(sector: { readonly number: number; readonly commR: Uint8Array }, change: object = {}) {
  return {
    SectorInfos: [
      {
        // RegisteredSealProof StackedDrg2KiBV1_1.
        SealProof: 5,
        SectorNumber: sector.number,
        SectorKey: null,
        SealedCID: { '/': sealedCid(sector.commR).toString() },
      },
    ],
    Rand: Buffer.alloc(32, 0xff).toString('base64'),
    Height: 1234,
    NWVersion: 25,
    ...change,
  };
}
