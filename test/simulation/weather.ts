import type { Random } from '../chaos/random.ts';

/** What can be wrong with everything at once; sectors and stores have troubles of their own (stores.ts). */
export const storms = [
  /** No head comes and every call fails. */
  'node-away',
  /** Each call of each kind fails with some chance. */
  'rpc-errors',
  /** Every call of one kind fails. */
  'one-call-fails',
  /** The master answers nothing. */
  'master-away',
  /** Proofs make no progress. */
  'slow-proofs',
  'failing-proofs',
  /** Slaves call sectors unreadable that are not. */
  'false-faults',
  /** The master forgets tasks. */
  'lost-tasks',
  'base-fee',
  /** Blocks have no room for us. */
  'congestion',
  /** Estimates refuse messages of more than one partition for their gas. */
  'gas-limit',
  /** The node's pool forgets what it has. */
  'lost-pool',
  /** The process dies between two actions with some chance each. */
  'restarts',
  'reorgs',
  'null-rounds',
  /** Facts are left out with some chance each. */
  'lost-facts',
  /** What was decided is carried out again later, as by a second manager. */
  'repeated-actions',
  /** The wall clock jumps by up to an hour. */
  'clock-steps',
  /** Our verifier calls every proof invalid. */
  'wrong-verifier',
] as const;
export type Storm = (typeof storms)[number];

const bits = new Map(storms.map((storm, index) => [storm, 1 << index]));

const SENDABLE = ['base-fee', 'slow-proofs', 'failing-proofs', 'false-faults'].reduce(
  (flags, storm) => flags | (bits.get(storm as Storm) ?? 0),
  0,
);

/** Which storms blow in which epoch. */
export class Weather {
  readonly #flags: Int32Array;

  /** @param density storms for each 100 epochs */
  constructor(random: Random, init: { readonly epochs: number; readonly calmFrom: number; readonly density: number }) {
    this.#flags = new Int32Array(init.epochs);
    const count = Math.round((init.epochs / 100) * init.density * (0.5 + random.next()));
    for (let index = 0; index < count; index++) {
      const bit = bits.get(random.pick(storms)) ?? 0;
      const from = random.between(0, init.calmFrom - 1);
      const to = Math.min(from + drawLength(random), init.calmFrom);
      for (let epoch = from; epoch < to; epoch++) this.#flags[epoch] = (this.#flags[epoch] ?? 0) | bit;
    }
  }

  blows(storm: Storm, epoch: number): boolean {
    return ((this.#flags[epoch] ?? 0) & (bits.get(storm) ?? 0)) !== 0;
  }

  isCalm(epoch: number): boolean {
    return (this.#flags[epoch] ?? 0) === 0;
  }

  /** Calm, or dear only: what the base fee rises to can be paid. */
  isPayable(epoch: number): boolean {
    return ((this.#flags[epoch] ?? 0) & ~(bits.get('base-fee') ?? 0)) === 0;
  }

  /** A proof that is there can be verified and sent, whatever becomes of others. */
  isSendable(epoch: number): boolean {
    return ((this.#flags[epoch] ?? 0) & ~SENDABLE) === 0;
  }

  /** The storms of any of these epochs. */
  during(from: number, to: number): Storm[] {
    let flags = 0;
    for (let epoch = Math.max(from, 0); epoch < to; epoch++) flags |= this.#flags[epoch] ?? 0;
    return storms.filter((storm) => (flags & (bits.get(storm) ?? 0)) !== 0);
  }
}

/** Mostly minutes, sometimes a whole window and more. */
export function drawLength(random: Random): number {
  const luck = random.next();
  if (luck < 0.5) return random.between(1, 5);
  if (luck < 0.9) return random.between(5, 25);
  return random.between(25, 90);
}
