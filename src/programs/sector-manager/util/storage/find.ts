import { minerId as minerIdKind } from '../../../../config/kinds.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import { isSet, usage, wholeNumber } from '../proving/usage.ts';
import type { Verb } from '../verb.ts';
import { indexDatabase } from './index-database.ts';
import { knownStores } from './known-stores.ts';

export const find: Verb = {
  name: 'find',
  args: ['<actor id>', '<number>'],
  example: '1000 42',
  about: 'say in which stores a sector is; exits with 1 where it is in none',
  options: [{ flags: '--upgrade', about: 'the files that a snap deal made: update/ and update-cache/' }],
  async run(toolbox, written) {
    const [actor = '', number] = written.args;
    const minerId = minerIdKind.read(/^\d+$/.test(actor) ? Number(actor) : actor);
    if (minerId === undefined)
      throw usage(`<actor id> must be a miner's number such as 1000, not ${JSON.stringify(actor)}`);
    const sector = { number: wholeNumber(number, '<number>'), upgraded: isSet(written, 'upgrade') };
    const name = `s-t0${minerId}-${sector.number}`;
    const index = new SectorIndex({ db: await indexDatabase(toolbox) });
    const [copies = []] = (await index.locate(minerId, [sector])).values();
    const configured = await knownStores(toolbox);
    const stores = copies.map((copy) => ({ ...copy, isConfigured: configured.has(copy.store) }));
    const sealed = copies.find(({ hasSealed }) => hasSealed);
    const cache = sealed?.hasCache ? sealed : copies.find(({ hasCache }) => hasCache);
    const located =
      copies.length === 0
        ? `${name} not found`
        : `sector ${name} located, sealed file in "${sealed?.store ?? ''}", cache dir in "${cache?.store ?? ''}"`;
    return {
      json: { sector: name, upgraded: sector.upgraded, stores },
      text: [
        located,
        ...stores.map(({ store, isConfigured }) =>
          isConfigured
            ? `"${store}": store instance exists`
            : `"${store}": store instance not found, check your config file`,
        ),
      ].join('\n'),
      exitCode: sealed !== undefined && cache !== undefined ? 0 : 1,
    };
  },
};
