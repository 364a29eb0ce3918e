import { Bitfield } from '../filecoin/bitfield.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { Action } from './actions.ts';
import { batchPartitions } from './batches.ts';
import type { Facts, PartitionFacts, PostPolicy, TaskFact } from './facts.ts';
import { isFinished, provenSectors, type Run, type RunPartition } from './run.ts';

/**
 * The poster's whole judgement: what to do for a run, given what is known. Pure, so that years of proving periods can be driven
 * through it in a test; the shell carries out the actions in order and writes before it acts.
 */
export function decide(run: Run, facts: Facts, policy: PostPolicy): Action[] {
  if (run.partitions.every(isFinished)) return [{ kind: 'close' }];
  if (facts.height >= run.close) return run.partitions.flatMap((partition) => afterClose(partition, facts));

  const { randomness } = facts;
  if (randomness !== undefined && !Buffer.from(randomness).equals(run.randomness))
    return [{ kind: 'restart', randomness }];

  const actions = run.partitions.flatMap((partition) =>
    beforeClose(run, partition, facts.partitions.get(partition.index) ?? {}, facts.height, policy),
  );
  return [...actions, ...submissions(run, facts, policy)];
}

function beforeClose(
  run: Run,
  partition: RunPartition,
  known: PartitionFacts,
  height: number,
  policy: PostPolicy,
): Action[] {
  if (known.pausedUntil !== undefined && height < known.pausedUntil) return [];
  const mayWait = height < run.close - policy.reserve;
  switch (partition.state) {
    case 'checking':
      return afterChecks(partition, known, height, mayWait, policy);
    case 'proving':
      return known.task === undefined ? [] : afterTask(partition, known.task, mayWait);
    case 'sending':
      return afterMessage(run, partition, known);
    default:
      return [];
  }
}

function afterChecks(
  partition: RunPartition,
  known: PartitionFacts,
  height: number,
  mayWait: boolean,
  policy: PostPolicy,
): Action[] {
  const look: Action = { kind: 'check', partition: partition.index, sectors: provenSectors(partition) };
  if (known.checks === undefined) return [look];
  const { atEpoch, sectors } = known.checks;
  const good = sectors.filter((sector) => sector.verdict === 'good');
  const waitsFor = mayWait && sectors.some((sector) => sector.verdict === 'unknown');
  // A partition of which nothing can be read has no proof; its files may still come back before Close.
  if (waitsFor || good.length === 0) return height >= atEpoch + policy.recheckInterval ? [look] : [];
  const missing = sectors.filter((sector) => sector.verdict !== 'good').map((sector) => sector.number);
  const skipped = partition.skipped.union(Bitfield.of(missing));
  return [{ kind: 'prove', partition: partition.index, skipped, sectors: good }];
}

function afterTask(partition: RunPartition, task: TaskFact, mayWait: boolean): Action[] {
  const { index, skipped } = partition;
  switch (task.state) {
    case 'running':
      return [];
    case 'proven':
      return [{ kind: 'accept', partition: index, proof: task.proof }];
    case 'failed':
      return [{ kind: 'recheck', partition: index, skipped, reason: task.reason }];
    case 'faulted': {
      const given = task.faults.filter((fault) => fault.class === 'bad' || !mayWait).map((fault) => fault.sector);
      const first = task.faults[0];
      const reason = first === undefined ? 'no proof came back' : `sector ${first.sector}: ${first.reason}`;
      const more = skipped.union(Bitfield.of(given));
      // A slave that finds nothing at all has the wrong mount sooner than a store that lost every sector: all are tried again.
      const allGone = partition.sectors.subtract(more).isEmpty;
      return [{ kind: 'recheck', partition: index, skipped: allGone ? skipped : more, reason }];
    }
  }
}

function afterMessage(run: Run, partition: RunPartition, known: PartitionFacts): Action[] {
  const { index } = partition;
  if (known.message?.state === 'landed') return [{ kind: 'finish', partition: index, state: 'landed', reason: null }];
  if (known.message?.state !== 'failed' || known.posted === undefined) return [];
  if (known.posted) return [{ kind: 'finish', partition: index, state: 'landed', reason: 'already proven on chain' }];
  const solitary = run.partitions.some((other) => other.index !== index && other.messageId === partition.messageId);
  return [
    {
      kind: 'resend',
      partition: index,
      // Without a proof: the challenge changed while it was under way.
      to: partition.proof === null ? 'checking' : 'proven',
      solitary: solitary || partition.solitary,
      reason: known.message.reason,
    },
  ];
}

function submissions(run: Run, facts: Facts, policy: PostPolicy): Action[] {
  if (facts.height < run.open + policy.submitConfidence || facts.randomness === undefined) return [];
  const ready = run.partitions.filter(
    (partition) =>
      partition.state === 'proven' && facts.height >= (facts.partitions.get(partition.index)?.pausedUntil ?? 0),
  );
  const { partitionSectors } = poStProofType(run.proofType);
  return batchPartitions(ready, policy.maxPartitions, partitionSectors).map((partitions) => ({
    kind: 'submit',
    partitions,
  }));
}

function afterClose(partition: RunPartition, facts: Facts): Action[] {
  if (isFinished(partition)) return [];
  const { message, checks } = facts.partitions.get(partition.index) ?? {};
  const missed = (reason: string): Action[] => [
    { kind: 'finish', partition: partition.index, state: 'missed', reason },
  ];
  if (partition.state !== 'sending')
    return missed(`the deadline closed while it was ${partition.state}${unreadable(checks)}`);
  if (message?.state === 'landed')
    return [{ kind: 'finish', partition: partition.index, state: 'landed', reason: null }];
  if (message?.state === 'failed') return missed(message.reason);
  // Its nonce has to be used, so it lands some day, if only to be refused.
  return [];
}

function unreadable(checks: PartitionFacts['checks']): string {
  const doubtful = checks?.sectors.filter((sector) => sector.verdict !== 'good') ?? [];
  const [first] = doubtful;
  if (first === undefined) return '';
  return `; ${doubtful.length} of ${checks?.sectors.length} sectors were not there, the first is ${first.number}: ${first.reason}`;
}
