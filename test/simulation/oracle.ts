import type { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';
import type { Proof } from './miner-state.ts';
import type { Plan } from './plan.ts';
import { countBits, fieldOf, sectorOf } from './sectors.ts';
import type { SimChain } from './sim-chain.ts';
import type { Push } from './sim-outbox.ts';
import { MAX_SKIP_SHARE } from './sim-parts.ts';
import type { Storm } from './weather.ts';

/** Of one partition in one deadline. */
export interface Outcome {
  readonly open: number;
  readonly partition: number;
  readonly end: 'proven' | 'skipped some' | 'lost';
  /** The weather from its challenge to its close. */
  readonly storms: readonly Storm[];
  readonly hadUnreadable: boolean;
}

/** Calm epochs in which a partition must get from nothing to the chain, beside its proof: pauses, looks, null rounds, inclusion. */
const REACTION = 14;
/** The last of them in which a message may go. */
const SUBMISSION = 6;
/** After a second failure in a row. */
const PAUSE = 2;

/** Judges from what the chain and the stores really were, never from what the manager believes. */
export class Oracle {
  readonly problems: string[] = [];
  readonly #plan: Plan;
  readonly #chain: SimChain;
  readonly #reserve: number;
  readonly #maxFee: bigint;
  /** The first of its kind: when it was there. */
  readonly #proofs = new Map<string, number>();

  constructor(init: {
    readonly plan: Plan;
    readonly chain: SimChain;
    readonly reserve: number;
    readonly maxFee: bigint;
  }) {
    this.#plan = init.plan;
    this.#chain = init.chain;
    this.#reserve = init.reserve;
    this.#maxFee = init.maxFee;
  }

  /** A slave made it. */
  onProof({ randomness, partition, sectors }: Proof, epoch: number): void {
    const key = `${randomness}/${partition}/${sectors}`;
    if (!this.#proofs.has(key)) this.#proofs.set(key, epoch);
  }

  /** Sectors are about to be left out of a proof. */
  onGivenUp(epoch: number, run: Run, { index }: RunPartition, given: Bitfield): void {
    const { stores, weather, partitions, proveEpochs } = this.#plan;
    const partition = run.deadline * partitions + index;
    const reserve = run.close - this.#reserve;
    // What the slaves report may be as old as their proof.
    const since = epoch - proveEpochs - 5;
    // One copy may have been called unreadable before the other one was read.
    const blamedSince = since - stores.triesInVain(partition) * (proveEpochs + 5);
    if (weather.during(blamedSince, epoch + 1).includes('false-faults')) return;
    for (const number of given) {
      const isAlways = (holds: (at: number) => boolean, from: number) => {
        for (let at = from; at <= epoch; at++) if (!holds(at)) return false;
        return true;
      };
      const bit = 1 << sectorOf(number);
      const wasBad = !isAlways((at) => (stores.bad(partition, at) & bit) === 0, since);
      if (wasBad) continue;
      const where = `epoch ${epoch}, deadline at ${run.open}, partition ${partition}, sector ${number}`;
      if (epoch < reserve) this.problems.push(`${where}: given up ${reserve - epoch} epochs before the reserve`);
      else if (isAlways((at) => (stores.unreadable(partition, at) & bit) === 0, reserve - 1))
        this.problems.push(`${where}: given up, though it could be read since before the reserve`);
    }
  }

  onPush(push: Push, earlier: readonly Push[]): void {
    const { message, payload, epoch } = push;
    const where = `epoch ${epoch}, nonce ${message.nonce}`;
    if (message.gasFeeCap * BigInt(message.gasLimit) > this.#maxFee)
      this.problems.push(`${where}: the fee is above its budget`);
    if (payload.kind !== 'post') return;
    if (epoch < payload.open + this.#plan.submitConfidence)
      this.problems.push(`${where}: sent before Open + SubmitConfidence`);
    if (payload.partitions.length > this.#plan.maxPartitions)
      this.problems.push(`${where}: too many partitions in a message`);
    if (epoch >= payload.close + 5 && !earlier.some((one) => one.message.nonce === message.nonce))
      this.problems.push(`${where}: first pushed after the deadline at ${payload.open} closed`);
    for (const { partition } of payload.partitions) {
      const double = earlier.find(
        (one) =>
          one.message.nonce !== message.nonce &&
          one.payload.kind === 'post' &&
          one.payload.open === payload.open &&
          // One that commits to another chain is refused on this one, and this one there.
          one.payload.commitment === payload.commitment &&
          one.payload.partitions.some((other) => other.partition === partition) &&
          !this.#isDead(one.message.nonce),
      );
      if (double !== undefined)
        this.problems.push(`${where}: partition ${partition} was sent with nonce ${double.message.nonce} already`);
    }
  }

  /** Its message failed on the chain, or a transfer of nothing took its place. */
  #isDead(nonce: number): boolean {
    const landing = this.#chain.find(nonce);
    return landing !== undefined && (landing.exitCode !== 0 || landing.message.payload.kind === 'nothing');
  }

  /** When the time to declare recoveries for a deadline is over. */
  onCutoff(epoch: number, open: number, deadline: number): void {
    const { weather, stores, partitions } = this.#plan;
    const from = epoch - REACTION;
    const { state } = this.#chain.top;
    for (let at = from; at < epoch; at++) if (!weather.isCalm(at)) return;
    for (let index = 0; index < partitions; index++) {
      const partition = deadline * partitions + index;
      let readable =
        (state.faulty[partition] ?? 0) &
        ~(state.recovering[partition] ?? 0) &
        (this.#chain.at(from).state.faulty[partition] ?? 0);
      for (let at = from; at < epoch; at++) readable &= ~stores.unreadable(partition, at);
      if (readable === 0) continue;
      const sectors = [...fieldOf(partition, readable)].join(', ');
      this.problems.push(`epoch ${epoch}: ${sectors} could be read and were not declared recovered for ${open}`);
    }
  }

  /** The whole story, once it is over. */
  judge(): Outcome[] {
    const plan = this.#plan;
    const { policy, start, periods, partitions } = plan;
    const posts = new Map(this.#chain.posts.map((post) => [`${post.open}/${post.partition}`, post]));
    const outcomes: Outcome[] = [];
    for (let count = 0; count < periods * policy.periodDeadlines; count++) {
      const open = start + count * policy.challengeWindow;
      const { state } = this.#chain.at(open - 1);
      for (let index = 0; index < partitions; index++) {
        const partition = (count % policy.periodDeadlines) * partitions + index;
        const recovering = state.recovering[partition] ?? 0;
        const sectors = (this.#chain.live & ~(state.faulty[partition] ?? 0)) | recovering;
        if (sectors === 0) continue;
        const post = posts.get(`${open}/${partition}`);
        const [from, close] = [open - policy.challengeLookback, open + policy.challengeWindow];
        const where = `deadline at ${open}, partition ${partition}`;
        if (post === undefined) {
          const could = this.#couldLand(open, partition, sectors, recovering);
          if (could !== undefined) this.problems.push(`${where}: lost, though ${could}`);
        } else {
          const isTrue =
            post.proof.randomness === this.#chain.randomness(post.challenge) && post.proof.sectors === post.proven;
          if (!isTrue || !post.isCutRight) this.problems.push(`${where}: its accepted proof can be disputed`);
          if (isTooDear(sectors, recovering, post.skipped))
            this.problems.push(`${where}: ${countBits(post.skipped)} sectors were skipped, more than the share`);
        }
        let unreadable = 0;
        for (let at = from; at < close; at++) unreadable |= sectors & plan.stores.unreadable(partition, at);
        outcomes.push({
          open,
          partition,
          end: post === undefined ? 'lost' : post.skipped === 0 ? 'proven' : 'skipped some',
          storms: plan.weather.during(from, close),
          hadUnreadable: unreadable !== 0,
        });
      }
    }
    return outcomes;
  }

  /** Why this partition could have been proven, if it could. */
  #couldLand(open: number, partition: number, sectors: number, recovering: number): string | undefined {
    const { policy, weather, stores, challengeConfidence, submitConfidence, proveEpochs } = this.#plan;
    const close = open + policy.challengeWindow;
    const challenge = open - policy.challengeLookback;
    const first = challenge + challengeConfidence;
    const upset = this.#chain.upsets
      .filter(({ epoch }) => epoch >= first)
      .filter(
        ({ from, payloads }) =>
          from <= challenge ||
          payloads.some(
            (one) =>
              one.kind === 'post' && one.open === open && one.partitions.some((each) => each.partition === partition),
          ),
      )
      .reduce((latest, { epoch }) => Math.max(latest, epoch), 0);
    // What is read in vain first is found out as late as a proof would be there.
    const needed = REACTION + proveEpochs + stores.triesInVain(partition) * (proveEpochs + PAUSE);
    const enough = (unreadable: number) => unreadable !== sectors && !isTooDear(sectors, recovering, unreadable);
    let whole = 0;
    for (let at = Math.max(first, upset + 1); at < close; at++) {
      whole = weather.isPayable(at) && (sectors & stores.unreadable(partition, at)) === 0 ? whole + 1 : 0;
      const submitting = at + 1 - Math.max(at + 1 - whole, open + submitConfidence);
      if (whole >= needed && submitting >= SUBMISSION) return `all was well for ${whole} epochs until ${at}`;
    }
    // One that was made once is not made in vain, whatever became of it and of those who could make another.
    const made = this.#proofs.get(`${this.#chain.randomness(challenge)}/${partition}/${sectors}`);
    if (made !== undefined && made > upset && !weather.during(made, close).includes('lost-tasks')) {
      let sendable = 0;
      for (let at = made + 1; at < close; at++) {
        sendable = weather.isSendable(at) ? sendable + 1 : 0;
        const submitting = at + 1 - Math.max(at + 1 - sendable, open + submitConfidence);
        if (sendable >= REACTION && submitting >= SUBMISSION)
          return `it was proven at ${made} and could be sent until ${at}`;
      }
    }
    for (let at = Math.max(close - this.#reserve - needed, first); at < close; at++) {
      if (at <= upset || !weather.isPayable(at) || !enough(sectors & stores.unreadable(partition, at)))
        return undefined;
    }
    return 'it had sectors enough from before the reserve to its close';
  }
}

/** Days of reward: 4.51 for each active sector that is skipped, against 1 for each active and 4.51 for each recovering one left out. */
function isTooDear(sectors: number, recovering: number, skipped: number): boolean {
  const active = countBits(sectors & ~recovering);
  const recovered = countBits(sectors & recovering & ~skipped);
  return countBits(skipped & sectors & ~recovering) > MAX_SKIP_SHARE * (active + 4.51 * recovered);
}
