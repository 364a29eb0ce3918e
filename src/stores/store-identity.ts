import type { Probe } from './check-messages.ts';
import type { StoreFolder } from './sector-files.ts';

/** Files that were seen good; while one of them is there, it is the same store. */
const CANARIES = 4;

/**
 * What a store is known by: its file system, its folders that held something, and a few sectors that were there. An unmounted NFS
 * folder answers "no such file" for everything, so absence counts only while the store is itself.
 */
export class StoreIdentity {
  readonly #filled = new Set<StoreFolder>();
  #root: string | undefined;
  #canaries: string[] = [];

  get canaries(): readonly string[] {
    return this.#canaries;
  }

  /** What is known to lie there from an earlier life; sectors seen since count before these. */
  expect({ folders, paths }: { readonly folders: Iterable<StoreFolder>; readonly paths: readonly string[] }): void {
    for (const folder of folders) this.#filled.add(folder);
    this.#canaries = [...new Set([...this.#canaries, ...paths])].slice(0, CANARIES);
  }

  /** `path`: of a sealed file, below the store. */
  sawGood(path: string): void {
    if (this.#canaries.includes(path)) return;
    this.#canaries = [path, ...this.#canaries].slice(0, CANARIES);
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

  #troubleOf(probe: Probe): string | undefined {
    if (probe.trouble !== undefined) return probe.trouble;
    if (probe.filled.length === 0) return 'the store holds nothing; is it mounted?';
    const lost = [...this.#filled].find((folder) => !probe.filled.includes(folder));
    if (lost !== undefined) return `${lost}/ is gone or empty, and held sectors before`;
    if (probe.canariesAsked > 0 && probe.canariesFound === 0) return 'none of the sectors seen there before is there';
    // A remounted NFS store gets a new device number, and is known by its sectors.
    if (this.#root !== undefined && probe.root !== this.#root && probe.canariesFound === 0) {
      return 'another file system than before lies there';
    }
    return undefined;
  }
}
