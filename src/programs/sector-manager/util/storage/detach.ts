import { forgetStore } from '../../../../stores/index/store-records.ts';
import type { Verb } from '../verb.ts';
import { indexDatabase } from './index-database.ts';
import { knownStores } from './known-stores.ts';

export const detach: Verb = {
  name: 'detach',
  args: ['<name>'],
  example: 'storage1',
  about: 'forget what a store holds; its files are not touched',
  async run(toolbox, { args: [name = ''] }) {
    const forgotten = await forgetStore(await indexDatabase(toolbox), name);
    const isConfigured = (await knownStores(toolbox)).has(name);
    const advice = isConfigured ? '; it is still in the config file, and looked into: remove its section there' : '';
    return {
      json: { name, forgotten, isConfigured },
      text: `${forgotten ? `store ${name} is out of the index` : `the index knows no store ${name}`}${advice}`,
      exitCode: forgotten ? 0 : 1,
    };
  },
};
