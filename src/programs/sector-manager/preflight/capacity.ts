import { sql } from 'kysely';
import type { Chain } from '../../../chain/chain.ts';
import { type Database, databaseNow } from '../../../database/database.ts';
import type { MinerSettings } from '../../../poster/components.ts';
import { type Demand, demandOf, gpusNeeded } from './demand.ts';

export interface Capacity {
  readonly partitions: number;
  /** Of one partition with its reads, what nine of ten proofs stay below. */
  readonly proofMs: number;
  /** None was made yet: `proofMs` is assumed. */
  readonly isAssumed: boolean;
  /** GPUs without which deadlines are lost; one to spare is not counted. */
  readonly needed: number;
  readonly ready: number;
}

/** A partition of 32 GiB sectors on a GPU, and one of the sizes for tests. */
const ASSUMED_MS = { production: 7.5 * 60_000, test: 30_000 };
const PRODUCTION_SECTOR = 32 * 2 ** 30;
const MEASURED_PROOFS = 200;

/** What all miners together ask for, and the largest sector among them. */
export async function readDemand(
  chain: Chain,
  miners: readonly MinerSettings[],
): Promise<{ readonly demand: readonly Demand[]; readonly sectorSize: number }> {
  const head = await chain.head();
  const demand: Demand[] = [];
  let sectorSize = 0;
  for (const miner of miners) {
    demand.push(...(await demandOf(chain, miner, head)));
    sectorSize = Math.max(sectorSize, (await chain.minerInfo(miner.address, head.key)).sectorSize);
  }
  return { demand, sectorSize };
}

export async function readCapacity(
  db: Database,
  { demand, sectorSize }: Awaited<ReturnType<typeof readDemand>>,
): Promise<Capacity> {
  const [measured, ready] = await Promise.all([measuredProofMs(db), readySlots(db)]);
  const assumed = sectorSize < PRODUCTION_SECTOR ? ASSUMED_MS.test : ASSUMED_MS.production;
  const proofMs = measured ?? assumed;
  return {
    partitions: demand.reduce((sum, one) => sum + one.partitions, 0),
    proofMs,
    isAssumed: measured === undefined,
    needed: gpusNeeded(demand, proofMs),
    ready,
  };
}

/** One line for people: what is needed, and why. */
export function capacityText({ partitions, proofMs, isAssumed, needed, ready }: Capacity): string {
  const time = `${Math.round(proofMs / 1000)} s a proof${isAssumed ? ' (assumed: none was made yet)' : ''}`;
  const wanted = needed === 0 ? '0 GPU slots are wanted' : `${needed + 1} GPU slots are wanted, one of them to spare`;
  return `${partitions} ${partitions === 1 ? 'partition' : 'partitions'} at ${time}: ${wanted}; ${ready} ready`;
}

async function measuredProofMs(db: Database): Promise<number | undefined> {
  const rows = await db.kysely
    .selectFrom('task_attempts')
    .select(sql<number>`ended_at - started_at`.as('took'))
    .where('outcome', '=', 'proven')
    .where('ended_at', 'is not', null)
    .orderBy('ended_at', 'desc')
    .limit(MEASURED_PROOFS)
    .execute();
  const took = rows.map((row) => Number(row.took)).sort((a, b) => a - b);
  return took[Math.ceil(took.length * 0.9) - 1];
}

async function readySlots(db: Database): Promise<number> {
  const { ready } = await db.kysely
    .selectFrom('slaves')
    .select(({ fn }) => fn.sum<number | null>('slots').as('ready'))
    .where('left_at', 'is', null)
    .where('drained', '=', 0)
    .where('held_until', '<=', databaseNow)
    .executeTakeFirstOrThrow();
  return Number(ready ?? 0);
}
