import type { Copy, StoreShare } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import type { SectorPlaces } from '../../src/stores/indexed-places.ts';
import { MINER } from './test-stores.ts';

/** An index that is told what it knows. */
export class ToldIndex implements SectorPlaces {
  readonly added: StoreShare[] = [];
  isAttached = true;
  /** Called before each answer. */
  before: () => Promise<void> = async () => {};
  #copies: ReadonlyMap<number, readonly string[]> = new Map();

  constructor(copies: Readonly<Record<number, readonly string[]>> = {}) {
    this.tell(copies);
  }

  tell(copies: Readonly<Record<number, readonly string[]>>): void {
    this.#copies = new Map(Object.entries(copies).map(([number, names]) => [Number(number), names]));
  }

  async locate(): Promise<Map<number, readonly Copy[]>> {
    await this.before();
    const copies = (names: readonly string[]) => names.map((store) => ({ store, hasSealed: true, hasCache: true }));
    return new Map([...this.#copies].map(([number, names]) => [number, copies(names)]));
  }

  async shares({ store = '' }: { readonly store?: string }): Promise<StoreShare[]> {
    await this.before();
    const numbers = SectorSet.of([...this.#copies].filter(([, names]) => names.includes(store)).map(([one]) => one));
    return [{ store, minerId: MINER, upgraded: false, sealed: numbers, cache: numbers }];
  }

  async scannedStores(): Promise<ReadonlySet<string>> {
    await this.before();
    return new Set(this.isAttached ? ['a', 'b'] : []);
  }

  async add(shares: readonly StoreShare[]): Promise<void> {
    this.added.push(...shares);
  }
}

/** An index by which all of these are in the store. */
export function holding(store: string, numbers: readonly number[]): Record<number, readonly string[]> {
  return Object.fromEntries(numbers.map((number) => [number, [store]]));
}
