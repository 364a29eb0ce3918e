import type { AttemptId, Verdict } from '../queue/attempt.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';
import type { FreeSlave } from './choose.ts';

/** What a slave is given to do. */
export interface Lease extends AttemptId {
  /** Milliseconds since 1970; null: no end. */
  readonly closeAt: number | null;
  readonly task: WindowPostTask;
}

/** A connected slave. */
export interface SlaveSession {
  readonly name: string;
  /** The only size it can prove, in bytes; null: any. */
  readonly sectorSize: number | null;
  start(lease: Lease): Promise<Verdict>;
  cancel(attempt: AttemptId, reason: string): Promise<void>;
  close(): void;
}

interface Entry {
  readonly session: SlaveSession;
  /** Slots, busy or not, that it last told of. */
  capacity: number;
  readonly tasks: Set<string>;
  /** It refused a start: nothing more until it tells its slots again. */
  refused: boolean;
  failuresInARow: number;
  heldBackUntil: number;
}

const FAILURES_BEFORE_HOLD = 3;
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;

/** The connected slaves and what each works on. Times are milliseconds of any one clock. */
export class SlaveRoster {
  readonly #entries = new Map<string, Entry>();

  /** A slave of the same name is the same slave, come again: its earlier connection is closed. */
  join(session: SlaveSession, slots: number, tasks: Iterable<string>): void {
    const before = this.#entries.get(session.name);
    this.#entries.set(session.name, {
      session,
      capacity: slots,
      tasks: new Set(tasks),
      refused: false,
      failuresInARow: 0,
      heldBackUntil: 0,
    });
    before?.session.close();
  }

  leave(session: SlaveSession): void {
    if (this.#entries.get(session.name)?.session === session) this.#entries.delete(session.name);
  }

  session(name: string): SlaveSession | undefined {
    return this.#entries.get(name)?.session;
  }

  sessions(): SlaveSession[] {
    return [...this.#entries.values()].map((entry) => entry.session);
  }

  /** From a heartbeat: slots with an attempt and slots without. */
  tell(name: string, slots: { readonly busy: number; readonly free: number }): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.capacity = slots.busy + slots.free;
    entry.refused = false;
  }

  works(name: string, id: string): boolean {
    return this.#entries.get(name)?.tasks.has(id) ?? false;
  }

  take(name: string, id: string): void {
    this.#entries.get(name)?.tasks.add(id);
  }

  release(name: string, id: string): void {
    this.#entries.get(name)?.tasks.delete(id);
  }

  refuse(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.refused = true;
  }

  succeeded(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.failuresInARow = 0;
  }

  /** A failure of the slave's own. Returns until when it is held back, after a few in a row. */
  failed(name: string, now: number): number | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const beyond = ++entry.failuresInARow - FAILURES_BEFORE_HOLD;
    if (beyond < 0) return undefined;
    entry.heldBackUntil = now + Math.min(FIRST_HOLD_MS * 2 ** beyond, LONGEST_HOLD_MS);
    return entry.heldBackUntil;
  }

  free(now: number): FreeSlave[] {
    return [...this.#entries.values()]
      .filter((entry) => !entry.refused && entry.heldBackUntil <= now)
      .map(({ session, capacity, tasks }) => ({
        name: session.name,
        free: capacity - tasks.size,
        sectorSize: session.sectorSize,
      }))
      .filter((slave) => slave.free > 0);
  }
}
