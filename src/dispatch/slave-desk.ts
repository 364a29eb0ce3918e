import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
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
  /** Instances that were told of once. */
  readonly #refused = new Set<string>();

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

  /**
   * Two processes of one name would throw each other out for ever. One that no longer answers makes room: its machine was lost,
   * and this is its restart.
   * @throws CodedError `name-taken`
   */
  async admit({ name, instance, remote }: SlaveSession): Promise<void> {
    const { logger, roster } = this.#components;
    const other = roster.session(name);
    if (other === undefined || instance === undefined || other.instance === undefined) return;
    if (other.instance === instance || !(await other.answers())) return;
    const help = 'give each slave a name of its own ([slave] name in its slave.toml), or stop one of them';
    if (!this.#refused.has(instance)) {
      this.#refused.add(instance);
      logger.error({ slave: name, connected: other.remote, refused: remote, help }, 'two slaves have the same name');
    }
    throw new CodedError('name-taken', `another slave named ${name} is at work at ${other.remote}: ${help}`);
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

  /** It was lost with tasks in proof: after a few times in a row it gets nothing for a while. Returns until when, if so. */
  async died(name: string, now: number): Promise<number | undefined> {
    const until = this.#components.roster.died(name, now);
    await this.#hold(name, until, 'it was lost with its tasks several times in a row');
    return until;
  }

  async #hold(name: string, until: number | undefined, why: string): Promise<void> {
    if (until === undefined) return;
    const { db, health, logger } = this.#components;
    logger.error({ slave: name, until }, `slave is held back: ${why}`);
    await health.watch(holdSlave(db, name, until));
  }
}
