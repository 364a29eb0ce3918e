import type { Readable } from '../queue/store-roots.ts';
import type { AttemptId, SlaveReport, Verdict } from '../rpc/methods.ts';
import type { FreeSlave } from './choose.ts';

/** What a slave is given to do. */
export interface Lease extends AttemptId {
  /** Milliseconds since 1970; null: no end. */
  readonly closeAt: number | null;
  /** Until then; null: it never closes. */
  readonly closesInMs: number | null;
  readonly facts: { readonly minerId: number; readonly proofType: string; readonly sectors: number };
  /** JSON of the task, as it is stored. */
  readonly body: Buffer;
}

/** A connected slave. */
export interface SlaveSession {
  readonly name: string;
  /** Of its process; undefined: it does not say. */
  readonly instance: string | undefined;
  /** `address:port` of the other side. */
  readonly remote: string;
  /** Of the RPC, that it speaks. */
  readonly version: number;
  /** The only size it can prove, in bytes; null: any. */
  readonly sectorSize: number | null;
  /** What it can read; null: any. */
  readonly stores: readonly Readable[] | null;
  start(lease: Lease): Promise<Verdict>;
  cancel(attempt: AttemptId, reason: string): Promise<void>;
  /** Whether the other side still answers, found out within seconds. */
  answers(): Promise<boolean>;
  close(): void;
}

/** What a slave brings along, and what outlived its absence. */
export interface Joining {
  readonly slots: number;
  readonly tasks: Iterable<string>;
  readonly joinedAt: number;
  readonly drained: boolean;
  readonly heldUntil: number;
}

interface Entry {
  readonly session: SlaveSession;
  readonly joinedAt: number;
  /** Slots, busy or not, that it last told of. */
  capacity: number;
  readonly tasks: Set<string>;
  /** It refused a start: nothing more until it tells its slots again. */
  refused: boolean;
  drained: boolean;
  heldUntil: number;
}

/** What went wrong at a slave since it last proved a task; kept while it is away. */
interface Troubles {
  /** Different ones: a task that fails three times may be the one to blame. */
  readonly failed: Set<string>;
  /** Tasks in proof were lost with it. Of any tasks: one that dies as it starts to work gets the same one again and again. */
  deaths: number;
}

interface Left {
  readonly at: number;
  /** Tasks that it had in proof. */
  readonly tasks: readonly string[];
}

const FAILURES_BEFORE_HOLD = 3;
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;
/** Leases of a slave that stays away end long before. */
const REMEMBER_LEFT_MS = 600_000;

/** The connected slaves and what each works on. Times are milliseconds of any one clock. */
export class SlaveRoster {
  readonly #entries = new Map<string, Entry>();
  /** Those that have not come again. */
  readonly #left = new Map<string, Left>();
  readonly #troubles = new Map<string, Troubles>();

