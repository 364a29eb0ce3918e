import type { TipSet } from '../chain/tipset.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';
import { commRFromCid } from '../filecoin/cid.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import { proofSeed } from '../filecoin/randomness.ts';
import type { GoodSector } from '../stores/sector-check.ts';
import type { PosterComponents } from './components.ts';
import { epochTime } from './epoch-time.ts';
import type { Run } from './run.ts';
import { movePartition } from './run-store.ts';
import { type SectorInfos, sectorInfo } from './window-proof.ts';

/** checking → proving: the task first (asked twice it is one task), then the row that names it. */
export async function prove(
  components: PosterComponents,
  run: Run,
  action: { readonly partition: number; readonly skipped: Bitfield; readonly sectors: readonly GoodSector[] },
  infos: SectorInfos,
  head: TipSet,
): Promise<void> {
  const { clock, db, chain, tasks, logger } = components;
  const closeAt = await epochTime(clock, chain, head, run.close);
  const view = await tasks.submit(
    {
      miner_id: run.minerId,
      proof_type: poStProofType(run.proofType).name,
      replicas: action.sectors.map((sector) => ({
        sector_id: sector.number,
        comm_r: [...commRFromCid(sectorInfo(infos, sector.number).sealedCid)],
        cache_dir: sector.cacheDir,
        sealed_file: sector.sealedFile,
      })),
      seed: [...proofSeed(run.randomness)],
    },
    closeAt,
  );
  const moved = await db.transaction((trx) =>
    movePartition(
      trx,
      { runId: run.id, index: action.partition, from: 'checking' },
      {
        state: 'proving',
        task_id: view.id,
        skipped: Buffer.from(action.skipped.toRlePlus()),
        reason: null,
        proving_at: clock.now(),
      },
    ),
  );
  if (!moved) return;
  const at = { minerId: run.minerId, deadline: run.deadline, partition: action.partition, task: view.id };
  logger.info({ ...at, sectors: action.sectors.length, height: head.height }, 'computing window post');
  if (!action.skipped.isEmpty) logger.warn({ ...at, sectors: [...action.skipped] }, 'skipped sectors');
}
