import type { UnfinishedTask } from '../queue/list-unfinished.ts';
import type { WaitingGroup } from './choose.ts';
import { WaitingOrder, type WaitingOrderInit } from './waiting-order.ts';

interface Entry {
  readonly seen: number;
  /** undefined: it was finished or gone at `seen`. */
  readonly task: UnfinishedTask | undefined;
}

/**
 * The unfinished tasks in memory. What is read carries the number that `look` gave before the database was asked: a look that
 * began earlier never replaces one that began later, whichever answer came first. What a transition of ours said is newer than any
 * look that began before its answer came.
 */
export class TaskBoard {
  #looks = 0;
  /** The newest look at all tasks. */
  #whole = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: WaitingOrder;
  /** Chosen, their leases being made. */
  readonly #assigned = new Set<string>();
  /** What runs or is assigned, with its miner. */
  readonly #inProof = new Map<string, number>();
  readonly #inProofOf = new Map<number, number>();

  constructor(init: WaitingOrderInit) {
    this.#waiting = new WaitingOrder(init);
  }

  look(): number {
    return ++this.#looks;
  }

  put(id: string, seen: number, task: UnfinishedTask | undefined, now: number): void {
    if (seen < this.#whole || seen < (this.#entries.get(id)?.seen ?? 0)) return;
    this.#entries.set(id, { seen, task });
    this.#place(id, now);
  }

  putAll(seen: number, tasks: readonly UnfinishedTask[], now: number): void {
    if (seen < this.#whole) return;
    this.#whole = seen;
    const unfinished = new Map(tasks.map((task) => [task.id, task]));
    for (const [id, entry] of this.#entries) {
      if (entry.seen >= seen || unfinished.has(id)) continue;
      this.#entries.delete(id);
      this.#place(id, now);
    }
    for (const [id, task] of unfinished) this.put(id, seen, task, now);
  }

  /** What a transition of ours made of a task; one that is not on the board stays away. */
  change(id: string, now: number, change: (task: UnfinishedTask) => UnfinishedTask | undefined): void {
    const task = this.get(id);
    this.put(id, this.look(), task && change(task), now);
  }

  assign(id: string, now: number): void {
    this.#assigned.add(id);
    this.#place(id, now);
  }

  unassign(id: string, now: number): void {
    this.#assigned.delete(id);
    this.#place(id, now);
  }

  isAssigned(id: string): boolean {
    return this.#assigned.has(id);
  }

  get(id: string): UnfinishedTask | undefined {
    return this.#entries.get(id)?.task;
  }

  /** False where nothing is known, too. */
  isGone(id: string): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && entry.task === undefined;
  }

  tasks(): UnfinishedTask[] {
    return [...this.#entries.values()].flatMap(({ task }) => task ?? []);
  }

  /** Those with a live attempt. */
  running(): UnfinishedTask[] {
    return [...this.#inProof.keys()].flatMap((id) => {
      const task = this.get(id);
      return task === undefined || task.live.length === 0 ? [] : task;
    });
  }

  /** How many tasks wait, those among them that pause. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** For `choose`, as is `inProofOf`. */
  tiers(now: number): Generator<readonly WaitingGroup[]> {
    return this.#waiting.tiers(now);
  }

  /** By miner. */
  get inProofOf(): ReadonlyMap<number, number> {
    return this.#inProofOf;
  }

  #place(id: string, now: number): void {
    const task = this.get(id);
    const isInProof = task !== undefined && (task.live.length > 0 || this.#assigned.has(id));
    this.#count(this.#inProof.get(id), -1);
    this.#inProof.delete(id);
    if (isInProof) {
      this.#inProof.set(id, task.minerId);
      this.#count(task.minerId, 1);
    }
    if (task === undefined || isInProof) this.#waiting.remove(id);
    else this.#waiting.add(task, now);
  }

  #count(minerId: number | undefined, by: number): void {
    if (minerId === undefined) return;
    const count = (this.#inProofOf.get(minerId) ?? 0) + by;
    if (count === 0) this.#inProofOf.delete(minerId);
    else this.#inProofOf.set(minerId, count);
  }
}
