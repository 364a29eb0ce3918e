import type { Logger } from '../telemetry/logger.ts';
import { isAble, type WaitingGroup } from './choose.ts';
import type { SlaveSession } from './slave-roster.ts';

/** Says once of each task that no connected slave can prove it, by sector size or by what it can read. */
export class StrandedTasks {
  readonly #logger: Logger;
  #told = new Set<string>();

  constructor(components: { readonly logger: Logger }) {
    this.#logger = components.logger;
  }

  look(tiers: Iterable<readonly WaitingGroup[]>, sessions: readonly SlaveSession[]): void {
    const stranded = new Set<string>();
    if (sessions.length === 0) return;
    for (const group of [...tiers].flat()) {
      if (sessions.some((session) => isAble(group, session))) continue;
      const { minerId, sectorSize, stores, closeAt } = group;
      for (const { id } of group.tasks) {
        stranded.add(id);
        if (this.#told.has(id)) continue;
        this.#logger.error({ id, minerId, sectorSize, stores, closeAt }, 'no connected slave can take a task');
      }
    }
    this.#told = stranded;
  }
}
