import { types } from 'node:util';
import { CodedError } from '../errors/coded-error.ts';
import { KindMismatch } from './kind.ts';
import { nearest } from './nearest.ts';
import type { Field, Fields, Key, Values } from './table.ts';

interface Reading {
  readonly file: string;
  readonly warnings: string[];
}

type RawTable = Readonly<Record<string, unknown>>;

/**
 * Reads a parsed TOML table by a key table. Unknown keys and keys written twice become warnings.
 * @throws CodedError `bad-config` naming file, key path, the value found and what may be written
 */
export function readTable<F extends Fields>(fields: F, raw: RawTable, reading: Reading, path = ''): Values<F> {
  const found = matchKeys(fields, raw, reading, path);
  const values: Record<string, unknown> = {};
  for (const [property, field] of Object.entries(fields)) {
    const value = readField(field, found.get(property), reading, join(path, field.name));
    if (value !== undefined) values[property] = value;
  }
  return values as Values<F>;
}

/** Raw values by property name; the first of several spellings counts. */
function matchKeys(fields: Fields, raw: RawTable, { file, warnings }: Reading, path: string): Map<string, unknown> {
  const properties = new Map<string, string>();
  for (const [property, field] of Object.entries(fields)) {
    const aliases = field.is === 'key' ? (field.aliases ?? []) : [];
    for (const name of [field.name, ...aliases]) properties.set(name.toLowerCase(), property);
  }
  const found = new Map<string, unknown>();
  const spelling = new Map<string, string>();
  for (const [name, value] of Object.entries(raw)) {
    const property = properties.get(name.toLowerCase());
    if (property === undefined) {
      const guess = nearest(
        name,
        Object.values(fields).map((field) => field.name),
      );
      const advice = guess === undefined ? '' : `; did you mean ${join(path, guess)}?`;
      warnings.push(`${file}: unknown key ${join(path, name)} is ignored${advice}`);
    } else if (found.has(property)) {
      warnings.push(
        `${file}: ${join(path, name)} is ignored: ${join(path, spelling.get(property) ?? '')} says the same and comes first`,
      );
    } else {
      found.set(property, value);
      spelling.set(property, name);
    }
  }
  return found;
}

function readField(field: Field, found: unknown, reading: Reading, path: string): unknown {
  if (field.is === 'key') return readKey(field, found, reading.file, path);
  if (field.is === 'section') {
    if (found !== undefined && !isTable(found)) throw badConfig(reading.file, path, `must be a table; write [${path}]`);
    return readTable(field.fields, found ?? {}, reading, path);
  }
  const items = found ?? [];
  if (!Array.isArray(items) || !items.every(isTable)) {
    throw badConfig(reading.file, path, `must be an array of tables; write [[${path}]] with two brackets`);
  }
  return items.map((item, index) => readTable(field.fields, item, reading, `${path}[${index}]`));
}

function readKey(key: Key<unknown>, found: unknown, file: string, path: string): unknown {
  const isAbsent = found === undefined || (found === '' && key.required !== true);
  if (isAbsent && key.required === true) throw badConfig(file, path, `is missing; write ${key.kind.accepts}`);
  const written = isAbsent ? key.default : found;
  if (written === undefined) return undefined;
  const meant = written === 0 && key.zeroMeans !== undefined ? key.zeroMeans : written;
  const { value, why } = tryRead(key, meant);
  if (value !== undefined) return value;
  const shown = key.kind.secret === true ? 'a value that cannot be read (not shown)' : show(found);
  throw badConfig(file, path, `is ${shown}${why === undefined ? '' : ` (${why})`}; write ${key.kind.accepts}`);
}

function tryRead(key: Key<unknown>, written: unknown): { readonly value?: unknown; readonly why?: string } {
  try {
    return { value: key.kind.read(written) };
  } catch (error) {
    if (error instanceof KindMismatch) return { why: error.message };
    throw error;
  }
}

export function badConfig(file: string, path: string, what: string): CodedError {
  return new CodedError('bad-config', `${file}: ${path} ${what}`, { file, key: path });
}

function show(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}…`;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function isTable(value: unknown): value is RawTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !types.isDate(value);
}
