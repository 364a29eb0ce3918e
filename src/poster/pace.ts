import type { Database } from '../database/database.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { Pace } from './facts.ts';
import type { Run } from './run.ts';

/** Proofs looked back at. */
const HISTORY = 200;
/** With fewer than these nothing is said of the next ones. */
const HISTORY_MIN = 5;
/** Epochs of a 32 GiB proof with its reads: 263 s are published for the proof alone, on a GPU kept hot. */
const UNKNOWN = { expected: 9, slow: 15 };

/** How fast proofs of the run's type came lately on this cluster's slaves, how many are made side by side now, and how many wait before it. */
export async function readPace(
  db: Database,
  init: { readonly run: Run; readonly epochMs: number; readonly now: number },
): Promise<Pace> {
  const { id, proofType, close } = init.run;
  const [proofs, ahead, slaves] = await Promise.all([
    db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'post_partitions.run_id')
      .select('took_ms')
      .where('proven_at', 'is not', null)
      .where('took_ms', 'is not', null)
      .where('proof_type', '=', proofType)
      .orderBy('proven_at', 'desc')
      .limit(HISTORY)
      .execute(),
    db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'post_partitions.run_id')
      .select((from) => from.fn.countAll<number>().as('count'))
      .where('post_runs.finished_at', 'is', null)
      .where('post_runs.id', '!=', id)
      .where('close_epoch', '<=', close)
      .where('post_runs.proof_type', '=', proofType)
      .where('post_partitions.state', 'in', ['checking', 'proving'])
      .executeTakeFirstOrThrow(),
    db.kysely
      .selectFrom('slaves')
      .select(['slots', 'sector_size'])
      .where('left_at', 'is', null)
      .where('drained', '=', 0)
      .where('held_until', '<=', init.now)
      .execute(),
  ]);
  const { sectorSize } = poStProofType(proofType);
  const slots = slaves
    .filter((slave) => slave.sector_size === null || slave.sector_size === Number(sectorSize))
    .reduce((sum, slave) => sum + slave.slots, 0);
  return {
    ...paceOf(
      proofs.flatMap(({ took_ms }) => took_ms ?? []),
      init.epochMs,
    ),
    slots: Math.max(slots, 1),
    ahead: Number(ahead.count),
  };
}

/** The middle and the slowest but one in a hundred, in epochs. */
export function paceOf(tookMs: readonly number[], epochMs: number): Pick<Pace, 'expected' | 'slow'> {
  if (tookMs.length < HISTORY_MIN) return UNKNOWN;
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0) / epochMs;
  return { expected: at(0.5), slow: at(0.99) };
}

/** Assumed where the database does not answer. */
export const unknownPace: Pace = { ...UNKNOWN, slots: 1, ahead: 0 };
