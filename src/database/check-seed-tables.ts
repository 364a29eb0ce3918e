import { sql } from 'kysely';
import { CodedError } from '../errors/coded-error.ts';
import type { Database } from './database.ts';

const TABLES = ['tasks', 'tasks_archived'] as const;

interface NeededColumn {
  /** As sql/0001-seed-tables.sql makes it. */
  readonly definition: string;
  /** Others lose digits or bytes, or give text where bytes are read. */
  readonly types: readonly string[];
  /** In characters, of those types that have one. */
  readonly length?: number;
  /** What is longer our own tables do not take. */
  readonly longest?: number;
}

const seconds = (definition: string): NeededColumn => ({ definition, types: ['bigint', 'int'] });
/** A body has 1.7 MB: too much for a BLOB of 64 KB. */
const BODIES = ['mediumblob', 'longblob'];

const NEEDED: ReadonlyMap<string, NeededColumn> = new Map([
  ['id', { definition: 'CHAR(32) NOT NULL', types: ['char', 'varchar'], length: 32, longest: 255 }],
  ['in_body', { definition: 'LONGBLOB NOT NULL', types: BODIES }],
  ['created_at', seconds('BIGINT NOT NULL')],
  ['started_at', seconds('BIGINT DEFAULT NULL')],
  ['finished_at', seconds('BIGINT DEFAULT NULL')],
  ['retry_count', { definition: 'SMALLINT NOT NULL DEFAULT 0', types: ['smallint', 'mediumint', 'int', 'bigint'] }],
  ['error_reason', { definition: 'TEXT DEFAULT NULL', types: ['text', 'mediumtext', 'longtext'] }],
  ['out_body', { definition: 'LONGBLOB DEFAULT NULL', types: BODIES }],
  ['slave', { definition: 'VARCHAR(100) DEFAULT NULL', types: ['char', 'varchar'], length: 100 }],
  ['heartbeat_at', seconds('BIGINT DEFAULT NULL')],
]);

interface FoundColumn {
  readonly table: string;
  /** Null: a view. */
  readonly engine: string | null;
  /** In small letters, as nobody writes them otherwise to a server. */
  readonly name: string;
  readonly type: string;
  /** For people, such as varchar(32). */
  readonly shown: string;
  readonly length: number | null;
  readonly nullable: 'YES' | 'NO';
  readonly fallback: string | null;
  readonly indexed: string;
  readonly extra: string;
}

/**
 * Operators have made `tasks` and `tasks_archived` by hand, and programs of their own may have changed them. Tables that are not
 * there are made later.
 * @throws CodedError `database-tables-unfit` with what to change
 */
export async function checkSeedTables(db: Database): Promise<void> {
  const { rows } = await sql<FoundColumn>`SELECT TABLE_NAME AS \`table\`, ENGINE AS engine, LOWER(COLUMN_NAME) AS name,
      LOWER(DATA_TYPE) AS type, COLUMN_TYPE AS shown, CHARACTER_MAXIMUM_LENGTH AS length, IS_NULLABLE AS nullable,
      COLUMN_DEFAULT AS fallback, COLUMN_KEY AS indexed, EXTRA AS extra
    FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME)
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('tasks', 'tasks_archived')
    ORDER BY TABLE_NAME, ORDINAL_POSITION`.execute(db.kysely);
  const problems = TABLES.flatMap((table) => problemsOf(table, rows));
  if (problems.length === 0) return;
  throw new CodedError('database-tables-unfit', `the database has tables that cannot be used: ${problems.join('; ')}`);
}

function problemsOf(table: string, rows: readonly FoundColumn[]): string[] {
  const found = new Map(rows.filter((row) => row.table === table).map((row) => [row.name, row]));
  if (found.size === 0) return [];
  const missing = [...NEEDED].filter(([name]) => !found.has(name));
  const names = missing.map(([name]) => name);
  if (names.includes('id') || names.includes('in_body')) {
    return [`${table} lacks ${names.join(', ')}, so it is a table of something else: use another database`];
  }
  const problems: string[] = [];
  const engine = [...found.values()][0]?.engine ?? 'a view';
  if (engine !== 'InnoDB') problems.push(`${table} is ${engine}: make it a table of ENGINE = InnoDB`);
  if (missing.length > 0) {
    const added = missing.map(([name, { definition }]) => `ADD COLUMN ${name} ${definition}`).join(', ');
    problems.push(`${table} lacks ${names.join(', ')}: run \`ALTER TABLE ${table} ${added}\``);
  }
  for (const column of found.values()) {
    const problem = problemOf(column, NEEDED.get(column.name));
    if (problem !== undefined) problems.push(`${table}.${column.name} ${problem}`);
  }
  return problems;
}

function problemOf(column: FoundColumn, needed: NeededColumn | undefined): string | undefined {
  const { name, type, shown, length, nullable, fallback, indexed, extra } = column;
  if (needed === undefined) {
    const isFilled = nullable === 'YES' || fallback !== null || extra !== '';
    return isFilled ? undefined : 'must have a value in each row, and only its owner knows one: give it a default';
  }
  const { definition } = needed;
  const isShort = needed.length !== undefined && Number(length) < needed.length;
  if (needed.longest !== undefined && Number(length) > needed.longest) {
    return `is ${shown}: make it VARCHAR(${needed.longest}) NOT NULL`;
  }
  if (isShort || !needed.types.includes(type)) return `is ${shown}: make it ${definition}`;
  if (definition.endsWith('DEFAULT NULL') && nullable === 'NO') return `takes no NULL: make it ${definition}`;
  if (definition.endsWith('DEFAULT 0') && fallback !== '0') return `has not the default 0: make it ${definition}`;
  if (name === 'id' && indexed !== 'PRI' && indexed !== 'UNI') return 'is no key: make it the PRIMARY KEY';
  return undefined;
}
