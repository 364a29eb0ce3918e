import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { errorText } from '../errors/coded-error.ts';
import { type JoinedSlave, type JoiningSlave, joinSlaves } from '../queue/join-slaves.ts';
import { holdSlave, leaveSlaves, setDrained } from '../queue/slave-states.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DatabaseHealth } from './database-health.ts';
import type { SlaveRoster, SlaveSession } from './slave-roster.ts';

interface Components {
  readonly logger: Logger;
  readonly db: Database;
  readonly health: DatabaseHealth;
  readonly roster: SlaveRoster;
}

/** A master that restarts meets its whole fleet at once. */
const MAX_AT_ONCE = 200;

/** Keeps the rows of slaves: who came, who is away, and what must outlive a master. */
export class SlaveDesk {
  readonly #components: Components;
  readonly #joins: GroupCommit<JoiningSlave, JoinedSlave>;
  readonly #leaves: GroupCommit<string, undefined>;

  constructor(components: Components) {
    const { db, health, roster } = components;
    this.#components = components;
    this.#joins = new GroupCommit({
      maxItems: MAX_AT_ONCE,
      run: (slaves) => health.watch(joinSlaves(db, slaves)),
    });
    this.#leaves = new GroupCommit({
      maxItems: MAX_AT_ONCE,
      run: async (names) => {
        // Some have come again meanwhile.
        const away = names.filter((name) => roster.session(name) === undefined);
        await health.watch(leaveSlaves(db, away));
        return names.map(() => undefined);
      },
    });
  }

  async join(session: SlaveSession, slots: number): Promise<JoinedSlave> {
    const { name, remote, version, sectorSize } = session;
    return await this.#joins.add({ name, remote, version, slots, sectorSize });
  }

  leave(name: string): void {
    this.#leaves.add(name).catch((error: unknown) => {
      this.#components.logger.debug({ slave: name, error: errorText(error) }, 'leaving is not in the database');
    });
  }

  /** False when no slave of that name ever came. */
  async setDrained(name: string, drained: boolean): Promise<boolean> {
    const { db, health, logger, roster } = this.#components;
    const isKnown = await health.watch(setDrained(db, name, drained));
    roster.setDrained(name, drained);
    if (isKnown) logger.info({ slave: name }, drained ? 'slave is drained' : 'slave is in service again');
    return isKnown;
  }

  /** A failure of the slave's own: after a few it gets nothing for a while. */
  async failed(name: string, id: string, now: number): Promise<void> {
    await this.#hold(name, this.#components.roster.failed(name, id, now), 'different tasks failed there in a row');
  }

  /** It was lost with tasks in proof: after a few times in a row it gets nothing for a while. */
  async died(name: string, now: number): Promise<void> {
    await this.#hold(name, this.#components.roster.died(name, now), 'it was lost with its tasks again and again');
  }

  async #hold(name: string, until: number | undefined, why: string): Promise<void> {
    if (until === undefined) return;
    const { db, health, logger } = this.#components;
    logger.error({ slave: name, until }, `slave is held back: ${why}`);
    await health.watch(holdSlave(db, name, until));
  }
}
