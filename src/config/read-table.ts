import { isDeepStrictEqual, types } from 'node:util';
import { CodedError } from '../errors/coded-error.ts';
import { tomlValue } from './example-text.ts';
import { KindMismatch } from './kind.ts';
import { nearest } from './nearest.ts';
import type { Field, Fields, Key, Values } from './table.ts';
import type { ValueInForce } from './value-in-force.ts';

/** What reading a file gathers besides its values. */
export interface Reading {
  readonly file: string;
  readonly warnings: string[];
  /** Of each key, in the order of the table. */
  readonly values: ValueInForce[];
  /** By path in lower case. */
  readonly lines: ReadonlyMap<string, number>;
  /** Keys that were written and have no effect, without their places in lists, by the reason. */
  readonly withoutEffect: Map<string, Set<string>>;
}

type RawTable = Readonly<Record<string, unknown>>;

/** What was written for a field, and how it was spelt there. */
interface Found {
  readonly value: unknown;
  readonly name: string;
}

/**
 * Reads a parsed TOML table by a key table. Unknown keys and keys written twice become warnings.
 * @throws CodedError `bad-config` naming file, key path, the value found and what may be written
 */
export function readTable<F extends Fields>(fields: F, raw: RawTable, reading: Reading, path = ''): Values<F> {
  const found = matchKeys(fields, raw, reading, path);
  const values: Record<string, unknown> = {};
  for (const [property, field] of Object.entries(fields)) {
    const value = readField(field, found.get(property), reading, path);
    if (value !== undefined) values[property] = value;
  }
  return values as Values<F>;
}

/** By property name; the first of several spellings counts. */
function matchKeys(fields: Fields, raw: RawTable, { file, warnings }: Reading, path: string): Map<string, Found> {
  const properties = new Map<string, string>();
  for (const [property, field] of Object.entries(fields)) {
    const aliases = field.is === 'key' ? (field.aliases ?? []) : [];
    for (const name of [field.name, ...aliases]) properties.set(name.toLowerCase(), property);
  }
  const found = new Map<string, Found>();
  for (const [name, value] of Object.entries(raw)) {
    const property = properties.get(name.toLowerCase());
    const before = property === undefined ? undefined : found.get(property);
    if (property === undefined) {
      const guess = nearest(
        name,
        Object.values(fields).map((field) => field.name),
      );
      const advice = guess === undefined ? '' : `; did you mean ${join(path, guess)}?`;
      warnings.push(`${file}: unknown key ${join(path, name)} is ignored${advice}`);
    } else if (before !== undefined) {
      warnings.push(
        `${file}: ${join(path, name)} is ignored: ${join(path, before.name)} says the same and comes first`,
      );
    } else {
      found.set(property, { value, name });
    }
  }
  return found;
}

function readField(field: Field, found: Found | undefined, reading: Reading, parent: string): unknown {
  const path = join(parent, field.name);
  if (field.is === 'key') return readKey(field, found, reading, parent);
  if (field.is === 'section') {
    const table = found?.value ?? {};
    if (!isTable(table)) throw badConfig(reading.file, path, `must be a table; write [${path}]`);
    return readTable(field.fields, table, reading, path);
  }
  const items = found?.value ?? [];
  if (!Array.isArray(items) || !items.every(isTable)) {
    throw badConfig(reading.file, path, `must be an array of tables; write [[${path}]] with two brackets`);
  }
  return items.map((item, index) => readTable(field.fields, item, reading, `${path}[${index}]`));
}

function readKey(key: Key<unknown>, found: Found | undefined, reading: Reading, parent: string): unknown {
  const path = join(parent, key.name);
  const isAbsent = found === undefined || (found.value === '' && key.required !== true);
  if (isAbsent && key.required === true) throw badConfig(reading.file, path, `is missing; write ${key.kind.accepts}`);
  const written = isAbsent ? key.default : found.value;
  const { value, why } = written === undefined ? {} : tryRead(key, written);
  if (written !== undefined && value === undefined) {
    const { secret, mayHoldSecret } = key.kind;
    const isHidden = secret === true || mayHoldSecret?.(written) === true;
    const shown = isHidden ? 'a value that cannot be read (not shown)' : show(written);
    throw badConfig(
      reading.file,
      path,
      `is ${shown}${why === undefined ? '' : ` (${why})`}; write ${key.kind.accepts}`,
    );
  }
  if (!isAbsent) noteWithoutEffect(key, value, reading, path);
  const line = isAbsent ? undefined : reading.lines.get(join(parent, found.name).toLowerCase());
  reading.values.push({
    path,
    value: value === undefined ? null : shownValue(key, written, value),
    from: !isAbsent ? 'file' : written === undefined ? 'unset' : 'default',
    ...(line !== undefined && { line }),
    ...(!isAbsent && found.name.toLowerCase() !== key.name.toLowerCase() && { writtenAs: found.name }),
    ...(key.otherwise !== undefined && { otherwise: key.otherwise }),
    ...(key.notApplicable !== undefined && { notApplicable: key.notApplicable }),
  });
  return value;
}

function tryRead(key: Key<unknown>, written: unknown): { readonly value?: unknown; readonly why?: string } {
  try {
    return { value: key.kind.read(written === 0 && key.zeroMeans !== undefined ? key.zeroMeans : written) };
  } catch (error) {
    if (error instanceof KindMismatch) return { why: error.message };
    throw error;
  }
}

function shownValue({ kind, zeroMeans }: Key<unknown>, written: unknown, value: unknown): string {
  if (kind.secret === true) return kind.show?.(value) ?? 'not shown';
  const meaning = written === 0 && zeroMeans !== undefined ? ` (stands for ${tomlValue(zeroMeans)})` : '';
  return `${tomlValue(written)}${meaning}`;
}

/** The value that the key usually has is what happens here anyway. */
function noteWithoutEffect(key: Key<unknown>, value: unknown, { withoutEffect }: Reading, path: string): void {
  if (key.notApplicable === undefined) return;
  if (key.default !== undefined && isDeepStrictEqual(value, tryRead(key, key.default).value)) return;
  const paths = withoutEffect.get(key.notApplicable) ?? new Set();
  withoutEffect.set(key.notApplicable, paths.add(path.replaceAll(/\[\d+\]/g, '')));
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
