import { type Readable, withSlash } from '../../queue/store-roots.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

/** As in the RPC's own. */
const LONGEST_NAME = 1_024;

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
   * at different places. Where they have different stores at one place, a path there says nothing about which of them is meant: such a
   * place has a name that no slave has.
   */
  places(attached: readonly string[]): StorePlace[] {
    if (attached.length === 0) return [];
    const wanted = new Set(attached);
    const namesAt = new Map<string, Set<string>>();
    for (const { stores } of this.#told.values()) {
      for (const { name, path } of stores) namesAt.set(path, (namesAt.get(path) ?? new Set()).add(name));
    }
    const all = [...namesAt].map(([path, names]) => ({ name: [...names].join(' or ').slice(0, LONGEST_NAME), path }));
    const outer = all.filter(({ name }) => wanted.has(name));
    return all.filter(
      (place) => wanted.has(place.name) || outer.some(({ path }) => place.path.startsWith(withSlash(path))),
    );
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
