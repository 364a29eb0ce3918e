import type { Readable } from '../../queue/store-roots.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

/** What is needed of the one who tells. */
type Teller = Pick<RpcPeer, 'hello'> & { readonly connection: { readonly closed: Promise<unknown> } };

interface Told {
  readonly name: string;
  readonly stores: readonly StorePlace[];
  isOver: boolean;
}

/** Where managers have their persist stores, so that a slave that has one elsewhere finds what a task names. */
export class StoreTable {
  readonly #told = new Map<Teller, Told>();

  /**
   * Two managers of one host have one name, and both count. One that is away for a while still has its tasks here, so its last word
   * stays until somebody of its name says something else.
   */
  tell(teller: Teller, stores: readonly StorePlace[]): void {
    const { name } = teller.hello;
    for (const [other, told] of this.#told) if (told.isOver && told.name === name) this.#told.delete(other);
    const told = { name, stores, isOver: false };
    this.#told.set(teller, told);
    void teller.connection.closed.then(() => {
      told.isOver = true;
    });
  }

  /**
   * Of these stores, and of those that lie in their folders: these are not where the outer one is. Managers may have a store of one name
   * at different places.
   */
  places(names: readonly string[]): StorePlace[] {
    if (names.length === 0) return [];
    const wanted = new Set(names);
    const all = [...this.#told.values()].flatMap(({ stores }) => stores);
    const outer = all.filter(({ name }) => wanted.has(name));
    const places = all.filter(
      (place) => wanted.has(place.name) || outer.some(({ path }) => place.path.startsWith(withSlash(path))),
    );
    return [...new Map(places.map((place) => [`${place.name}\0${place.path}`, place])).values()];
  }

  /** Where a task may name sectors for this slave; null: anywhere. A store in the folder of an attached one is not attached by that. */
  readable(slave: {
    readonly stores?: readonly string[] | undefined;
    readonly attached?: readonly string[] | undefined;
  }): readonly Readable[] | null {
    if (slave.stores === undefined) return null;
    const attached = new Set(slave.attached);
    const places = this.places(slave.attached ?? []).filter(({ name }) => attached.has(name));
    return [...slave.stores, ...places.map(({ path }) => ({ at: path }))];
  }
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
