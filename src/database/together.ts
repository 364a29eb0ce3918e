import { CompiledQuery, type RawBuilder, type SqlBool, sql } from 'kysely';
import { errorCode } from '../errors/coded-error.ts';
import type { Executor } from './database.ts';
import { isBody } from './pooled-connection.ts';

export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows that matched, changed or not. */
  readonly affected: number;
}

/**
 * Runs statements one after another in one round trip: on one machine a round trip costs as much as a small statement. The first
 * one that fails ends it. Their texts are constants of ours; values only ever come as parameters. One with a body goes alone.
 */
export async function together(
  executor: Executor,
  statements: readonly RawBuilder<unknown>[],
): Promise<StatementResult[]> {
  const results: StatementResult[] = [];
  let batch: CompiledQuery[] = [];
  for (const statement of statements) {
    const compiled = statement.compile(executor);
    if (compiled.parameters.some(isBody)) {
      results.push(...(await inOneRoundTrip(executor, batch)), ...(await inOneRoundTrip(executor, [compiled])));
      batch = [];
    } else {
      batch.push(compiled);
    }
  }
  results.push(...(await inOneRoundTrip(executor, batch)));
  return results;
}

/**
 * A statement that fails (`isUnmet`) unless the condition holds, for what is sent before its answer is known: a subquery of two rows
 * is the one error that a SELECT makes of a condition on MySQL and MariaDB alike.
 * @param from what follows the selected value; an aggregate as condition sees a row in any case
 */
export function demand(condition: RawBuilder<SqlBool>, from: RawBuilder<unknown> = sql``): RawBuilder<unknown> {
  return sql`SELECT IF(${condition}, 1, (SELECT 1 UNION ALL SELECT 2)) ${from}`;
}

export function isUnmet(error: unknown): boolean {
  return errorCode(error) === 'ER_SUBQUERY_NO_1_ROW';
}

/** That the statement before matched so many rows. */
export function demandRows(count: number): RawBuilder<unknown> {
  return demand(sql`ROW_COUNT() = ${count}`);
}

async function inOneRoundTrip(executor: Executor, compiled: readonly CompiledQuery[]): Promise<StatementResult[]> {
  if (compiled.length === 0) return [];
  const text = compiled.map((query) => query.sql).join(';\n');
  const parameters = compiled.flatMap((query) => [...query.parameters]);
  const { rows, numAffectedRows } = await executor.executeQuery<unknown>(CompiledQuery.raw(text, parameters));
  if (compiled.length === 1) return [{ rows, affected: Number(numAffectedRows ?? 0n) }];
  return rows.map((result) =>
    Array.isArray(result) ? { rows: result, affected: 0 } : { rows: [], affected: count(result) },
  );
}

function count(result: unknown): number {
  return typeof result === 'object' && result !== null && 'affectedRows' in result ? Number(result.affectedRows) : 0;
}
