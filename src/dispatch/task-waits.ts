/** Who waits for which tasks: told of each change, and counted, so that nobody cancels what another waits for. */
export class TaskWaits {
  readonly #watchers = new Map<string, Set<() => void>>();

  /** Returns a function that ends the wait. */
  watch(id: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  watchers(id: string): number {
    return this.#watchers.get(id)?.size ?? 0;
  }

  /** The task reached another state. */
  changed(id: string): void {
    for (const onChange of [...(this.#watchers.get(id) ?? [])]) onChange();
  }
}
