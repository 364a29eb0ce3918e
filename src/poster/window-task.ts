import { commRFromCid } from '../filecoin/cid.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import type { SectorCopy } from '../stores/sector-check.ts';
import { type SectorInfos, sectorInfo } from './window-proof.ts';

/** The task that proves these sectors of one partition. @param randomness 32 bytes, masked or not */
export function windowTask(init: {
  readonly minerId: number;
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  readonly sectors: readonly SectorCopy[];
  readonly infos: SectorInfos;
  readonly randomness: Uint8Array;
}): WindowPostTask {
  return {
    miner_id: init.minerId,
    proof_type: poStProofType(init.proofType).name,
    replicas: init.sectors.map((sector) => ({
      sector_id: sector.number,
      comm_r: [...commRFromCid(sectorInfo(init.infos, sector.number).sealedCid)],
      cache_dir: sector.cacheDir,
      sealed_file: sector.sealedFile,
    })),
    seed: [...proofSeed(init.randomness)],
  };
}
