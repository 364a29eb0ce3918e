import type { UnfinishedTask } from '../queue/list-unfinished.ts';

interface Entry {
  readonly seen: number;
  /** undefined: it was finished or gone at `seen`. */
  readonly task: UnfinishedTask | undefined;
}

/**
 * The unfinished tasks in memory. What is put carries the number that `look` gave before the database was read: a look that
 * began earlier never replaces one that began later, whichever answer came first.
 */
export class TaskBoard {
  #looks = 0;
  /** The newest look at all tasks. */
  #whole = 0;
  readonly #entries = new Map<string, Entry>();

  look(): number {
    return ++this.#looks;
  }

  put(id: string, seen: number, task: UnfinishedTask | undefined): void {
    if (seen < this.#whole || seen < (this.#entries.get(id)?.seen ?? 0)) return;
    this.#entries.set(id, { seen, task });
  }

  putAll(seen: number, tasks: readonly UnfinishedTask[]): void {
    if (seen < this.#whole) return;
    this.#whole = seen;
    const unfinished = new Map(tasks.map((task) => [task.id, task]));
    for (const [id, entry] of this.#entries) {
      if (entry.seen < seen && !unfinished.has(id)) this.#entries.delete(id);
    }
    for (const [id, task] of unfinished) this.put(id, seen, task);
  }

  get(id: string): UnfinishedTask | undefined {
    return this.#entries.get(id)?.task;
  }

  tasks(): UnfinishedTask[] {
    return [...this.#entries.values()].flatMap(({ task }) => task ?? []);
  }
}
