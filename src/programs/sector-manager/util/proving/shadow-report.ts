import { readableTime } from '../../../../cli/readable.ts';
import { textTable } from '../../../../cli/text-table.ts';
import type { Executor } from '../../../../database/database.ts';
import { formatAddress, idAddress } from '../../../../filecoin/address.ts';
import { shadowMessages } from '../../../../poster/shadow-store.ts';
import type { Verb } from '../verb.ts';
import { chosenMiner } from './miner-scope.ts';

const ATTO_PER_NANO = 1_000_000_000n;

export const shadowReport: Verb = {
  name: 'shadow-report',
  about: 'show what daemon run --shadow would have sent, and when; exits with 1 where a partition would have been lost',
  async run(toolbox, written) {
    const minerId = await chosenMiner(toolbox, written.options.miner);
    const { kysely } = await toolbox.database();
    const [messages, lost] = await Promise.all([shadowMessages(kysely, minerId), unsentPartitions(kysely, minerId)]);
    const sent = messages.map((row) => ({
      message: row.message_id,
      purpose: row.purpose,
      deadline: row.deadline,
      partitions: row.partitions === null ? null : (JSON.parse(row.partitions) as number[]),
      height: row.due_height,
      at: row.due_at,
      epochsAfterOpen: row.open_epoch === null ? null : row.due_height - row.open_epoch,
      epochsLeft: row.close_epoch === null ? null : row.close_epoch - row.due_height,
      refusal: row.refusal,
      fee: row.fee,
      postedByOthers: row.posted === null ? null : row.posted === 1,
    }));
    const rows = sent.map((one) => [
      readableTime(one.at),
      one.purpose,
      one.deadline ?? '-',
      one.partitions?.join(',') ?? '-',
      one.height,
      one.epochsAfterOpen ?? '-',
      one.epochsLeft ?? '-',
      one.fee === null ? '-' : `${BigInt(one.fee) / ATTO_PER_NANO}`,
      one.postedByOthers === null ? '-' : one.postedByOthers ? 'yes' : 'no',
      one.refusal ?? '',
    ]);
    const headings = [
      'time',
      'purpose',
      'deadline',
      'partitions',
      'epoch',
      'after open',
      'left',
      'nanoFIL',
      'posted',
      'refused',
    ];
    const proofs = sent.filter((one) => one.purpose === 'submit' && one.refusal === null);
    const unproven = lost.map(
      (one) => `deadline ${one.deadline}, partition ${one.partition} would have been lost: ${one.reason}`,
    );
    return {
      json: { miner: formatAddress(idAddress(minerId)), messages: sent, lost },
      text: [
        ...(rows.length === 0 ? [] : [textTable(headings, rows)]),
        `${proofs.length} window PoSt messages would have been sent, ${lost.length} partitions lost`,
        ...unproven,
      ].join('\n'),
      exitCode: lost.length === 0 ? 0 : 1,
    };
  },
};

/** Partitions of closed deadlines for which no message was ever made. */
async function unsentPartitions(db: Executor, minerId: number) {
  const rows = await db
    .selectFrom('post_runs')
    .innerJoin('post_partitions', 'post_partitions.run_id', 'post_runs.id')
    .select(['post_runs.open_epoch', 'post_runs.deadline', 'post_partitions.partition_index', 'post_partitions.reason'])
    .where('post_runs.miner_id', '=', minerId)
    .where('post_partitions.state', '=', 'missed')
    .where('post_partitions.message_id', 'is', null)
    .orderBy('post_runs.open_epoch')
    .orderBy('post_partitions.partition_index')
    .execute();
  return rows.map((row) => ({
    open: row.open_epoch,
    deadline: row.deadline,
    partition: row.partition_index,
    reason: row.reason,
  }));
}
