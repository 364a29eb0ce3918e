import type { Chain } from '../../chain/chain.ts';
import type { Clock } from '../../clock/clock.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import type { Database } from '../../database/database.ts';
import { errorText } from '../../errors/coded-error.ts';

const LIMIT_MS = 3_000;
/** Ten epochs: posting waits for the node by then. */
const OLD_HEAD_MS = 300_000;

export interface HealthReport {
  readonly status: 'ok' | 'failing' | 'starting';
  /** What fails, for people. */
  readonly troubles: readonly string[];
  readonly leads: boolean;
  /** Of the newest head that the chain node knows. */
  readonly height: number | null;
  readonly headAgeSeconds: number | null;
}

interface Parts {
  readonly chain: Pick<Chain, 'head'>;
  readonly db: Pick<Database, 'kysely'>;
  readonly leads: () => boolean;
}

/** Whether the manager has what it needs, found out anew whenever somebody asks. */
export class Health {
  readonly #clock: Clock;
  #parts: Parts | undefined;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** Everything is connected. */
  watch(parts: Parts): void {
    this.#parts = parts;
  }

  async report(): Promise<HealthReport> {
    const parts = this.#parts;
    if (parts === undefined) {
      return { status: 'starting', troubles: [], leads: false, height: null, headAgeSeconds: null };
    }
    const troubles: string[] = [];
    const noted = async <T>(what: string, asked: Promise<T>): Promise<T | undefined> => {
      try {
        return await withTimeLimit(this.#clock, LIMIT_MS, what, asked);
      } catch (error) {
        troubles.push(`${what}: ${errorText(error)}`);
        return undefined;
      }
    };
    const [head] = await Promise.all([
      noted('chain node', parts.chain.head()),
      noted('database', parts.db.kysely.selectFrom('leadership').select('id').executeTakeFirst()),
    ]);
    const ageMs = head === undefined ? null : this.#clock.now() - head.minTimestamp * 1000;
    if (ageMs !== null && ageMs > OLD_HEAD_MS) troubles.push(`chain node: its head is ${seconds(ageMs)} s old`);
    return {
      status: troubles.length === 0 ? 'ok' : 'failing',
      troubles,
      leads: parts.leads(),
      height: head?.height ?? null,
      headAgeSeconds: ageMs === null ? null : seconds(ageMs),
    };
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
