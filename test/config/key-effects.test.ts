import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyEffects } from './key-effects.ts';
import { keysOf, shownBy, tables } from './keys-page.ts';

const root = new URL('../../', import.meta.url).pathname;

describe.each(tables)('$name', ({ name, fields }) => {
  const keys = keysOf(fields);

  test('every key is honoured, and shown to be, or says why not', () => {
    for (const { path, key } of keys) {
      if (key.notApplicable === undefined) expect(shownBy(name, path), path).toBeDefined();
    }
  });

  test('what is said to be shown is there', () => {
    for (const [path, shown] of Object.entries(keyEffects[name] ?? {})) {
      const named = keys.some((one) =>
        path.endsWith('.*') ? one.path.startsWith(path.slice(0, -1)) : one.path === path,
      );
      expect(named, path).toBe(true);
      if (shown.startsWith('test/')) expect(existsSync(root + shown), shown).toBe(true);
    }
  });
});
