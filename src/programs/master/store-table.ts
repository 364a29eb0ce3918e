import type { StorePlace } from '../../rpc/methods.ts';

/** Where managers have their persist stores, so that a slave that has one elsewhere finds what a task names. */
export class StoreTable {
  readonly #told = new Map<string, readonly StorePlace[]>();

  /** A manager that is away for a while still has its tasks here, so its last word stays. */
  tell(submitter: string, stores: readonly StorePlace[]): void {
    this.#told.set(submitter, stores);
  }

  /** Managers may have a store of one name at different places. */
  places(names: readonly string[]): StorePlace[] {
    if (names.length === 0) return [];
    const wanted = new Set(names);
    const places = [...this.#told.values()].flat().filter(({ name }) => wanted.has(name));
    return [...new Map(places.map((place) => [`${place.name}\0${place.path}`, place])).values()];
  }

  /** Directories in which a task may name sectors for this slave; null: any. */
  readable(slave: {
    readonly stores?: readonly string[] | undefined;
    readonly attached?: readonly string[] | undefined;
  }): readonly string[] | null {
    if (slave.stores === undefined) return null;
    return [...slave.stores, ...this.places(slave.attached ?? []).map(({ path }) => path)];
  }
}
