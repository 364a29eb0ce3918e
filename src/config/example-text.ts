import type { Field, Fields, FileTable, Key } from './table.ts';

/** The example of a config file: every key with its default or an example, and what it is for. Reads back without a warning. */
export function exampleText(table: FileTable<Fields>): string {
  const lines = tableLines(table.fields, '', table.commentDefaults);
  return `# ${table.about}\n${lines.join('\n')}\n`;
}

function tableLines(fields: Fields, path: string, commentDefaults: boolean): string[] {
  const lines: string[] = [];
  for (const key of ownKeys(fields).filter(isShown)) lines.push(`# ${key.about}`, keyLine(key, commentDefaults));
  for (const field of Object.values(fields)) {
    if (field.is === 'key' || !isShown(field)) continue;
    const name = path === '' ? field.name : `${path}.${field.name}`;
    const inner = tableLines(field.fields, name, commentDefaults);
    lines.push('', `# ${field.about}`, ...(field.is === 'list' ? commentedList(name, inner) : [`[${name}]`, ...inner]));
  }
  return lines;
}

/** Keys without effect would only make the file long; the reference page has them. */
function isShown(field: Field): boolean {
  return field.is === 'key' ? field.notApplicable === undefined : Object.values(field.fields).some(isShown);
}

/** An entry of a list would be one more store or miner, so lists are shown, never there. */
function commentedList(name: string, inner: readonly string[]): string[] {
  return [`[[${name}]]`, ...inner].map((line) => (line === '' || line.startsWith('#') ? line : `#${line}`));
}

function keyLine(key: Key<unknown>, commentDefaults: boolean): string {
  const value = key.example ?? key.default;
  const isLive = key.required === true || (key.default !== undefined && key.example === undefined && !commentDefaults);
  return `${isLive ? '' : '#'}${key.name} = ${value === undefined ? "''" : tomlValue(value)}`;
}

export function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => `${name} = ${tomlValue(inner)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** The keys of a table, without its sections and lists. */
export function ownKeys(fields: Fields): Key<unknown>[] {
  return Object.values<Field>(fields).filter((field): field is Key<unknown> => field.is === 'key');
}
