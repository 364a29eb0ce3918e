import { CompiledQuery, type RawBuilder } from 'kysely';
import type { Executor } from './database.ts';
import { isBody } from './pooled-connection.ts';

export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows that matched, changed or not. */
  readonly affected: number;
}

/**
 * Runs statements one after another in one round trip: on one machine a round trip costs as much as a small statement. The first
 * one that fails ends it. Their texts are constants of ours; values only ever come as parameters.
 */
export async function together(
  executor: Executor,
  statements: readonly RawBuilder<unknown>[],
): Promise<StatementResult[]> {
  if (statements.length === 0) return [];
  const compiled = statements.map((statement) => statement.compile(executor));
  if (statements.length > 1 && compiled.some(({ parameters }) => parameters.some(isBody))) {
    const results: StatementResult[] = [];
    for (const statement of statements) results.push(...(await together(executor, [statement])));
    return results;
  }
  const text = compiled.map(({ sql }) => sql).join(';\n');
  const { rows, numAffectedRows } = await executor.executeQuery<unknown>(
    CompiledQuery.raw(
      text,
      compiled.flatMap(({ parameters }) => [...parameters]),
    ),
  );
  if (statements.length === 1) return [{ rows, affected: Number(numAffectedRows ?? 0n) }];
  return rows.map((result) =>
    Array.isArray(result) ? { rows: result, affected: 0 } : { rows: [], affected: count(result) },
  );
}

function count(result: unknown): number {
  return typeof result === 'object' && result !== null && 'affectedRows' in result ? Number(result.affectedRows) : 0;
}
