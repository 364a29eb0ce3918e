import type { Database } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { readBodies } from '../queue/read-bodies.ts';

/** Some hundred full partitions. */
const MAX_BYTES = 64 * 2 ** 20;
/** Read with one statement. */
const MAX_READ_AT_ONCE = 8;

/** Bodies of tasks by their ids, which are of the content: so none is ever stale. The least used ones give way. */
export class BodyCache {
  readonly #reads: GroupCommit<string, Buffer | undefined>;
  /** In the order of use. */
  readonly #kept = new Map<string, Buffer>();
  #bytes = 0;

  constructor(components: { readonly db: Database }) {
    this.#reads = new GroupCommit({
      maxItems: MAX_READ_AT_ONCE,
      run: async (ids) => {
        const bodies = await readBodies(components.db, ids);
        return ids.map((id) => bodies.get(id));
      },
    });
  }

  put(id: string, body: Buffer): void {
    this.forget(id);
    this.#kept.set(id, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }

  /** undefined: there is no such task (any more). Reads the database only for what is not kept. */
  async get(id: string): Promise<Buffer | undefined> {
    const body = this.#kept.get(id) ?? (await this.#reads.add(id));
    if (body !== undefined) this.put(id, body);
    return body;
  }

  /** Nobody will ask for it soon. */
  forget(id: string): void {
    this.#bytes -= this.#kept.get(id)?.length ?? 0;
    this.#kept.delete(id);
  }
}
