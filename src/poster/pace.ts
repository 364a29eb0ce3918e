import type { Database } from '../database/database.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { Pace } from './facts.ts';

/** Proofs looked back at. */
const HISTORY = 200;
/** With fewer than these nothing is said of the next ones. */
const HISTORY_MIN = 5;
/** Epochs of a 32 GiB proof with its reads: 263 s are published for the proof alone, on a GPU kept hot. */
const UNKNOWN = { expected: 9, slow: 15 };

/** How fast proofs of this type came lately on this cluster's slaves, and how many are made side by side now. */
export async function readPace(
  db: Database,
  init: { readonly proofType: number; readonly epochMs: number; readonly now: number },
): Promise<Pace> {
  const [proofs, slaves] = await Promise.all([
    db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'post_partitions.run_id')
      .select('took_ms')
      .where('proven_at', 'is not', null)
      .where('took_ms', 'is not', null)
      .where('proof_type', '=', init.proofType)
      .orderBy('proven_at', 'desc')
      .limit(HISTORY)
      .execute(),
    db.kysely
      .selectFrom('slaves')
      .select(['slots', 'sector_size'])
      .where('left_at', 'is', null)
      .where('drained', '=', 0)
      .where('held_until', '<=', init.now)
      .execute(),
  ]);
  const { sectorSize } = poStProofType(init.proofType);
  const slots = slaves
    .filter((slave) => slave.sector_size === null || slave.sector_size === Number(sectorSize))
    .reduce((sum, slave) => sum + slave.slots, 0);
  return {
    ...paceOf(
      proofs.flatMap(({ took_ms }) => took_ms ?? []),
      init.epochMs,
    ),
    slots: Math.max(slots, 1),
  };
}

/** The middle and the slowest but one in a hundred, in epochs. */
export function paceOf(tookMs: readonly number[], epochMs: number): Omit<Pace, 'slots'> {
  if (tookMs.length < HISTORY_MIN) return UNKNOWN;
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0) / epochMs;
  return { expected: at(0.5), slow: at(0.99) };
}

/** Assumed where the database does not answer. */
export const unknownPace: Pace = { ...UNKNOWN, slots: 1 };
