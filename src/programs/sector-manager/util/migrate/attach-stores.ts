import { errorText } from '../../../../errors/coded-error.ts';
import { attachStore } from '../../../../stores/index/attach-store.ts';
import { type PersistStore, storeAllows } from '../../../../stores/persist-store.ts';
import type { ScanMeter } from '../storage/scan-meter.ts';
import type { Toolbox } from '../toolbox.ts';

export interface Attached {
  readonly name: string;
  readonly path: string;
  readonly ok: number;
  /** Left out: files missing or of a wrong size, or not to be known. */
  readonly leftOut: number;
  /** Why the scan did not come to its end. */
  readonly trouble: string | null;
}

/** One store after the other; what fails costs its own store. */
export async function attachStores(
  toolbox: Toolbox,
  init: {
    readonly stores: readonly PersistStore[];
    readonly miners: ReadonlySet<number>;
    readonly meter: ScanMeter;
    readonly signal: AbortSignal;
  },
): Promise<Attached[]> {
  const components = { clock: toolbox.clock, logger: toolbox.logger, db: await toolbox.database() };
  const { stores, miners, meter, signal } = init;
  const attached: Attached[] = [];
  for (const store of stores) {
    const { name, path } = store;
    try {
      const { counts, failure } = await attachStore(components, {
        name,
        path,
        prune: false,
        dryRun: false,
        allowSplit: false,
        onLeftOut: () => {},
        isOurs: (minerId) => storeAllows(store, minerId) && (miners.size === 0 || miners.has(minerId)),
        onProgress: (progress) => meter.show(progress),
        signal,
      });
      const { ok, otherMiner: _, ...bad } = counts;
      const leftOut = Object.values(bad).reduce((total, count) => total + count, 0);
      attached.push({ name, path, ok, leftOut, trouble: failure === undefined ? null : errorText(failure) });
    } catch (error) {
      attached.push({ name, path, ok: 0, leftOut: 0, trouble: errorText(error) });
    }
    meter.clear();
  }
  return attached;
}
