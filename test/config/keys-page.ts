import { extProverFile } from '../../src/config/ext-prover-file.ts';
import { managerFile } from '../../src/config/manager-file.ts';
import { masterFile } from '../../src/config/master-file.ts';
import { slaveFile } from '../../src/config/slave-file.ts';
import type { Fields, Key } from '../../src/config/table.ts';
import { keyEffects } from './key-effects.ts';

export const tables = [managerFile, extProverFile, masterFile, slaveFile];
interface Placed {
  readonly path: string;
  readonly key: Key<unknown>;
}

export function keysOf(fields: Fields, path = ''): Placed[] {
  return Object.values(fields).flatMap((field) => {
    const at = path === '' ? field.name : `${path}.${field.name}`;
    return field.is === 'key' ? [{ path: at, key: field }] : keysOf(field.fields, at);
  });
}

/** Its own entry, or that of its table. */
export function shownBy(file: string, path: string): string | undefined {
  const effects = keyEffects[file] ?? {};
  return effects[path] ?? effects[path.replace(/\.[^.]+$/, '.*')];
}

/** docs/config-keys.md. */
export function keysPage(): string {
  const lines = [
    '# Every key of the config files',
    '',
    'What is written in the files of venus-cluster 0.4 and 0.5 and of damocles is read as it is, in any case and in the spellings of all',
    'of them. A key either has its effect here, which the named test shows, or is *not applicable*: its value is checked, and one warning',
    'at the start says why it has no effect (none where it says what happens here anyway). `sector-manager util config check [file]`',
    'shows the value in force of each key and where it comes from. The pages in [docs/config](config) say what to write.',
  ];
  for (const { name, fields } of tables) {
    lines.push('', `## ${name}`, '', '| Key | Other spellings | Here |', '|---|---|---|');
    for (const { path, key } of keysOf(fields)) {
      const others = (key.aliases ?? []).map((alias) => `\`${alias}\``).join(', ');
      const shown = shownBy(name, path) ?? '';
      const honoured = shown.startsWith('test/') ? `[honoured](../${shown})` : `honoured: ${shown}`;
      const here = key.notApplicable === undefined ? honoured : `not applicable: ${key.notApplicable}`;
      lines.push(`| \`${path}\` | ${others} | ${here} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
