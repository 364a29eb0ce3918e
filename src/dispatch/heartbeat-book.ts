import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import { recordHeartbeats, type SlaveHeartbeat } from '../queue/record-heartbeats.ts';
import type { AttemptId, Heartbeat } from '../rpc/methods.ts';
import type { DatabaseHealth } from './database-health.ts';

interface Components {
  readonly clock: Clock;
  readonly db: Database;
  readonly health: DatabaseHealth;
}

export interface HeartbeatBookInit {
  readonly heartbeatTimeoutMs: number;
  readonly progressTimeoutMs: number;
  /** Whether memory knows an attempt as this slave's live one. */
  readonly isLive: (slave: string, attempt: AttemptId) => boolean;
  /** Whether memory knows that a task is finished: then nothing of it is live. */
  readonly isFinished: (id: string) => boolean;
  /** The database has closed what memory took for live. */
  readonly onClosed: (slave: string, attempt: AttemptId) => void;
}

/** Heartbeats of a fleet are written together, this often at most. */
const LONGEST_INTERVAL_MS = 500;
/** A lease is judged by what is written: a small part of its time-outs. */
const INTERVALS_PER_TIMEOUT = 10;
/** Longer than an answer is under way. */
const REMEMBER_TAKEN_MS = 10_000;

/**
 * What slaves last told of their attempts. Quick proofs make slaves beat hundreds of times a second: what is answered from memory
 * is written a few times a second, newest state only.
 */
export class HeartbeatBook {
  readonly #components: Components;
  readonly #init: HeartbeatBookInit;
  readonly #intervalMs: number;
  #unwritten = new Map<string, SlaveHeartbeat>();
  /** Since when an attempt is in its SNARK, on the monotonic clock. */
  readonly #proving = new Map<
    string,
    { readonly slave: string; readonly attempt: AttemptId; readonly since: number }
  >();
  /** Outcomes taken a moment ago, by the monotonic clock. */
  readonly #taken = new Map<string, number>();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #callOff: (() => void) | undefined;

  constructor(components: Components, init: HeartbeatBookInit) {
    this.#components = components;
    this.#init = init;
    const { heartbeatTimeoutMs, progressTimeoutMs } = init;
    const shortest = Math.min(heartbeatTimeoutMs, progressTimeoutMs);
    this.#intervalMs = Math.min(LONGEST_INTERVAL_MS, shortest / INTERVALS_PER_TIMEOUT);
  }

  /** Its outcome was taken: the slave hears so, whatever it beats meanwhile. */
  taken(attempt: AttemptId): void {
    this.#taken.set(keyOf(attempt), this.#components.clock.monotonic());
  }

  /** Returns the attempts that are not live, which the slave must drop. Those that memory does not know the database judges. */
  async beat(slave: string, beats: readonly Heartbeat[]): Promise<AttemptId[]> {
    const { isFinished, isLive } = this.#init;
    const closed: AttemptId[] = [];
    const strangers: SlaveHeartbeat[] = [];
    for (const beat of beats) {
      const told = { ...beat, slave };
      if (this.#taken.has(keyOf(beat))) continue;
      if (isFinished(beat.id)) closed.push({ id: beat.id, attempt: beat.attempt });
      else if (!isLive(slave, beat)) strangers.push(told);
      else {
        this.#unwritten.set(keyOf(beat), told);
        this.#watchProving(told);
      }
    }
    closed.push(...(await this.#record(strangers)));
    if (this.#unwritten.size === 0 || this.#callOff !== undefined) return closed;
    const wait = this.#writtenAt + this.#intervalMs - this.#components.clock.monotonic();
    if (wait <= 0) await this.#write();
    else {
      this.#callOff = this.#components.clock.after(wait, () => {
        this.#callOff = undefined;
        // The next heartbeats come anyway.
        this.#write().catch(() => {});
      });
    }
    return closed;
  }

  /** Called now and then. */
  forgetTaken(): void {
    const before = this.#components.clock.monotonic() - REMEMBER_TAKEN_MS;
    for (const [key, at] of this.#taken) if (at < before) this.#taken.delete(key);
  }

  /** Attempts that are in their SNARK for longer, whatever progress they tell of. */
  provingLongerThan(limitMs: number): { readonly slave: string; readonly attempt: AttemptId }[] {
    const before = this.#components.clock.monotonic() - limitMs;
    for (const [key, { slave, attempt }] of this.#proving) {
      if (!this.#init.isLive(slave, attempt)) this.#proving.delete(key);
    }
    return [...this.#proving.values()].filter(({ since }) => since < before);
  }

  close(): void {
    this.#callOff?.();
    this.#unwritten.clear();
  }

  #watchProving({ slave, id, attempt, phase }: SlaveHeartbeat): void {
    const key = keyOf({ id, attempt });
    if (phase !== 'proving') this.#proving.delete(key);
    else if (!this.#proving.has(key)) {
      this.#proving.set(key, { slave, attempt: { id, attempt }, since: this.#components.clock.monotonic() });
    }
  }

  async #write(): Promise<void> {
    const beats = [...this.#unwritten.values()].filter((beat) => this.#init.isLive(beat.slave, beat));
    this.#unwritten = new Map();
    this.#writtenAt = this.#components.clock.monotonic();
    const slaves = new Map(beats.map((beat) => [keyOf(beat), beat.slave]));
    for (const attempt of await this.#record(beats)) {
      const slave = slaves.get(keyOf(attempt));
      // It may have ended while this was under way.
      if (slave !== undefined && this.#init.isLive(slave, attempt)) this.#init.onClosed(slave, attempt);
    }
  }

  async #record(beats: readonly SlaveHeartbeat[]): Promise<AttemptId[]> {
    const { db, health } = this.#components;
    return beats.length === 0 ? [] : await health.watch(recordHeartbeats(db, beats));
  }
}

function keyOf({ id, attempt }: AttemptId): string {
  return `${id}/${attempt}`;
}
