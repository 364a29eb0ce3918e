import { chunkUnion } from '../../src/filecoin/partitions.ts';
import type { DeadlinePolicy } from '../../src/filecoin/policy.ts';
import { numbersOf } from './sectors.ts';

/** A proof as the simulation sees it: what it was made of. */
export interface Proof {
  readonly partition: number;
  readonly sectors: number;
  readonly randomness: number;
}

/** What a message asks of the miner's actor. Partitions are counted through all deadlines. */
export type Payload =
  | {
      readonly kind: 'post';
      readonly runId: number;
      readonly deadline: number;
      readonly challenge: number;
      readonly open: number;
      readonly close: number;
      readonly commitment: number;
      readonly partitions: readonly { readonly partition: number; readonly skipped: number; readonly proof: Proof }[];
    }
  | {
      readonly kind: 'recover';
      readonly cutoff: number;
      readonly sectors: readonly { readonly partition: number; readonly bits: number }[];
    }
  /** It only uses up its nonce. */
  | { readonly kind: 'nothing' };

/** A post that the chain took. */
export interface Post {
  /** Of its block. */
  readonly height: number;
  readonly open: number;
  readonly challenge: number;
  readonly partition: number;
  readonly skipped: number;
  /** Sectors that the proof must be of. */
  readonly proven: number;
  readonly proof: Proof;
  /** The partitions of its message are what the verifier cuts their sectors into. */
  readonly isCutRight: boolean;
}

/** By partition; never changed, only replaced. */
export interface MinerState {
  readonly faulty: Int32Array;
  readonly recovering: Int32Array;
  /** Open of the deadline in which it was proven last. */
  readonly posted: Int32Array;
}

export interface Execution {
  readonly state: MinerState;
  readonly exitCode: number;
  readonly posts: readonly Post[];
}

interface Rules {
  readonly live: number;
  readonly partitionSectors: number;
}

const ILLEGAL_ARGUMENT = 16;

/** What the miner's actor does with a message in a block of this height; `randomness` is of that chain. */
export function execute(
  state: MinerState,
  payload: Payload,
  at: { readonly height: number; readonly randomness: (epoch: number) => number },
  rules: Rules,
): Execution {
  const refused = { state, exitCode: ILLEGAL_ARGUMENT, posts: [] };
  if (payload.kind === 'nothing') return { state, exitCode: 0, posts: [] };
  const faulty = state.faulty.slice();
  const recovering = state.recovering.slice();
  const posted = state.posted.slice();
  if (payload.kind === 'recover') {
    if (at.height >= payload.cutoff) return refused;
    for (const { partition, bits } of payload.sectors) {
      recovering[partition] = (recovering[partition] ?? 0) | (bits & (faulty[partition] ?? 0));
    }
    return { state: { faulty, recovering, posted }, exitCode: 0, posts: [] };
  }
  const { open, close, challenge, commitment } = payload;
  if (at.height < open || at.height >= close || commitment !== at.randomness(challenge)) return refused;
  const proven = payload.partitions.map(({ partition, skipped }) => {
    const active = (rules.live & ~(faulty[partition] ?? 0)) | (recovering[partition] ?? 0);
    return { partition, sectors: active & ~skipped };
  });
  const chunks = chunkUnion(
    proven.flatMap(({ partition, sectors }) => numbersOf(partition, sectors)),
    rules.partitionSectors,
  );
  const isCutRight =
    JSON.stringify(chunks) === JSON.stringify(proven.map(({ partition, sectors }) => numbersOf(partition, sectors)));
  const posts: Post[] = [];
  for (const [index, { partition, skipped, proof }] of payload.partitions.entries()) {
    const sectors = proven[index]?.sectors ?? 0;
    if (posted[partition] === open || sectors === 0) return refused;
    const recovered = (recovering[partition] ?? 0) & ~skipped;
    const holds = isCutRight && proof.sectors === sectors && proof.randomness === at.randomness(challenge);
    // Recovered power is verified at once, everything else when somebody disputes it.
    if (recovered !== 0 && !holds) return refused;
    posts.push({ height: at.height, open, challenge, partition, skipped, proven: sectors, proof, isCutRight });
    faulty[partition] = ((faulty[partition] ?? 0) | (skipped & rules.live)) & ~recovered;
    recovering[partition] = 0;
    posted[partition] = open;
  }
  return { state: { faulty, recovering, posted }, exitCode: 0, posts };
}

/** The end of every deadline that closes after `from`, up to and with `to`: what was not proven is faulty. */
export function closeDeadlines(
  state: MinerState,
  from: number,
  to: number,
  miner: {
    readonly policy: DeadlinePolicy;
    readonly start: number;
    readonly partitions: number;
    readonly live: number;
  },
): MinerState {
  const { challengeWindow, periodDeadlines } = miner.policy;
  let result = state;
  const first = Math.max(Math.floor((from - miner.start) / challengeWindow) + 1, 1);
  for (let count = first; miner.start + count * challengeWindow <= to; count++) {
    const open = miner.start + (count - 1) * challengeWindow;
    const deadline = (count - 1) % periodDeadlines;
    for (let index = 0; index < miner.partitions; index++) {
      const partition = deadline * miner.partitions + index;
      if (
        result.posted[partition] === open ||
        (result.faulty[partition] === miner.live && result.recovering[partition] === 0)
      )
        continue;
      const faulty = result.faulty.slice();
      const recovering = result.recovering.slice();
      faulty[partition] = miner.live;
      recovering[partition] = 0;
      result = { ...result, faulty, recovering };
    }
  }
  return result;
}
