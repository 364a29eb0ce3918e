import { expect, test } from 'vitest';
import { parseSectorSize, sectorSizeNames } from '../../src/filecoin/sector-size.ts';
import { sectorFiles } from '../../src/stores/sector-files.ts';

test('a sector of 2 KiB', () => {
  expect(sectorFiles(1008, 9999, { upgraded: false, sectorSize: 2048 })).toEqual({
    sealed: { folder: 'sealed', path: 'sealed/s-t01008-9999', bytes: 2048 },
    cache: {
      folder: 'cache',
      path: 'cache/s-t01008-9999',
      files: [{ name: 'p_aux', bytes: 64 }, { name: 't_aux' }, { name: 'sc-02-data-tree-r-last.dat', bytes: 32 }],
    },
  });
});

test('an upgraded sector has folders of its own', () => {
  const { sealed, cache } = sectorFiles(1008, 1, { upgraded: true, sectorSize: 2 ** 35 });
  expect([sealed.path, cache.path]).toEqual(['update/s-t01008-1', 'update-cache/s-t01008-1']);
});

test('trees by size', () => {
  const trees = sectorSizeNames.map((name) => {
    const { files } = sectorFiles(1, 1, { upgraded: false, sectorSize: parseSectorSize(name) }).cache;
    const found = files.filter((file) => file.name.includes('tree'));
    return [name, found.length, found[0]?.bytes, found.at(-1)?.name];
  });
  expect(trees).toEqual([
    ['2KiB', 1, 32, 'sc-02-data-tree-r-last.dat'],
    ['8MiB', 1, 18_720, 'sc-02-data-tree-r-last.dat'],
    ['512MiB', 1, 1_198_368, 'sc-02-data-tree-r-last.dat'],
    ['32GiB', 8, 9_586_976, 'sc-02-data-tree-r-last-7.dat'],
    ['64GiB', 16, 9_586_976, 'sc-02-data-tree-r-last-15.dat'],
  ]);
});

test('a size that is none', () => {
  expect(() => sectorFiles(1, 1, { upgraded: false, sectorSize: 2049 })).toThrow('2049 bytes is not a sector size');
});
