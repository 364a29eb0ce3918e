import { type DeadlineInfo, deadlineAt } from '../../src/filecoin/deadline.ts';
import type { Action } from '../../src/poster/actions.ts';
import type { Facts, PartitionFacts, PostPolicy } from '../../src/poster/facts.ts';
import { deadlinesToProve } from '../../src/poster/open-run.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';
import { runState } from '../../src/poster/run-state.ts';
import { fieldOf } from './sectors.ts';
import { carryOut, pause } from './sim-carry-out.ts';
import { NodeAway } from './sim-node.ts';
import { paceOf, postPolicy, type SimMemory, type SimParts } from './sim-parts.ts';
import { newPartition, type Row, randomnessBytes } from './sim-rows.ts';

/** Decisions at one head before it counts as one without end. */
const ROUNDS = 12;

/** The poster's shell without its database: `decide` and the rest that is pure, around rows of a map. */
export class SimPoster {
  readonly #parts: SimParts;
  readonly #policy: PostPolicy;
  readonly #memories = new Map<number, SimMemory>();
  /** What was decided last, for a second manager to carry out late. */
  #earlier: { readonly run: Run; readonly action: Action }[] = [];

  constructor(parts: SimParts) {
    this.#parts = parts;
    this.#policy = postPolicy(parts.plan);
  }

  onHead(height: number): void {
    try {
      this.#openRuns(height);
    } catch (error) {
      if (!(error instanceof NodeAway)) throw error;
    }
    for (const row of this.#parts.rows.values()) if (!row.finished) this.#advance(row, height);
  }

  #openRuns(height: number): void {
    const { node, plan, rows } = this.#parts;
    node.ask('deadline');
    const current = deadlineAt(plan.start, height, plan.policy);
    const end = plan.start + plan.periods * plan.policy.provingPeriod;
    for (const deadline of deadlinesToProve(current, plan.challengeConfidence)) {
      const { open } = deadline;
      if (open >= plan.start && open < end && !rows.has(open)) this.#openRun(deadline, height);
    }
  }

  #openRun(deadline: DeadlineInfo, height: number): void {
    const { node, chain, plan, rows } = this.#parts;
    node.ask('snapshot');
    const { state } = chain.at(height);
    const partitions: RunPartition[] = [];
    for (let index = 0; index < plan.partitions; index++) {
      const partition = deadline.index * plan.partitions + index;
      const recovering = state.recovering[partition] ?? 0;
      const sectors = (chain.live & ~(state.faulty[partition] ?? 0)) | recovering;
      if (sectors === 0) continue;
      partitions.push(newPartition(index, fieldOf(partition, sectors), fieldOf(partition, recovering)));
    }
    const run: Run = {
      id: deadline.open,
      minerId: 1001,
      periodStart: deadline.periodStart,
      deadline: deadline.index,
      challenge: deadline.challenge,
      open: deadline.open,
      close: deadline.close,
      proofType: plan.proofType,
      randomness: randomnessBytes(chain.randomness(deadline.challenge)),
      partitions,
      state: 'ok',
      stateReason: null,
    };
    rows.set(deadline.open, { run, finished: partitions.length === 0 });
    node.mayDie();
  }

  #advance(row: Row, height: number): void {
    const { judgement, plan, random, node } = this.#parts;
    const memory = this.#memory(row.run);
    for (let round = 0; round < ROUNDS; round++) {
      const { run } = row;
      const facts = this.#gather(run, memory, height);
      const { state, reason } = runState(run, facts, this.#policy);
      if (state !== run.state) row.run = { ...row.run, state, stateReason: reason };
      const actions = judgement.decide(run, facts, this.#policy);
      const isRepeating = plan.weather.blows('repeated-actions', node.epoch) && random.chance(0.3);
      const late = isRepeating ? this.#earlier.filter((earlier) => earlier.run.id === run.id) : [];
      this.#earlier = actions.map((action) => ({ run, action }));
      for (const action of actions) this.#try(row, run, action, memory, height);
      for (const { run: before, action } of late) this.#try(row, before, action, memory, height);
      if (row.finished || (actions.length === 0 && late.length === 0)) return;
    }
    if (plan.weather.isCalm(node.epoch)) throw new Error(`epoch ${node.epoch}: the poster decides without end`);
  }

  #memory(run: Run): SimMemory {
    const memory = this.#memories.get(run.id) ?? {
      checks: new Map(),
      pausedUntil: new Map(),
      looksAgain: new Map(),
      failures: new Map(),
    };
    this.#memories.set(run.id, memory);
    return memory;
  }

  #gather(run: Run, memory: SimMemory, height: number): Facts {
    const { chain, plan } = this.#parts;
    const isBefore = height < run.close;
    const read = () => randomnessBytes(chain.randomness(run.challenge));
    const randomness = isBefore ? this.#get('randomness', read) : undefined;
    const commitment = isBefore ? this.#get('commitment', read) : undefined;
    const partitions = new Map<number, PartitionFacts>();
    for (const partition of run.partitions) {
      partitions.set(partition.index, this.#partitionFacts(run, partition, memory, height));
    }
    return {
      height,
      ...(randomness && { randomness }),
      ...(commitment && { commitment }),
      pace: paceOf(plan),
      partitions,
    };
  }

  #partitionFacts(run: Run, partition: RunPartition, memory: SimMemory, height: number): PartitionFacts {
    const { node, chain, master, outbox, plan } = this.#parts;
    const { index, state, taskId, messageId } = partition;
    const checks = memory.checks.get(index);
    const pausedUntil = memory.pausedUntil.get(index);
    const lookedAgainAt = memory.looksAgain.get(index);
    const asksMaster = state === 'proving' && taskId !== null;
    const isMasterAway = plan.weather.blows('master-away', node.epoch) || node.isLost();
    const task = asksMaster && !isMasterAway ? master.get(taskId) : undefined;
    const isSent = state === 'sending' || state === 'landed' || state === 'missed';
    const message = isSent && messageId !== null ? outbox.fact(messageId) : undefined;
    const isOpen = height >= run.open && height < run.close;
    const at = run.deadline * plan.partitions + index;
    const posted =
      isSent && isOpen
        ? this.#get('posted', () => chain.at(height).state.posted[at] === run.open)
        : message?.state === 'landed' && height >= run.close
          ? chain.hasPosted(run.open, at)
          : undefined;
    return {
      ...(checks && { checks }),
      ...(task && { task }),
      ...(message && { message }),
      ...(posted !== undefined && { posted }),
      ...(lookedAgainAt !== undefined && { lookedAgainAt }),
      ...(pausedUntil !== undefined && { pausedUntil }),
    };
  }

  #get<T>(call: 'randomness' | 'commitment' | 'posted', read: () => T): T | undefined {
    try {
      this.#parts.node.ask(call);
    } catch (error) {
      if (error instanceof NodeAway) return undefined;
      throw error;
    }
    return this.#parts.node.isLost() ? undefined : read();
  }

  #try(row: Row, run: Run, action: Action, memory: SimMemory, height: number): void {
    const setting = { row, run, memory, height };
    const { node } = this.#parts;
    try {
      node.mayDie();
      carryOut(this.#parts, action, setting);
      node.mayDie();
    } catch (error) {
      if (!(error instanceof NodeAway)) throw error;
      const touched = 'partition' in action ? [action.partition] : 'partitions' in action ? action.partitions : [];
      for (const index of touched) pause(this.#parts, setting, index);
    }
  }
}
