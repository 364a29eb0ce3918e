import type { Database } from '../database/database.ts';
import { CodedError } from '../errors/coded-error.ts';
import { archiveTask, archiveTasks } from '../queue/archive-tasks.ts';
import { findTaskId } from '../queue/find-task-id.ts';
import { listSlaves } from '../queue/list-slaves.ts';
import { listTasks, type TaskFilter } from '../queue/list-tasks.ts';
import { removeTask } from '../queue/remove-task.ts';
import { resetTask } from '../queue/reset-task.ts';
import { showTask } from '../queue/show-task.ts';
import type { SlaveReport, TaskReport, TaskSummary, TaskView } from '../rpc/methods.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Leader } from './leader.ts';

interface Components {
  readonly logger: Logger;
  readonly db: Database;
  readonly leader: Leader;
}

/** What operators ask of the leading master. Ids may be written by their beginning; an unknown one is answered with null. */
export class Operator {
  readonly #components: Components;

  constructor(components: Components) {
    this.#components = components;
  }

  async list(filter: TaskFilter): Promise<TaskSummary[]> {
    return await listTasks(this.#components.db.kysely, filter);
  }

  /** @throws CodedError `ambiguous-id` */
  async show(written: string): Promise<TaskReport | null> {
    const { kysely } = this.#components.db;
    const id = await findTaskId(kysely, written);
    return id === null ? null : await showTask(kysely, id);
  }

  /** @throws CodedError as `resetTask`, `ambiguous-id` */
  async reset(written: string): Promise<TaskView | null> {
    const { db, leader, logger } = this.#components;
    const id = await findTaskId(db.kysely, written);
    const reset = id === null ? null : await resetTask(db, id);
    if (id === null || reset === null) return null;
    logger.info({ id, ended: reset.ended.length }, 'operator: task reset');
    leader.dropAttempts(reset.ended);
    await leader.announce(id);
    return await leader.get(id);
  }

  /** @throws CodedError `task-finished`, `ambiguous-id` */
  async cancel(written: string, reason: string): Promise<TaskView | null> {
    const { db, leader, logger } = this.#components;
    const id = await findTaskId(db.kysely, written);
    const before = id === null ? null : await leader.get(id);
    if (id === null || before === null) return null;
    if (before.finishedAt !== null) {
      throw new CodedError('task-finished', `task ${id} is ${before.state} already; there is nothing to cancel`);
    }
    logger.info({ id, reason }, 'operator: task cancelled');
    return await leader.cancel(id, reason);
  }

  /** @throws CodedError `task-unfinished`, `ambiguous-id` */
  async remove(written: string): Promise<boolean> {
    const { db, logger } = this.#components;
    const id = await findTaskId(db.kysely, written);
    if (id === null || !(await removeTask(db, id))) return false;
    logger.info({ id }, 'operator: task removed');
    return true;
  }

  /**
   * Without an id every finished task, whatever its age. Returns how many moved.
   * @throws CodedError `tasks-not-archived` names one of those that could not be, the others are
   */
  async archive(written: string | undefined): Promise<number> {
    const { db, logger } = this.#components;
    let archived: number;
    if (written === undefined) {
      const { changed, leftOut } = await archiveTasks(db, 0);
      const [first] = leftOut;
      if (first !== undefined) {
        const text = `${changed} tasks are archived, ${leftOut.length} cannot be: ${first.id}: ${first.error}`;
        throw new CodedError('tasks-not-archived', text);
      }
      archived = changed;
    } else {
      const id = await findTaskId(db.kysely, written);
      archived = id !== null && (await archiveTask(db, id)) ? 1 : 0;
    }
    logger.info({ archived }, 'operator: tasks archived');
    return archived;
  }

  async slaves(): Promise<SlaveReport[]> {
    const here = new Map(this.#components.leader.slaves().map((slave) => [slave.name, slave]));
    const rows = await listSlaves(this.#components.db.kysely);
    for (const row of rows) if (!here.has(row.name)) here.set(row.name, row);
    return [...here.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What runs goes on, nothing new starts: also after a restart of the slave or of the master. */
  async drain(name: string): Promise<SlaveReport | null> {
    const { leader, logger } = this.#components;
    if (!(await leader.drain(name))) return null;
    const working = leader.slaves().filter(({ state }) => state === 'ready' || state === 'held back').length;
    if (working === 0) logger.error({ slave: name }, 'no slave in service is ready to work, the last one was drained');
    return await this.#slave(name);
  }

  async resume(name: string): Promise<SlaveReport | null> {
    return (await this.#components.leader.resume(name)) ? await this.#slave(name) : null;
  }

  async #slave(name: string): Promise<SlaveReport | null> {
    return (await this.slaves()).find((slave) => slave.name === name) ?? null;
  }
}
