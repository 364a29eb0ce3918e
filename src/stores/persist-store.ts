/** A folder that holds sealed sectors, from one [[Common.PersistStores]]. */
export interface PersistStore {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly strict: boolean;
  readonly readOnly: boolean;
  readonly weight: number;
  /** New sectors come to it: it is listed from time to time. */
  readonly growing?: boolean;
  /** None: all miners. */
  readonly allowMiners: readonly number[];
  /** Counts before `allowMiners`. */
  readonly denyMiners: readonly number[];
}

export function storeAllows(store: PersistStore, minerId: number): boolean {
  if (store.denyMiners.includes(minerId)) return false;
  return store.allowMiners.length === 0 || store.allowMiners.includes(minerId);
}
