import { Bitfield } from '../filecoin/bitfield.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { SectorCopy } from '../stores/sector-check.ts';
import type { Action } from './actions.ts';
import { afterMessage, afterMiss } from './after-message.ts';
import { batchPartitions } from './batches.ts';
import type { Facts, PartitionFacts, PostPolicy, SectorFault, TaskFact } from './facts.ts';
import { reserveOf } from './reserve.ts';
import { isUnproven, provenSectors, type Run, type RunPartition } from './run.ts';
import { isDoubtful, isTooMuch, wouldSkip } from './share.ts';

/** What is the same for all partitions of a run at one head. */
interface Now {
  readonly height: number;
  /** From this epoch on nothing is waited for. */
  readonly reserveBegins: number;
  readonly mayWait: boolean;
  readonly policy: PostPolicy;
}

/**
 * The poster's whole judgement: what to do for a run, given what is known. Pure, so that years of proving periods can be driven
 * through it in a test; the shell carries out the actions in order and writes before it acts.
 */
export function decide(run: Run, facts: Facts, policy: PostPolicy): Action[] {
  if (facts.height >= run.close) {
    // Until then the window may open again: by a reorganisation, or since one head was not of our chain.
    const isSettled = facts.height >= run.close + policy.messageConfidence;
    if (run.partitions.every(isOver)) return isSettled ? [{ kind: 'close' }] : [];
    return run.partitions.flatMap((partition) => afterClose(partition, facts, isSettled));
  }
  const { randomness, height } = facts;
  if (randomness !== undefined && !Buffer.from(randomness).equals(run.randomness))
    return [{ kind: 'restart', randomness }];

  const reserveBegins = run.close - reserveOf(run, facts.pace);
  const now = { height, reserveBegins, mayWait: height < reserveBegins, policy };
  const actions = run.partitions.flatMap((partition) =>
    beforeClose(run, partition, facts, facts.partitions.get(partition.index) ?? {}, now),
  );
  return [...actions, ...submissions(run, facts, policy)];
}

function beforeClose(run: Run, partition: RunPartition, facts: Facts, known: PartitionFacts, now: Now): Action[] {
  if (partition.refusedProof !== null && isUnproven(partition) && known.lookedAgainAt !== now.height)
    return [{ kind: 'look-again', partition: partition.index, from: partition.state }];
  if (known.pausedUntil !== undefined && now.height < known.pausedUntil) return [];
  switch (partition.state) {
    case 'checking':
    case 'left-out':
      return afterChecks(partition, known, now);
    case 'proving':
      return known.task === undefined ? [] : afterTask(partition, known.task, now);
    case 'sending':
    case 'landed':
      return afterMessage(run, partition, facts);
    case 'missed':
      return afterMiss(run, partition, facts);
    default:
      return [];
  }
}

function afterChecks(partition: RunPartition, known: PartitionFacts, now: Now): Action[] {
  const { index, state: from } = partition;
  const look: Action = { kind: 'check', partition: index, sectors: provenSectors(partition) };
  if (known.checks === undefined) return [look];
  const { atEpoch, endEpoch = atEpoch, sectors } = known.checks;
  const again = now.height >= endEpoch + now.policy.recheckInterval ? [look] : [];
  const isComplete = sectors.every((sector) => sector.verdict === 'good');
  // What was away may be back by now.
  if (!isComplete && again.length > 0) return again;
  const someUnknown = sectors.some((sector) => sector.verdict === 'unknown');
  const someElsewhere = sectors.some((sector) => sector.verdict === 'corrupt' && sector.doubt !== undefined);
  const skipped = wouldSkip(partition, sectors);
  const { maxSkipShare } = now.policy;
  const areMany = !isComplete && isDoubtful(partition, skipped, maxSkipShare);
  const isWaitedFor = someUnknown || someElsewhere || areMany;
  const proveWithout = (left: Bitfield): Action => {
    const read = sectors.filter((sector) => 'sealedFile' in sector).filter(({ number }) => !left.has(number));
    return { kind: 'prove', partition: index, from, skipped: left, sectors: read };
  };
  // Many that gave no proof are a wrong mount of a slave sooner than a loss: where no other copies are left, they are tried again.
  const unreadable = wouldSkip(
    partition,
    sectors.filter(({ verdict }) => verdict !== 'corrupt'),
  );
  const areCorrupt = unreadable.count < skipped.count;
  if (now.mayWait && isWaitedFor) {
    const mayRetry = areCorrupt && areMany && !someUnknown && !isDoubtful(partition, unreadable, maxSkipShare);
    return mayRetry ? [proveWithout(unreadable)] : [];
  }
  // Given up only after a look in the reserve itself.
  const mayGiveUp = atEpoch >= now.reserveBegins;
  if (!isTooMuch(partition, skipped, maxSkipShare)) {
    return isWaitedFor && !mayGiveUp ? [look] : [proveWithout(skipped)];
  }
  if (mayGiveUp && areCorrupt && !isTooMuch(partition, unreadable, maxSkipShare)) return [proveWithout(unreadable)];
  if (from === 'left-out') return [];
  if (!mayGiveUp) return [look];
  const first = sectors.find((sector) => sector.verdict !== 'good');
  return [leaveOut(partition, skipped, first === undefined ? '' : `sector ${first.number}: ${first.reason}`, [])];
}

