import { expect, test } from 'vitest';
import { defaultHome } from '../../src/programs/sector-manager/default-home.ts';
import { readAddresses } from '../../src/programs/sector-manager/listen-options.ts';

const home = (env: NodeJS.ProcessEnv, ...there: string[]) =>
  defaultHome({ env, userHome: '/home/op', exists: (path) => there.includes(path) });

test('the home folder of any version is found, and variables come first', () => {
  const [older, newer] = ['/home/op/.venus-sector-manager', '/home/op/.damocles-manager'];
  expect(home({})).toBe(older);
  expect(home({}, older, newer)).toBe(older);
  expect(home({}, newer)).toBe(newer);
  expect(home({ DAMOCLES_PATH: '/d' }, older)).toBe('/d');
  expect(home({ DAMOCLES_PATH: '/d', VSM_PATH: '/v' })).toBe('/v');
  expect(home({ VSM_PATH: '/v', VENUS_SECTOR_MANAGER_PATH: '/s' })).toBe('/s');
});

test('addresses of daemon run', () => {
  expect(readAddresses({ listen: '0.0.0.0:1789', proxy: '10.0.0.1:1789' })).toEqual({
    listen: { host: '0.0.0.0', port: 1789 },
    proxy: '10.0.0.1:1789',
  });
  expect(readAddresses({ proxy: '10.0.0.1:1789', proxySectorIndexerOff: true })).toEqual({});
  expect(readAddresses({ listen: ':1789' })).toEqual({ listen: { host: '0.0.0.0', port: 1789 } });
  expect(() => readAddresses({ listen: '1789' })).toThrow(/^--listen is "1789"; write 'host:port'/);
  expect(() => readAddresses({ proxy: 'http://a:1' })).toThrow(/^--proxy is no such address; write 'host:port'/);
});
