import { lstat, lstatSync, realpathSync, type Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import type { Clock } from '../clock/clock.ts';
import type { FileCall, Looking } from './sector-look.ts';

/** What the system answers from its memory takes some microseconds. */
const QUICK_MS = 1;
/** Sectors to be quick in a row until one that was not is forgotten: a busy machine stops any process now and then. */
const FORGET = 4;
const MOST_DEBT = 3 * FORGET;
const PAUSE_MS = 1_000;

export interface StoreCallsInit {
  /** The store has been silent before, so no call of it may hold up the others. */
  readonly isCareful: boolean;
}

/**
 * Makes the calls of a store. Giving one to a thread costs ten times the CPU time of a call that is answered from the system's memory:
 * while they are, they are made right here, and where they take their time, many at once by threads.
 */
export class StoreCalls {
  readonly #clock: Clock;
  readonly #init: StoreCallsInit;
  /** Beyond the most, calls go to threads for a while; the first sector after it decides alone. */
  #debt = MOST_DEBT - FORGET;
  #hereFrom = 0;

  constructor({ clock }: { readonly clock: Clock }, init: StoreCallsInit) {
    this.#clock = clock;
    this.#init = init;
  }

  /** One call after the other: how much is asked of the store at once is for the asker to say, by how many sectors it asks for. @param onCall a call came back */
  async carryOut<T>(looking: Looking<T>, onCall: () => void): Promise<T> {
    let isHere = !this.#init.isCareful && this.#clock.monotonic() >= this.#hereFrom;
    let step = looking.next();
    while (!step.done) {
      let said: Stats | string | undefined;
      const from = this.#clock.monotonic();
      try {
        said = isHere ? callHere(step.value) : await byThread(step.value);
      } catch (error) {
        step = looking.throw(error);
        continue;
      } finally {
        onCall();
        if (isHere && this.#clock.monotonic() - from >= QUICK_MS) {
          isHere = false;
          this.#wasSlow();
        }
      }
      step = looking.next(said);
    }
    if (isHere) this.#debt = Math.max(0, this.#debt - 1);
    return step.value;
  }

  #wasSlow(): void {
    this.#debt += FORGET;
    if (this.#debt < MOST_DEBT) return;
    this.#debt = MOST_DEBT - FORGET;
    this.#hereFrom = this.#clock.monotonic() + PAUSE_MS;
  }
}

/** It may hang, and all of this thread with it. */
export function callHere({ call, path }: FileCall): Stats | string | undefined {
  return call === 'lstat' ? lstatSync(path, { throwIfNoEntry: false }) : realpathSync.native(path);
}

/** The promises of node:fs cost twice as much, and `lstat` is called for every file of every sector. */
function byThread({ call, path }: FileCall): Promise<Stats | string | undefined> {
  if (call === 'realpath') return realpath(path);
  return new Promise((resolve, reject) => {
    lstat(path, (error, stats) => {
      if (error === null) resolve(stats);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    });
  });
}
