import { createHash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { errorText } from '../errors/coded-error.ts';
import { readBodies } from '../queue/read-bodies.ts';
import { decodeTask } from '../queue/window-post-task.ts';

export interface TaskBody {
  readonly bytes: Buffer;
  /** Why it is no task; null: it is one. */
  readonly flaw: string | null;
}

/**
 * More than seven hundred full partitions. Of more that wait at once every one is read again when its turn comes, which is a fifth of
 * what it costs.
 */
const MAX_BYTES = 512 * 2 ** 20;
/** Read with one statement. */
const MAX_READ_AT_ONCE = 8;

/** Bodies of tasks by their ids, which are of the content: so none is ever stale. The least used ones give way. */
export class BodyCache {
  readonly #reads: GroupCommit<string, TaskBody | undefined>;
  /** In the order of use. */
  readonly #kept = new Map<string, TaskBody>();
  #bytes = 0;

  constructor(components: { readonly db: Database }) {
    this.#reads = new GroupCommit({
      maxItems: MAX_READ_AT_ONCE,
      run: async (ids) => {
        const bodies = await readBodies(components.db, ids);
        return ids.map((id) => {
          const bytes = bodies.get(id);
          return bytes && { bytes, flaw: flawOf(id, bytes) };
        });
      },
    });
  }

  /** @param bytes of a task that was checked */
  put(id: string, bytes: Buffer): void {
    this.#keep(id, { bytes, flaw: null });
  }

  /** undefined: there is no such task (any more). Reads the database only for what is not kept. */
  async get(id: string): Promise<TaskBody | undefined> {
    const body = this.#kept.get(id) ?? (await this.#reads.add(id));
    if (body !== undefined) this.#keep(id, body);
    return body;
  }

  /** Nobody will ask for it soon. */
  forget(id: string): void {
    this.#bytes -= this.#kept.get(id)?.bytes.length ?? 0;
    this.#kept.delete(id);
  }

  #keep(id: string, body: TaskBody): void {
    this.forget(id);
    this.#kept.set(id, body);
    this.#bytes += body.bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.forget(oldest);
    }
  }
}

/** A body that gives its id is the one that was checked when it came; one of a row that others made is checked here. */
function flawOf(id: string, bytes: Buffer): string | null {
  if (createHash('sha256').update(bytes).digest('hex').startsWith(id)) return null;
  try {
    decodeTask(bytes);
    return null;
  } catch (error) {
    return errorText(error);
  }
}
