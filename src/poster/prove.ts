import type { TipSet } from '../chain/tipset.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';
import type { Action } from './actions.ts';
import type { PosterComponents } from './components.ts';
import type { Run } from './run.ts';
import { movePartition } from './run-store.ts';
import type { SectorInfos } from './window-proof.ts';
import { windowTask } from './window-task.ts';

/**
 * checking or left-out → proving: the task first (asked twice it is one task), then the row that names it. Returns the task's id.
 * @param at `closeAt` in milliseconds since 1970
 */
export async function prove(
  components: PosterComponents,
  run: Run,
  action: Extract<Action, { kind: 'prove' }>,
  infos: SectorInfos,
  at: { readonly head: TipSet; readonly closeAt: number },
): Promise<string> {
  const { clock, db, tasks, logger } = components;
  const { head, closeAt } = at;
  const { partition, from, skipped, sectors } = action;
  const task = windowTask({ ...run, sectors, infos });
  const view = await tasks.submit(task, closeAt);
  const moved = await db.transaction((trx) =>
    movePartition(
      trx,
      { runId: run.id, index: partition, from },
      {
        state: 'proving',
        task_id: view.id,
        skipped: Buffer.from(skipped.toRlePlus()),
        reason: null,
        proving_at: clock.now(),
        proving_epoch: head.height,
        finished_at: null,
      },
    ),
  );
  if (!moved) return view.id;
  const facts = { minerId: run.minerId, deadline: run.deadline, partition, task: view.id };
  logger.info({ ...facts, sectors: sectors.length, height: head.height }, 'window post task submitted');
  if (!skipped.isEmpty) logger.warn({ ...facts, sectors: [...skipped] }, 'skipped sectors');
  tellSkipped(components, run, partition, skipped);
  return view.id;
}

function tellSkipped({ alerts }: PosterComponents, run: Run, partition: number, skipped: Bitfield): void {
  const { minerId, deadline } = run;
  const condition = `sectors-skipped/${minerId}/${deadline}/${partition}`;
  if (skipped.isEmpty) {
    alerts.resolve(condition);
    return;
  }
  const text =
    `miner ${minerId}, deadline ${deadline}, partition ${partition}: ${skipped.count} sectors are proven faulty by being left out ` +
    `of the proof, the first is ${[...skipped][0]}; bring their files back, they are declared recovered by themselves`;
  alerts.raise(condition, { class: 'sectors-skipped', severity: 'warning', minerId, deadline, text });
}
