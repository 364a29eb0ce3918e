import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CodedError, errorCode } from '../../../../errors/coded-error.ts';
import { isSet, usage, wholeNumber } from '../proving/usage.ts';
import type { Verb } from '../verb.ts';

const FILE = 'sectorstore.json';

export const genSectorstoreJson: Verb = {
  name: 'gen-sectorstore-json',
  args: ['[path]'],
  example: '--name storage1 /mnt/nfs1',
  about: `write the ${FILE} that makes a folder a store for ScanPersistStores, or show one`,
  options: [
    { flags: '--name <name>', about: 'name of the store (default: an ID that is made up)' },
    { flags: '--no-strict', about: 'for the system this one replaces; here sizes are always checked' },
    { flags: '--readonly', about: 'nothing is ever written there' },
    { flags: '--read-only', about: 'the same' },
    { flags: '--growing', about: 'new sectors come to it' },
    { flags: '--weight <n>', about: 'share of new sectors', default: '1' },
    { flags: '--allow-miners <ids>', about: 'only these miners have sectors there: 1000,1001' },
    { flags: '--deny-miners <ids>', about: 'these miners have no sectors there; counts before --allow-miners' },
    { flags: '--force', about: `replace a ${FILE} that is there` },
  ],
  async run(_, written) {
    const {
      args: [path],
      options,
    } = written;
    const store = {
      ID: randomUUID(),
      Name: typeof options.name === 'string' ? options.name : '',
      Strict: options.strict !== false,
      ReadOnly: isSet(written, 'readonly') || isSet(written, 'readOnly'),
      Growing: isSet(written, 'growing'),
      Weight: wholeNumber(options.weight, '--weight'),
      AllowMiners: minerIds(options.allowMiners, '--allow-miners'),
      DenyMiners: minerIds(options.denyMiners, '--deny-miners'),
    };
    const text = JSON.stringify(store, null, 2);
    if (path === undefined) return { json: store, text };
    const file = basename(path) === FILE ? resolve(path) : join(resolve(path), FILE);
    try {
      await writeFile(file, `${text}\n`, { flag: isSet(written, 'force') ? 'w' : 'wx' });
    } catch (error) {
      const code = errorCode(error);
      const reason = code === 'EEXIST' ? 'is there already; --force replaces it' : `cannot be written (${code})`;
      throw new CodedError('not-written', `${file} ${reason}`);
    }
    return { json: { ...store, file }, text: `wrote ${file}` };
  },
};

function minerIds(text: unknown, flag: string): number[] {
  if (text === undefined) return [];
  if (typeof text !== 'string') throw usage(`${flag} must be numbers of miners such as 1000,1001`);
  return text.split(',').map((id) => wholeNumber(id.trim(), flag));
}
