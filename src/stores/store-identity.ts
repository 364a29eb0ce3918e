import type { CanaryCounts, Probe } from './check-messages.ts';
import type { Expectation } from './expectation.ts';
import type { StoreFolder } from './sector-files.ts';
import { spread } from './spread.ts';

/** What is good of a sector: paths below the store. */
export interface SeenFiles {
  readonly sealed: string | undefined;
  readonly cache: string | undefined;
}

/** Files and folders of sectors that are looked for to know the store again. */
const CANARIES = 16;
/** Of one check: those of others stay, so that sectors of several days speak for the store. */
const CANARIES_OF_CHECK = 8;

/**
 * What a store is known by: its file system, its folders that held something, and some sectors that were there. An unmounted NFS
 * folder answers "no such file" for everything, or shows what lies below the mount point; so absence counts only while the store is
 * itself.
 */
export class StoreIdentity {
  readonly #filled = new Set<StoreFolder>();
  #root: string | undefined;
  #canaries: readonly string[] = [];

  get canaries(): readonly string[] {
    return this.#canaries;
  }

  /** From now on nothing is missed that the index does not know any more, since it was removed on purpose. */
  expect({ folders, paths, knows }: Expectation): void {
    this.#filled.clear();
    for (const folder of folders) this.#filled.add(folder);
    this.#keep([...this.#canaries.filter(knows), ...paths]);
  }

  /** Whoever looks after the host says that the right file system lies there: a store without known sectors has no other sign. */
  forgetFileSystem(): void {
    this.#root = undefined;
  }

  /** @param sectors seen while it was itself */
  sawGood(sectors: readonly SeenFiles[]): void {
    const some = spread(sectors, sectors.length, CANARIES_OF_CHECK);
    // Sealed files and cache folders may lie in different file systems: both speak for the store.
    const paths = some.map(({ sealed, cache }, turn) => (turn % 2 === 0 ? (sealed ?? cache) : (cache ?? sealed)));
    this.#keep([...paths.filter((path) => path !== undefined), ...this.#canaries]);
  }

  /**
   * Why the store cannot be trusted in what was seen between two probes; undefined when it was itself all the while, which is
   * then remembered.
   */
  trouble(before: Probe, after: Probe): string | undefined {
    const trouble = this.#troubleOf(before) ?? this.#troubleOf(after);
    if (trouble !== undefined) return trouble;
    if (before.root !== after.root) return 'the store was replaced during the check';
    this.#root = after.root;
    for (const folder of after.filled) this.#filled.add(folder);
    return undefined;
  }

  /** A folder that never held anything is no part of this store. */
  hasFolder(folder: StoreFolder): boolean {
    return this.#filled.has(folder);
  }

  #keep(paths: readonly string[]): void {
    this.#canaries = [...new Set(paths)].slice(0, CANARIES);
  }

  #troubleOf(probe: Probe): string | undefined {
    if (probe.trouble !== undefined) return probe.trouble;
    if (probe.filled.length === 0) return 'the store holds nothing; is it mounted?';
    const lost = [...this.#filled].find((folder) => !probe.filled.includes(folder));
    if (lost !== undefined) return `${lost}/ is gone or empty, and held sectors before`;
    const gone = canaryTrouble(probe.canaries);
    if (gone !== undefined) return gone;
    // A remounted NFS store gets a new device number, and is known by its sectors.
    if (this.#root !== undefined && probe.root !== this.#root && probe.canaries.found === 0) {
      return 'another file system than before lies there';
    }
    return undefined;
  }
}

/**
 * Sectors are removed, and lost, one by one. Where more than a quarter is gone at once, a part of the store is not mounted, it is being
 * restored, or what lies there is another one with a few copies. One alone says nothing, unless it is all there was.
 */
function canaryTrouble({ found, gone, doubtful }: CanaryCounts): string | undefined {
  const judged = found + gone;
  if (found === 0 && gone > 0) return 'none of the sectors seen there before is there';
  if (judged === 0 && doubtful > 0) return 'none of the sectors seen there before can be looked at';
  if (!isMuch(gone, judged, 1)) return undefined;
  return `of ${judged} files of sectors seen there before ${gone} are gone; is all of it mounted? Where they were removed: storage attach --prune`;
}

/** @param few as many may always be gone */
export function isMuch(gone: number, of: number, few: number): boolean {
  return gone > Math.max(few, of / 4);
}
