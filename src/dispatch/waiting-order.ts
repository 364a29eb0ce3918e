import type { UnfinishedTask } from '../queue/list-unfinished.ts';
import { windowProofType } from '../queue/window-post-task.ts';
import { inGroup, type WaitingGroup } from './choose.ts';
import { SortedQueue } from './sorted-queue.ts';

interface Group extends WaitingGroup {
  readonly key: string;
  readonly tasks: SortedQueue<UnfinishedTask>;
}

interface Pause {
  readonly id: string;
  readonly until: number;
}

export interface WaitingOrderInit {
  /** A pause that would last longer was made before the clock was set back, and is over. */
  readonly longestPauseMs: number;
}

const NO_CLOSE = Number.POSITIVE_INFINITY;

/** The waiting tasks in the order in which `choose` wants them, kept so by adding and removing. */
export class WaitingOrder {
  /** By Close, then by what makes tasks alike. */
  readonly #tiers = new Map<number, Map<string, Group>>();
  readonly #closes = new SortedQueue<number>((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  readonly #placed = new Map<string, { readonly task: UnfinishedTask; readonly group: Group | undefined }>();
  /** Those of tasks that went on or away meanwhile are passed over. */
  readonly #pauses = new SortedQueue<Pause>((a, b) => a.until - b.until || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

  readonly #longestPauseMs: number;

  constructor(init: WaitingOrderInit) {
    this.#longestPauseMs = init.longestPauseMs;
  }

  get size(): number {
    return this.#placed.size;
  }

  add(task: UnfinishedTask, now: number): void {
    this.remove(task.id);
    const type = windowProofType(task.proofType);
    if (type === undefined) return;
    const isPaused = task.retryAt > now && task.retryAt <= now + this.#longestPauseMs;
    if (isPaused) this.#pauses.add({ id: task.id, until: task.retryAt });
    if (isPaused && !task.retryElsewhere) {
      this.#placed.set(task.id, { task, group: undefined });
      return;
    }
    const group = this.#groupOf(task, { sectorSize: type.sectorSize, isBarred: isPaused });
    group.tasks.add(task);
    this.#placed.set(task.id, { task, group });
  }

  remove(id: string): void {
    const placed = this.#placed.get(id);
    if (placed === undefined) return;
    this.#placed.delete(id);
    const { task, group } = placed;
    if (group === undefined) return;
    group.tasks.remove(task);
    if (group.tasks.size > 0) return;
    const close = task.closeAt ?? NO_CLOSE;
    const tier = this.#tiers.get(close);
    tier?.delete(group.key);
    if (tier?.size !== 0) return;
    this.#tiers.delete(close);
    this.#closes.remove(close);
  }

  /** The groups of each Close, nearest first, none last. Nothing may be added or removed while they are looked at. */
  *tiers(now: number): Generator<readonly WaitingGroup[]> {
    this.#endPauses(now);
    for (const close of this.#closes) yield [...(this.#tiers.get(close)?.values() ?? [])];
  }

  #endPauses(now: number): void {
    for (let first = this.#pauses.at(0); first !== undefined && first.until <= now; first = this.#pauses.at(0)) {
      this.#pauses.remove(first);
      const task = this.#placed.get(first.id)?.task;
      if (task?.retryAt === first.until) this.add(task, now);
    }
  }

  #groupOf(task: UnfinishedTask, more: { readonly sectorSize: number; readonly isBarred: boolean }): Group {
    const close = task.closeAt ?? NO_CLOSE;
    let tier = this.#tiers.get(close);
    if (tier === undefined) {
      tier = new Map();
      this.#tiers.set(close, tier);
      this.#closes.add(close);
    }
    const { closeAt, minerId, stores, lastSlave } = task;
    const key = [minerId, more.sectorSize, more.isBarred, lastSlave ?? '', stores?.join('\n')].join('\t');
    let group = tier.get(key);
    if (group === undefined) {
      group = { key, closeAt, minerId, stores, lastSlave, ...more, tasks: inOrder(closeAt) };
      tier.set(key, group);
    }
    return group;
  }
}

function inOrder(closeAt: number | null): SortedQueue<UnfinishedTask> {
  return new SortedQueue((a, b) => inGroup(closeAt, a, b));
}