function afterTask(partition: RunPartition, task: TaskFact, now: Now): Action[] {
  const { index, skipped } = partition;
  switch (task.state) {
    case 'running':
      return [];
    case 'proven':
      return [{ kind: 'accept', partition: index, proof: task.proof, tookMs: task.tookMs, mayRefuse: now.mayWait }];
    case 'failed':
      return [{ kind: 'recheck', partition: index, skipped, corrupt: [], reason: task.reason }];
    case 'faulted': {
      const first = task.faults[0];
      const reason = first === undefined ? 'no proof came back' : `sector ${first.sector}: ${first.reason}`;
      const mayGiveUp = !now.mayWait && (partition.provingEpoch ?? 0) >= now.reserveBegins;
      const before = new Set(partition.corrupt.map(({ number }) => number));
      const vain = task.faults.filter((fault) => fault.class === 'bad' || mayGiveUp);
      const corrupt = vain.flatMap(({ copy }) => copy ?? []);
      // The next look tells whether they have another copy. In the reserve one is tried, which takes no longer than to go on without.
      const isLast = ({ sector, copy }: SectorFault) => copy === undefined || (mayGiveUp && before.has(sector));
      const more = skipped.union(Bitfield.of(vain.filter(isLast).map(({ sector }) => sector)));
      const { maxSkipShare } = now.policy;
      const isDue = mayGiveUp || !isDoubtful(partition, more, maxSkipShare);
      if (isDue && !isTooMuch(partition, more, maxSkipShare))
        return [{ kind: 'recheck', partition: index, skipped: more, corrupt, reason }];
      // A slave that finds so much gone has the wrong mount sooner than a store that lost it: all are tried again.
      if (mayGiveUp) return [leaveOut(partition, more, reason, corrupt)];
      return [{ kind: 'recheck', partition: index, skipped, corrupt, reason }];
    }
  }
}

function leaveOut(partition: RunPartition, skipped: Bitfield, first: string, corrupt: readonly SectorCopy[]): Action {
  const reason = `${skipped.count} of ${partition.sectors.count} sectors cannot be read, too many to skip (MaxSkipShare); ${first}`;
  return { kind: 'leave-out', partition: partition.index, from: partition.state, corrupt, reason };
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

function isOver({ state }: RunPartition): boolean {
  return state === 'landed' || state === 'missed' || state === 'left-out';
}

function afterClose(partition: RunPartition, facts: Facts, isSettled: boolean): Action[] {
  if (isOver(partition)) return [];
  const { message, checks, posted } = facts.partitions.get(partition.index) ?? {};
  const missed = (reason: string): Action[] => [
    { kind: 'finish', partition: partition.index, state: 'missed', reason },
  ];
  if (partition.state !== 'sending')
    return missed(`the deadline closed while it was ${partition.state}${unreadable(checks)}`);
  if (message?.state === 'landed') {
    if (posted) return [{ kind: 'finish', partition: partition.index, state: 'landed', reason: null }];
    return posted === false && isSettled ? missed('the chain reorganised, and has its message no more') : [];
  }
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
