import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Action } from '../../src/poster/actions.ts';
import { allCopies } from '../../src/poster/corrupt-copies.ts';
import { pauseUntil } from '../../src/poster/reserve.ts';
import { type PartitionState, provenSectors, type Run } from '../../src/poster/run.ts';
import { bitsOf, sectorOf } from './sectors.ts';
import { type Call, NodeAway } from './sim-node.ts';
import { paceOf, type SimMemory, type SimParts } from './sim-parts.ts';
import { move, type Row, randomnessBytes, randomnessOf, restart } from './sim-rows.ts';

const MOST_REFUSED = 3;

interface Setting {
  readonly row: Row;
  /** As it was decided about. */
  readonly run: Run;
  readonly memory: SimMemory;
  readonly height: number;
}

/** What carry-out.ts does, in rows of a map. @throws NodeAway, Killed */
export function carryOut(parts: SimParts, action: Action, setting: Setting): void {
  const { node, master, plan } = parts;
  const { row, run, memory, height } = setting;
  parts.tell(() => `deadline at ${run.open}: ${told(action)}`);
  switch (action.kind) {
    case 'close':
      row.finished = true;
      return;
    case 'restart':
      memory.checks.clear();
      for (const id of restart(row, run, action.randomness)) parts.outbox.withdraw(id);
      return;
    case 'check': {
      const partition = run.deadline * plan.partitions + action.partition;
      const corrupt = partitionOf(run, action.partition)?.corrupt;
      const sectors = [...action.sectors].map((number) =>
        plan.stores.check(partition, sectorOf(number), node.epoch, corrupt),
      );
      memory.checks.set(action.partition, { atEpoch: height, sectors });
      return;
    }
    case 'prove': {
      if (plan.weather.blows('master-away', node.epoch)) throw new NodeAway('master');
      const partition = run.deadline * plan.partitions + action.partition;
      const sectors = bitsOf(action.sectors.map((sector) => sector.number));
      const second = bitsOf(action.sectors.flatMap((copy) => (copy.sealedFile === 'second' ? [copy.number] : [])));
      const proof = { partition, sectors, randomness: randomnessOf(run.randomness) };
      const taskId = master.submit(proof, second, run.close);
      node.mayDie();
      givesUp(parts, run, action.partition, action.skipped);
      move(row, run, action.partition, action.from, {
        state: 'proving',
        taskId,
        skipped: action.skipped,
        provingEpoch: height,
      });
      return;
    }
    case 'recheck':
      memory.checks.delete(action.partition);
      pause(parts, setting, action.partition);
      givesUp(parts, run, action.partition, action.skipped);
      move(row, run, action.partition, 'proving', {
        state: 'checking',
        taskId: null,
        skipped: action.skipped,
        corrupt: allCopies(partitionOf(run, action.partition)?.corrupt ?? [], action.corrupt),
      });
      return;
    case 'leave-out':
      if (action.from === 'proving') memory.checks.delete(action.partition);
      pause(parts, setting, action.partition);
      move(row, run, action.partition, action.from, {
        state: 'left-out',
        taskId: null,
        corrupt: allCopies(partitionOf(run, action.partition)?.corrupt ?? [], action.corrupt),
      });
      return;
    case 'accept':
      node.ask('randomness');
      node.ask('verify');
      if (!verifies(parts, run, action.partition, action.proof)) {
        memory.looksAgain.set(action.partition, height);
        doubt(parts, action, setting);
        throw new NodeAway('the proof does not verify');
      }
      store(setting, action.partition, 'proving', action.proof);
      return;
    case 'look-again': {
      memory.looksAgain.set(action.partition, height);
      const proof = partitionOf(run, action.partition)?.refusedProof ?? null;
      const isAway = ['randomness', 'verify'].some((call) => !answers(parts, call as Call));
      if (proof === null || isAway || !verifies(parts, run, action.partition, proof)) return;
      store(setting, action.partition, action.from, proof);
      return;
    }
    case 'submit':
      submit(parts, setting, action.partitions);
      return;
    case 'reopen': {
      const id = run.partitions.find((partition) => partition.index === action.partition)?.messageId ?? null;
      if (id === null) return;
      const isOpen = parts.outbox.reopen(id);
      move(
        row,
        run,
        action.partition,
        action.from,
        isOpen ? { state: 'sending' } : { state: 'proven', messageId: null },
      );
      return;
    }
    case 'resend': {
      pause(parts, setting, action.partition);
      const id = run.partitions.find((partition) => partition.index === action.partition)?.messageId ?? null;
      const moved = move(row, run, action.partition, action.from, {
        state: action.to,
        messageId: null,
        commitment: null,
        messageLimit: action.messageLimit,
      });
      if (moved && id !== null) parts.outbox.withdraw(id);
      return;
    }
    case 'finish': {
      const from = run.partitions.find((partition) => partition.index === action.partition)?.state;
      if (from !== undefined) move(row, run, action.partition, from, { state: action.state });
    }
  }
}

