import { expect, test } from 'vitest';
import { exampleText } from '../../src/config/example-text.ts';
import { extProverFile, loadExtProverConfig } from '../../src/config/ext-prover-file.ts';
import { loadManagerConfig, managerFile } from '../../src/config/manager-file.ts';
import { loadMasterConfig, masterFile } from '../../src/config/master-file.ts';
import { referencePage } from '../../src/config/reference-page.ts';
import { loadSlaveConfig, slaveFile } from '../../src/config/slave-file.ts';
import { keysPage } from './keys-page.ts';

const tables = [masterFile, slaveFile, managerFile, extProverFile];
const root = new URL('../../', import.meta.url).pathname;

// `npm run config-docs` writes these files anew.
test.each(tables)('config/$name is up to date', async (table) => {
  await expect(exampleText(table)).toMatchFileSnapshot(`${root}config/${table.name}`);
});

test.each(tables)('docs/config/$name.md is up to date', async (table) => {
  await expect(referencePage(table)).toMatchFileSnapshot(`${root}docs/config/${table.name}.md`);
});

test('docs/config-keys.md is up to date', async () => {
  await expect(keysPage()).toMatchFileSnapshot(`${root}docs/config-keys.md`);
});

test.each([
  ['wdpost_master.toml', loadMasterConfig],
  ['slave.toml', loadSlaveConfig],
  ['sector-manager.cfg', loadManagerConfig],
  ['ext-prover.cfg', loadExtProverConfig],
] as const)('config/%s loads without a warning', async (name, load) => {
  expect((await load(`${root}config/${name}`)).warnings).toEqual([]);
});
