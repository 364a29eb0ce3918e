import { ownKeys, tomlValue } from './example-text.ts';
import type { Fields, FileTable, Key } from './table.ts';

/** The Markdown page of a config file: a table of keys for each of its sections. */
export function referencePage(table: FileTable<Fields>): string {
  const lines = [
    `# ${table.name}`,
    '',
    `${table.about} ([example](../../config/${table.name}))`,
    '',
    'The file is TOML. Keys are read in any case. An unknown key is a warning that names the nearest known one; a wrong value is an',
    'error that names the file, the key and what may be written.',
    ...sectionLines(table.fields, ''),
  ];
  return `${lines.join('\n')}\n`;
}

function sectionLines(fields: Fields, path: string): string[] {
  const lines: string[] = [];
  const keys = ownKeys(fields);
  if (keys.length > 0) {
    lines.push('', '| Key | Default | Write | Meaning |', '|---|---|---|---|', ...keys.map(row));
  }
  for (const field of Object.values(fields)) {
    if (field.is === 'key') continue;
    const name = path === '' ? field.name : `${path}.${field.name}`;
    const heading = field.is === 'list' ? `[[${name}]]` : `[${name}]`;
    lines.push('', `## ${heading}`, '', `${field.about}.`, ...sectionLines(field.fields, name));
  }
  return lines;
}

function row(key: Key<unknown>): string {
  const names = [key.name, ...(key.aliases ?? [])].map((name) => `\`${name}\``).join(' or ');
  const none = key.required === true ? 'must be written' : '–';
  const value = key.default === undefined ? none : `\`${tomlValue(key.default)}\``;
  const zero = key.zeroMeans === undefined ? '' : ` (0 stands for ${tomlValue(key.zeroMeans)})`;
  return `| ${[names, `${value}${zero}`, key.kind.accepts, key.about].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
