import type { Database } from '../../database/database.ts';
import { Bitfield } from '../../filecoin/bitfield.ts';
import type { PartitionResult } from './report.ts';

/** Every partition the manager took up so far, with the message that carried it, in the order of their deadlines. */
export async function readProgress(db: Database): Promise<Omit<PartitionResult, 'disputed'>[]> {
  const rows = await db.kysely
    .selectFrom('post_partitions as partition')
    .innerJoin('post_runs as run', 'run.id', 'partition.run_id')
    .leftJoin('messages as message', 'message.id', 'partition.message_id')
    .select([
      'run.period_start',
      'run.deadline',
      'partition.partition_index',
      'partition.sectors',
      'partition.skipped',
      'partition.recovering',
      'partition.state',
      'partition.proving_at',
      'partition.proven_at',
      'message.cid',
    ])
    .orderBy('run.open_epoch')
    .orderBy('partition.partition_index')
    .execute();
  return rows.map((row) => ({
    periodStart: row.period_start,
    deadline: row.deadline,
    partition: row.partition_index,
    sectors: Bitfield.fromRlePlus(row.sectors),
    skipped: Bitfield.fromRlePlus(row.skipped),
    recovering: Bitfield.fromRlePlus(row.recovering),
    state: row.state,
    provingAt: row.proving_at,
    provenAt: row.proven_at,
    messageCid: row.cid,
  }));
}
