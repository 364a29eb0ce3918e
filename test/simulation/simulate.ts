import { CatchingUp } from '../../src/chain/catching-up.ts';
import { poStProofType } from '../../src/filecoin/proof-types.ts';
import { decide } from '../../src/poster/decide.ts';
import { Random } from '../chaos/random.ts';
import type { Post } from './miner-state.ts';
import { Oracle, type Outcome } from './oracle.ts';
import type { Plan } from './plan.ts';
import { SimChain } from './sim-chain.ts';
import { SimMaster } from './sim-master.ts';
import { Killed, SimNode } from './sim-node.ts';
import { MAX_FEE, SimOutbox } from './sim-outbox.ts';
import { type Judgement, paceOf, type SimParts } from './sim-parts.ts';
import { SimPoster } from './sim-poster.ts';
import { SimRecoverer } from './sim-recoverer.ts';

export interface Verdict {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** Of the final chain. */
  readonly posts: readonly Post[];
  readonly deadlines: number;
  readonly kills: number;
  readonly reorganisations: number;
  readonly messages: number;
}

const GENESIS_MS = 1_700_000_000_000;
const EPOCH_MS = 30_000;

/** One process of the manager: what it remembers dies with it. */
class Process {
  readonly #parts: SimParts;
  readonly #poster: SimPoster;
  readonly #recoverer: SimRecoverer;
  readonly #catchingUp = new CatchingUp();

  constructor(parts: SimParts) {
    this.#parts = parts;
    this.#poster = new SimPoster(parts);
    this.#recoverer = new SimRecoverer(parts);
  }

  onHead(height: number, nowMs: number): void {
    const head = { key: [], height, minTimestamp: (GENESIS_MS + height * EPOCH_MS) / 1000 };
    if (this.#catchingUp.isCatchingUp(head, nowMs)) return;
    this.#poster.onHead(height);
    this.#recoverer.onHead(height);
    if (!this.#parts.outbox.advance(height)) return;
    this.#poster.onHead(height);
    this.#parts.outbox.advance(height);
  }
}

/** Runs what the seed says, to its end; the same seed gives the same verdict. */
export function simulate(
  plan: Plan,
  init: { readonly judgement?: Judgement; readonly tell?: (line: string) => void } = {},
): Verdict {
  const random = new Random(plan.seed ^ 0x5eed);
  const node = new SimNode(plan, random);
  const tell = (text: () => string) => init.tell?.(`epoch ${node.epoch}: ${text()}`);
  const chain = new SimChain(plan, random, poStProofType(plan.proofType).partitionSectors);
  const oracle = new Oracle({ plan, chain, reserve: Math.max(15, 10 + paceOf(plan).slow), maxFee: MAX_FEE });
  const outbox = new SimOutbox({ plan, node, chain, tell, onPush: (push, earlier) => oracle.onPush(push, earlier) });
  const master = new SimMaster(plan, random, (proof, epoch) => oracle.onProof(proof, epoch));
  const parts: SimParts = {
    plan,
    random,
    node,
    chain,
    master,
    outbox,
    judgement: init.judgement ?? { decide },
    tell,
    rows: new Map(),
    declared: [],
    onGivenUp: (run, partition, given) => oracle.onGivenUp(node.epoch, run, partition, given),
  };
  const { weather, policy, start } = plan;
  let process: Process | undefined;
  let startsAt = 0;
  let kills = 0;
  let clockOffset = 0;
  for (let epoch = 1; epoch < plan.epochs; epoch++) {
    node.epoch = epoch;
    chain.tick(epoch);
    master.tick(epoch);
    if (chain.upsets.at(-1)?.epoch === epoch)
      tell(() => `the chain was reorganised from ${chain.upsets.at(-1)?.from} on`);
    const deadline = (epoch + policy.faultDeclarationCutoff - start) / policy.challengeWindow;
    if (Number.isInteger(deadline) && deadline >= policy.periodDeadlines)
      oracle.onCutoff(epoch, epoch + policy.faultDeclarationCutoff, deadline % policy.periodDeadlines);
    if (weather.blows('clock-steps', epoch) && random.chance(0.2)) clockOffset = random.between(-3_600_000, 3_600_000);
    if (process === undefined && epoch >= startsAt) process = new Process(parts);
    if (weather.blows('node-away', epoch)) continue;
    try {
      process?.onHead(chain.top.height, GENESIS_MS + epoch * EPOCH_MS + clockOffset);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      process = undefined;
      startsAt = epoch + random.between(0, 3);
      kills++;
      tell(() => 'the process was killed');
    }
  }
  const outcomes = oracle.judge();
  const unfinished = [...parts.rows.values()].filter((row) => !row.finished).length;
  if (unfinished > 0) oracle.problems.push(`${unfinished} runs never ended`);
  return {
    seed: plan.seed,
    problems: oracle.problems,
    outcomes,
    posts: chain.posts,
    deadlines: plan.periods * policy.periodDeadlines,
    kills,
    reorganisations: chain.upsets.length,
    messages: outbox.pushes.length,
  };
}