function answers({ node }: SimParts, call: Call): boolean {
  try {
    node.ask(call);
    return true;
  } catch (error) {
    if (error instanceof NodeAway) return false;
    throw error;
  }
}

function store({ row, run, memory }: Setting, index: number, from: PartitionState, proof: Uint8Array): void {
  if (!move(row, run, index, from, { state: 'proven', proof, refusedProof: null })) return;
  memory.failures.delete(index);
  memory.pausedUntil.delete(index);
}

/** As in accept-proof.ts: kept, refused while that helps, and counted when the master took it. */
function doubt(
  { chain, master, node, plan }: SimParts,
  { partition: index, proof, mayRefuse }: Extract<Action, { kind: 'accept' }>,
  { row, run }: Setting,
): void {
  const { taskId, refusedProofs } = partitionOf(run, index) ?? {};
  if (randomnessOf(run.randomness) !== chain.randomness(run.challenge)) return;
  if (!move(row, run, index, 'proving', { refusedProof: proof })) return;
  node.mayDie();
  if (!taskId || refusedProofs === undefined || !mayRefuse || refusedProofs >= MOST_REFUSED) return;
  if (plan.weather.blows('master-away', node.epoch) || !master.refuse(taskId, proof)) return;
  node.mayDie();
  move(row, run, index, 'proving', { refusedProofs: refusedProofs + 1 });
}

/** The rest that a partition takes after a failure. */
export function pause(parts: SimParts, { run, memory, height }: Setting, index: number): void {
  const failures = (memory.failures.get(index) ?? 0) + 1;
  memory.failures.set(index, failures);
  memory.pausedUntil.set(index, pauseUntil(run, paceOf(parts.plan), height, failures));
}

const partitionOf = (run: Run, index: number) => run.partitions.find((one) => one.index === index);

function givesUp(parts: SimParts, run: Run, index: number, skipped: Bitfield): void {
  const partition = run.partitions.find((one) => one.index === index);
  if (partition === undefined) return;
  const more = skipped.subtract(partition.skipped);
  if (!more.isEmpty) parts.onGivenUp(run, partition, more);
}

/** As against the challenge that the chain has now. */
function verifies({ master, chain, node, plan }: SimParts, run: Run, index: number, bytes: Uint8Array): boolean {
  const proof = master.proofOf(bytes);
  const partition = run.partitions.find((one) => one.index === index);
  return (
    !plan.weather.blows('wrong-verifier', node.epoch) &&
    proof !== undefined &&
    partition !== undefined &&
    proof.sectors === bitsOf(provenSectors(partition)) &&
    proof.randomness === chain.randomness(run.challenge)
  );
}

function submit(parts: SimParts, { row, run }: Setting, indices: readonly number[]): void {
  const { node, chain, master, outbox, plan } = parts;
  node.ask('randomness');
  node.ask('commitment');
  node.ask('verify');
  const partitions = run.partitions.filter((partition) => indices.includes(partition.index));
  const proofs = partitions.flatMap(({ index, proof, skipped }) => {
    const made = proof === null ? undefined : master.proofOf(proof);
    if (proof === null || made === undefined || !verifies(parts, run, index, proof)) return [];
    return [{ partition: run.deadline * plan.partitions + index, skipped: bitsOf(skipped), proof: made }];
  });
  if (proofs.length < partitions.length) {
    for (const { index, proof } of partitions) {
      const holds = proof !== null && verifies(parts, run, index, proof);
      move(
        row,
        run,
        index,
        'proven',
        holds ? { messageLimit: 1 } : { state: 'checking', proof: null, refusedProof: proof, taskId: null },
      );
    }
    throw new NodeAway('a proof does not verify');
  }
  // One transaction: all of it or nothing.
  const isProven = (index: number) => row.run.partitions.find((one) => one.index === index)?.state === 'proven';
  if (!indices.every(isProven)) return;
  const commitment = chain.randomness(run.challenge);
  const { id: runId, deadline, challenge, open, close } = run;
  const messageId = outbox.add({
    kind: 'post',
    runId,
    deadline,
    challenge,
    open,
    close,
    commitment,
    partitions: proofs,
  });
  for (const index of indices) {
    move(row, run, index, 'proven', { state: 'sending', messageId, commitment: randomnessBytes(commitment) });
  }
}

function told({ kind, ...rest }: Action): string {
  const show = (_: string, value: unknown) => {
    if (value instanceof Bitfield) return [...value].join(' ');
    return value instanceof Uint8Array ? undefined : value;
  };
  return `${kind} ${JSON.stringify(rest, show)}`;
}
