import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database, Transaction } from '../../src/database/database.ts';
import { EventQueue } from '../support/event-queue.ts';

/** Rows that only ever come in twos, one transaction each: what became of them tells lost and half-done transactions. */
export class Pairs {
  /** Whose transaction was said to be committed. */
  readonly acknowledged = new Set<string>();
  readonly #db: Database;
  readonly #added = new EventQueue<string>();

  private constructor(db: Database) {
    this.#db = db;
  }

  static async create(db: Database): Promise<Pairs> {
    await sql`CREATE TABLE IF NOT EXISTS pairs (
      id CHAR(16) NOT NULL, side INT NOT NULL, changes INT NOT NULL DEFAULT 0, PRIMARY KEY (id, side)
    ) ENGINE = InnoDB`.execute(db.kysely);
    return new Pairs(db);
  }

  async add(): Promise<string> {
    const id = await this.#db.transaction((trx) => this.insert(trx));
    this.acknowledged.add(id);
    this.#added.push(id);
    return id;
  }

  async insert(trx: Transaction): Promise<string> {
    const id = randomBytes(8).toString('hex');
    await sql`INSERT INTO pairs (id, side) VALUES (${id}, 0)`.execute(trx);
    await sql`INSERT INTO pairs (id, side) VALUES (${id}, 1)`.execute(trx);
    return id;
  }

  /** One after the other until `isEnough` says so, of a failure or without one. */
  async addUntil(isEnough: (failure?: unknown) => boolean, failures: unknown[] = []): Promise<void> {
    for (;;) {
      try {
        await this.add();
        if (isEnough()) return;
      } catch (error) {
        failures.push(error);
        if (isEnough(error)) return;
      }
    }
  }

  async until(count: number): Promise<void> {
    while (this.acknowledged.size < count) await this.#added.next();
  }

  /** Ids that were acknowledged and are not there, or are there by half. */
  async damage(): Promise<string[]> {
    const { rows } = await sql<{ id: string; sides: number }>`
      SELECT id, COUNT(*) AS sides FROM pairs GROUP BY id`.execute(this.#db.kysely);
    const sides = new Map(rows.map((row) => [row.id, Number(row.sides)]));
    const lost = [...this.acknowledged].filter((id) => !sides.has(id));
    return [...lost, ...rows.filter((row) => Number(row.sides) !== 2).map((row) => row.id)];
  }
}
