import type { CanaryCounts, Probe } from './check-messages.ts';
import type { Expectation } from './expectation.ts';
import { RecentLooks, type SeenSector } from './recent-looks.ts';
import type { StoreFolder } from './sector-files.ts';
import { spread } from './spread.ts';

/** What is good of a sector: paths of files below the store. */
export interface SeenFiles {
  readonly sealed: string | undefined;
  readonly cache: string | undefined;
}

/** Files of sectors that are looked for to know the store again. */
export const CANARIES = 16;
/** Of one check: those of others stay, so that sectors of several days speak for the store. */
const CANARIES_OF_CHECK = 8;
/** So many of those looked for lately may be gone, however few they are: they may be asked for because they are. */
const FEW = 4;

/**
 * What a store is known by: its file system, its folders that held something, and some sectors that should be there. An unmounted NFS
 * folder answers "no such file" for everything, or shows what lies below the mount point; so absence counts only while the store is
 * itself.
 */
export class StoreIdentity {
  readonly #filled = new Set<StoreFolder>();
  readonly #recent = new RecentLooks();
  #root: string | undefined;
  /** Another file system lies there than before, and what was looked for in it does not yet say that it is the right one. */
  #isOther = false;
  #expected: readonly string[] = [];
  #seen: readonly string[] = [];

  /**
   * Those of the index come first, since they are of the whole store: of what was seen by the last checks all may lie in one part of it.
   * One file of a sector, since it is lost as one.
   */
  get canaries(): readonly string[] {
    const bySector = new Map<string | undefined, string>();
    for (const path of [...this.#expected, ...this.#seen]) {
      const sector = path.split('/')[1];
      if (!bySector.has(sector)) bySector.set(sector, path);
    }
    return [...bySector.values()].slice(0, CANARIES);
  }

  /** From now on nothing is missed that the index does not know any more, since it was removed on purpose. */
  expect({ folders, paths, knows }: Expectation): void {
    this.#filled.clear();
    for (const folder of folders) this.#filled.add(folder);
    this.#expected = paths;
    this.#seen = this.#seen.filter(knows);
    this.#recent.keepOnly(knows);
  }

  /** Whoever looks after the host says that the right file system lies there: a store without known sectors has no other sign. */
  forgetFileSystem(): void {
    this.#root = undefined;
    this.#isOther = false;
  }

  /** @param sectors seen while it was itself */
  sawGood(sectors: readonly SeenFiles[]): void {
    const some = spread(sectors, sectors.length, CANARIES_OF_CHECK);
    // Sealed files and cache folders may lie in different file systems: both speak for the store.
    const paths = some.map(({ sealed, cache }, turn) => (turn % 2 === 0 ? (sealed ?? cache) : (cache ?? sealed)));
    const seen = [...paths.filter((path) => path !== undefined), ...this.#seen];
    this.#seen = [...new Set(seen)].slice(0, CANARIES);
  }

  /**
   * Why the store cannot be trusted in what was seen between two probes; undefined when it was itself all the while, which is
   * then remembered.
   */
  trouble(before: Probe, after: Probe): string | undefined {
    const trouble = this.#troubleOf(before) ?? this.#troubleOf(after);
    if (trouble !== undefined) return trouble;
    if (before.root !== after.root) return 'the store was replaced during the check';
    if (this.#root !== undefined && this.#root !== after.root) {
      this.#isOther = true;
      // They were looks at the one before.
      this.#recent.keepOnly(() => false);
    }
    this.#root = after.root;
    for (const folder of after.filled) this.#filled.add(folder);
    return undefined;
  }

  /**
   * Why what a check did not find there says nothing, though the store is itself: much was gone lately, which is a part that is not
   * mounted more often than a loss; or the file system is another one, and has not shown yet that nearly all is there.
   */
  doubtAfter(seen: readonly SeenSector[]): string | undefined {
    const isOther = this.#isOther;
    this.#recent.add(seen);
    const { gone, size } = this.#recent;
    if (isMuch(gone, size, FEW)) {
      return `of ${size} sectors looked for there lately ${gone} are gone or have wrong sizes; is all of it mounted?`;
    }
    if (size > 0 && gone <= size / LEAST_SHARE) this.#isOther = false;
    return isOther
      ? 'another file system than before lies there, and too little of it was seen yet to trust it'
      : undefined;
  }

  /** A folder that never held anything is no part of this store. */
  hasFolder(folder: StoreFolder): boolean {
    return this.#filled.has(folder);
  }

  #troubleOf(probe: Probe): string | undefined {
    if (probe.trouble !== undefined) return probe.trouble;
    if (probe.filled.length === 0) return 'the store holds nothing; is it mounted?';
    const lost = [...this.#filled].find((folder) => !probe.filled.includes(folder));
    if (lost !== undefined) return `${lost}/ is gone or empty, and held sectors before`;
    const gone = canaryTrouble(probe.canaries);
    if (gone !== undefined) return gone;
    if (this.#root === undefined || probe.root === this.#root) return undefined;
    return strangerTrouble(probe.canaries);
  }
}

/** Of a file system that is another one, more than an eighth must not be gone: an older copy of the store has most of it. */
const LEAST_SHARE = 8;

/**
 * Sectors are removed, and lost, one by one. Where more than a quarter is gone at once, a part of the store is not mounted, it is being
 * restored, or what lies there is another one with a few copies. One alone says nothing, unless it is all there was.
 */
function canaryTrouble({ found, gone, doubtful }: CanaryCounts): string | undefined {
  const judged = found + gone;
  if (found === 0 && gone > 0) return 'none of the sectors seen there before is there';
  if (judged === 0 && doubtful > 0) return 'none of the sectors seen there before can be looked at';
  if (!isMuch(gone, judged, 1)) return undefined;
  return `of ${judged} files of sectors seen there before ${gone} are gone; is all of it mounted? Where they were removed or moved: storage check; where they are lost: detach and attach again`;
}

/** A remounted NFS store gets a new device number, and is known by its sectors. */
function strangerTrouble({ found, gone }: CanaryCounts): string | undefined {
  const judged = found + gone;
  if (found === 0) return 'another file system than before lies there';
  if (gone <= Math.max(1, judged / LEAST_SHARE)) return undefined;
  return `another file system than before lies there, and of ${judged} files of sectors seen there before ${gone} are gone`;
}

/** @param few as many may always be gone */
function isMuch(gone: number, of: number, few: number): boolean {
  return gone > Math.max(few, of / 4);
}