  /** A slave of the same name is the same slave, come again: its earlier connection is closed. */
  join(session: SlaveSession, { slots, tasks, ...known }: Joining): void {
    const before = this.#entries.get(session.name);
    this.#left.delete(session.name);
    this.#entries.set(session.name, {
      session,
      ...known,
      capacity: slots,
      tasks: new Set(tasks),
      refused: false,
    });
    before?.session.close();
  }

  /** With the tasks that it had in proof. False when it has come again meanwhile. */
  leave(session: SlaveSession, tasks: readonly string[], now: number): boolean {
    if (this.#entries.get(session.name)?.session !== session) return false;
    this.#left.set(session.name, { at: now, tasks });
    for (const [name, { at }] of this.#left) {
      if (at >= now - REMEMBER_LEFT_MS) continue;
      this.#left.delete(name);
      this.#troubles.delete(name);
    }
    return this.#entries.delete(session.name);
  }

  leftAt(name: string): number | undefined {
    return this.#left.get(name)?.at;
  }

  /** Tasks that one which has not come again had in proof. */
  leftWith(name: string): readonly string[] {
    return this.#left.get(name)?.tasks ?? [];
  }

  /** Tasks that a connected slave has, or is being given. */
  tasks(name: string): string[] {
    return [...(this.#entries.get(name)?.tasks ?? [])];
  }

  /** Whether a connected slave other than this one is in service. */
  hasOthers(name: string, now: number): boolean {
    return [...this.#entries].some(([other, entry]) => other !== name && !entry.drained && entry.heldUntil <= now);
  }

  session(name: string): SlaveSession | undefined {
    return this.#entries.get(name)?.session;
  }

  sessions(): SlaveSession[] {
    return [...this.#entries.values()].map((entry) => entry.session);
  }

  /**
   * From a heartbeat: what the slave works on, and slots without an attempt. An attempt that it holds only until its outcome is
   * taken has left its slot already; one that it has not heard of yet is in none.
   */
  tell(name: string, told: { readonly attempts: readonly AttemptId[]; readonly free: number }): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.capacity = told.free + told.attempts.filter(({ id }) => entry.tasks.has(id)).length;
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

  /** False when it is not here. */
  setDrained(name: string, drained: boolean): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined) return false;
    entry.drained = drained;
    return true;
  }

  succeeded(name: string): void {
    this.#troubles.delete(name);
  }

  /** A failure of the slave's own. Returns until when it is held back, once different tasks failed there in a row. */
  failed(name: string, id: string, now: number): number | undefined {
    const troubles = this.#troublesOf(name);
    if (troubles.failed.has(id)) return undefined;
    const blamed = [...this.#troubles.values()].filter((other) => other !== troubles && other.failed.has(id));
    // It failed elsewhere, too: then it is the task, and nobody is to blame.
    for (const other of blamed) other.failed.delete(id);
    if (blamed.length > 0) return undefined;
    troubles.failed.add(id);
    return this.#hold(name, troubles, now);
  }

  /** It was lost with tasks in proof: its process or its link. Returns until when it is held back, once it was so in a row. */
  died(name: string, now: number): number | undefined {
    const troubles = this.#troublesOf(name);
    troubles.deaths++;
    return this.#hold(name, troubles, now);
  }

  #troublesOf(name: string): Troubles {
    const troubles = this.#troubles.get(name) ?? { failed: new Set(), deaths: 0 };
    this.#troubles.set(name, troubles);
    return troubles;
  }

  #hold(name: string, { failed, deaths }: Troubles, now: number): number | undefined {
    // Without it nobody would be left: a sick slave may still prove something.
    if (!this.hasOthers(name, now)) return undefined;
    const beyond = failed.size + deaths - FAILURES_BEFORE_HOLD;
    if (beyond < 0) return undefined;
    const until = now + Math.min(FIRST_HOLD_MS * 2 ** beyond, LONGEST_HOLD_MS);
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.heldUntil = until;
    return until;
  }

  free(now: number): FreeSlave[] {
    const free: FreeSlave[] = [];
    for (const { session, capacity, tasks, refused, drained, heldUntil } of this.#entries.values()) {
      if (refused || drained || heldUntil > now || capacity <= tasks.size) continue;
      const { name, sectorSize, stores } = session;
      free.push({ name, free: capacity - tasks.size, sectorSize, stores });
    }
    return free;
  }

  /** Those that are connected. */
  reports(now: number): SlaveReport[] {
    return [...this.#entries.values()].map((entry) => ({
      name: entry.session.name,
      state: stateOf(entry, now),
      remote: entry.session.remote,
      version: entry.session.version,
      slots: entry.capacity,
      busy: entry.tasks.size,
      sectorSize: entry.session.sectorSize,
      joinedAt: entry.joinedAt,
      leftAt: null,
      heldUntil: entry.heldUntil > now ? entry.heldUntil : null,
    }));
  }
}

function stateOf({ drained, tasks, heldUntil, capacity }: Entry, now: number): SlaveReport['state'] {
  if (drained) return tasks.size > 0 ? 'draining' : 'drained';
  if (heldUntil > now) return 'held back';
  return capacity > 0 ? 'ready' : 'not ready';
}
