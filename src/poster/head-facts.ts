import type { TipSet } from '../chain/tipset.ts';
import { idAddress } from '../filecoin/address.ts';
import type { Bitfield } from '../filecoin/bitfield.ts';
import { RandomnessTag } from '../filecoin/randomness.ts';
import { search } from '../outbox/look-up.ts';
import { challengeRandomness } from './challenge.ts';
import type { PosterComponents } from './components.ts';
import { epochLength } from './epoch-time.ts';
import type { Pace } from './facts.ts';
import { readPace, unknownPace } from './pace.ts';
import type { Run } from './run.ts';

/** What holds as long as the head does. */
export class HeadFacts {
  readonly #components: PosterComponents;
  readonly #head: TipSet;
  readonly #answers = new Map<string, Promise<unknown>>();
  readonly #missing = new Set<string>();

  constructor(components: PosterComponents, init: { readonly head: TipSet }) {
    this.#components = components;
    this.#head = init.head;
  }

  get head(): TipSet {
    return this.#head;
  }

  /** Nothing that was asked for is missing. */
  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  /** Challenge randomness of the run; undefined where it cannot be read now. */
  challenge(run: Run): Promise<Uint8Array | undefined> {
    const { chain } = this.#components;
    return this.#once(run, 'reading the challenge failed', () =>
      challengeRandomness(chain, run.minerId, run.challenge, this.#head.key),
    );
  }

  commitment(run: Run): Promise<Uint8Array | undefined> {
    const { chain } = this.#components;
    return this.#once(run, 'reading the chain commitment failed', () =>
      chain.ticketRandomness(RandomnessTag.PoStChainCommit, run.challenge, null, this.#head.key),
    );
  }

  /** Indices of the partitions that the chain counts as proven in the run's deadline. */
  posted(run: Run): Promise<Bitfield | undefined> {
    const { chain } = this.#components;
    return this.#once(run, 'reading the posted partitions failed', async () => {
      const deadlines = await chain.deadlines(idAddress(run.minerId), this.#head.key);
      return deadlines[run.deadline]?.postSubmissions;
    });
  }

  /** Whether the chain has executed a message of the run, and without an error. */
  isExecuted(run: Run, cid: string): Promise<boolean | undefined> {
    const ask = async () => (await search(this.#components, cid, run.open, this.#head))?.exitCode === 0;
    return this.#once(run, 'looking for the message failed', ask, cid);
  }

  async pace(run: Run): Promise<Pace> {
    const { chain, clock, db } = this.#components;
    const read = async () => {
      const epochMs = await epochLength(chain, this.#head);
      return await readPace(db, { run, epochMs, now: clock.now() });
    };
    return (await this.#once(run, 'reading the pace of proofs failed', read)) ?? unknownPace;
  }

  /** Asked once while it is answered; a failure is told and asked again at the next turn. */
  async #once<T>(run: Run, what: string, ask: () => Promise<T>, key = what): Promise<T | undefined> {
    const known = this.#answers.get(key);
    const answer = (known as Promise<T> | undefined) ?? ask();
    this.#answers.set(key, answer);
    try {
      const value = await answer;
      this.#missing.delete(key);
      return value;
    } catch (err) {
      this.#missing.add(key);
      this.#answers.delete(key);
      this.#components.logger.warn({ err, minerId: run.minerId, deadline: run.deadline }, what);
      return undefined;
    }
  }
}
