import { readFile } from 'node:fs/promises';
import toml from 'toml';
import { z } from 'zod';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import { keyLines } from './key-lines.ts';
import { type Reading, readTable } from './read-table.ts';
import type { Fields, FileTable, Values } from './table.ts';
import type { ValueInForce } from './value-in-force.ts';

export interface Loaded<T> {
  readonly config: T;
  /** One line each: unknown keys, entries and keys without effect. For the log. */
  readonly warnings: readonly string[];
  readonly values: readonly ValueInForce[];
}

/**
 * @throws CodedError `config-not-found` or `config-not-readable`, or `bad-config` for a file that is no TOML or holds a wrong value
 */
export async function loadFile<F extends Fields>(table: FileTable<F>, path: string): Promise<Loaded<Values<F>>> {
  const text = await readText(table, path);
  const raw = parseToml(text, path);
  const reading: Reading = { file: path, warnings: [], values: [], lines: keyLines(text), withoutEffect: new Map() };
  const config = readTable(table.fields, raw, reading);
  const idle = [...reading.withoutEffect].map(
    ([why, paths]) => `${path}: not applicable: ${[...paths].join(', ')}: ${why}`,
  );
  return { config, warnings: [...reading.warnings, ...idle], values: reading.values };
}

/** @throws CodedError `config-not-found`, `config-not-readable`, `bad-config` */
export async function readRawFile(path: string): Promise<Record<string, unknown>> {
  return parseToml(await readText(undefined, path), path);
}

async function readText(table: FileTable<Fields> | undefined, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      const advice = table === undefined ? '' : `; ${howToMake(table)}`;
      throw new CodedError('config-not-found', `there is no ${path}${advice}`, { path });
    }
    throw new CodedError('config-not-readable', `${path} cannot be read (${errorCode(cause)})`, { path });
  }
}

function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    return toml.parse(text);
  } catch (error) {
    throw new CodedError('bad-config', `${path}${place(error)} is not TOML: ${shortened(errorText(error))}`, { path });
  }
}

/** Never the line itself, which may hold a password. */
function place(error: unknown): string {
  const { success, data } = z
    .object({ location: z.object({ start: z.object({ line: z.number(), column: z.number() }) }) })
    .safeParse(error);
  return success ? ` line ${data.location.start.line} column ${data.location.start.column}` : '';
}

/** The parser's list of all that could have stood there tells less than what did stand there. */
function shortened(message: string): string {
  const found = /but (.+) found\.?$/.exec(message)?.[1];
  return found === undefined ? message : `unexpected ${found === '"\\n"' ? 'end of line' : found}`;
}

function howToMake(table: FileTable<Fields>): string {
  if (table.name.endsWith('.cfg')) return 'write one with `sector-manager daemon init` and adapt it';
  return `copy config/${table.name} there and adapt it`;
}
