import type { Random } from '../chaos/random.ts';
import type { Plan } from './plan.ts';

export const calls = [
  'deadline',
  'snapshot',
  'randomness',
  'posted',
  'commitment',
  'verify',
  'estimate',
  'nonce',
  'sign',
  'push',
  'search',
  'partitions',
] as const;
export type Call = (typeof calls)[number];

/** A call that got no answer. */
export class NodeAway extends Error {}

/** The process is no more; nobody may catch this but the world. */
export class Killed extends Error {}

/** Whatever the manager asks of others goes through here, to fail as the weather is; and so does its own death. */
export class SimNode {
  epoch = 0;
  readonly #plan: Plan;
  readonly #random: Random;

  constructor(plan: Plan, random: Random) {
    this.#plan = plan;
    this.#random = random;
  }

  /** @throws NodeAway */
  ask(call: Call): void {
    this.mayDie();
    const { weather } = this.#plan;
    if (weather.isCalm(this.epoch)) return;
    const fails =
      weather.blows('node-away', this.epoch) ||
      (weather.blows('rpc-errors', this.epoch) && this.#random.chance(0.4)) ||
      (weather.blows('one-call-fails', this.epoch) && calls[(this.epoch >> 3) % calls.length] === call);
    if (fails) throw new NodeAway(call);
  }

  /** Before and after every effect. @throws Killed */
  mayDie(): void {
    if (this.#plan.weather.blows('restarts', this.epoch) && this.#random.chance(0.05)) throw new Killed();
  }

  /** Whether a fact cannot be had. */
  isLost(): boolean {
    return this.#plan.weather.blows('lost-facts', this.epoch) && this.#random.chance(0.4);
  }
}
