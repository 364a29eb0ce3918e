import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { LineChild } from '../line-child.ts';
import { realProver } from '../paths.ts';
import type { Measurement } from '../records.ts';
import { fakeSectors } from '../sectors.ts';
import { withSlowMirror } from '../slow-mirror.ts';
import { Stage } from '../stage.ts';

const STORES = 20;
const ARGS = ['processor', 'window_post', '--rehearse'];

export interface SlowStoreInit {
  readonly sectors: number;
  readonly delayMs: number;
  readonly round: number;
}

/**
 * A rehearsed 32 GiB partition that lies in 20 stores, one of which takes so much longer for each read. The floor: the same without
 * the delay. Others: the sectors of the other 19, the median of each run. Named: notes of the prover that say of that store, or of
 * another one, that it is slow.
 */
export async function slowStore({ sectors, delayMs, round }: SlowStoreInit): Promise<Measurement> {
  const stage = await Stage.open('sectors');
  try {
    const slow = await stage.folder('slow');
    const first = await stage.folder('store-0');
    const share = Math.ceil(sectors / STORES);
    const parts: ((seed: number) => WindowPostTask)[] = [];
    for (let index = 0; index < STORES; index++) {
      const store = await stage.folder(`store-${index}`);
      const from = index * share;
      const makeTask = await fakeSectors(store, '32GiB', Math.min(share, sectors - from), from);
      parts.push((seed) => makeTask(index === 0 ? slow : store, seed));
    }
    const run = (ms: number, seed: number) =>
      withSlowMirror(first, slow, ms, () => rehearse(join(parts.map((make) => make(seed))), { slow, share }));
    const { result: floor } = await run(0, 2 * round);
    const { result: slowed, reads } = await run(delayMs, 2 * round + 1);
    const values = {
      floorMs: floor.tookMs,
      tookMs: slowed.tookMs,
      ratio: slowed.tookMs / floor.tookMs,
      othersFloorMs: floor.othersMs,
      othersMs: slowed.othersMs,
      othersRatio: slowed.othersMs / floor.othersMs,
      slowMs: slowed.slowMs,
      named: slowed.named,
      wronglyNamed: slowed.wronglyNamed,
      ...reads,
    };
    return { cell: 'slow-store', variant: `${sectors} sectors`, system: 'wdpost', round, values };
  } finally {
    await stage.close();
  }
}

async function rehearse(task: WindowPostTask, { slow, share }: { readonly slow: string; readonly share: number }) {
  const child = new LineChild(realProver, ARGS, {});
  try {
    const { tookMs, output } = await child.prove(task);
    const times = output.rehearsal?.sector_ms ?? [];
    const median = (ofSlow: boolean): number => {
      const sorted = times.filter(([number]) => number < share === ofSlow).map(([, ms]) => ms);
      return sorted.sort((a, b) => a - b)[sorted.length >> 1] ?? Number.NaN;
    };
    const notes = child.notes.filter((line) => line.includes(' is slow: '));
    const named = notes.filter((line) => line.includes(slow)).length;
    return { tookMs, othersMs: median(false), slowMs: median(true), named, wronglyNamed: notes.length - named };
  } finally {
    child.close();
  }
}

function join(tasks: readonly WindowPostTask[]): WindowPostTask {
  const [task] = tasks;
  if (task === undefined) throw new Error('there are no stores');
  return { ...task, replicas: tasks.flatMap(({ replicas }) => replicas) };
}
