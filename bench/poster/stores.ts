import { link, mkdir, open, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sectorFiles } from '../../src/stores/sector-files.ts';
import { MINER, SECTOR_BYTES } from './shape.ts';

/**
 * A store in which every file of these sectors can be looked at. Nothing is in them: sealed files are links to one sparse file, caches
 * are links to one folder.
 */
export async function makeStore(root: string, sectors: readonly number[]): Promise<void> {
  const [first = 0] = sectors;
  const shape = sectorFiles(MINER, first, { upgraded: false, sectorSize: SECTOR_BYTES });
  await mkdir(join(root, 'sealed'), { recursive: true });
  await mkdir(join(root, 'cache'));
  const sealed = join(root, 'one-sealed');
  const cache = join(root, 'one-cache');
  await mkdir(cache);
  for (const { name, bytes } of [
    ...shape.cache.files.map((file) => ({ ...file, name: join(cache, file.name) })),
    { name: sealed, bytes: SECTOR_BYTES },
  ]) {
    await writeFile(name, '');
    if (bytes !== undefined) await truncate(name, bytes);
  }
  await together(sectors, async (number) => {
    const files = sectorFiles(MINER, number, { upgraded: false, sectorSize: SECTOR_BYTES });
    await link(sealed, join(root, files.sealed.path)).catch(async () => {
      // A file takes so many links and no more.
      await (await open(join(root, files.sealed.path), 'w')).close();
      await truncate(join(root, files.sealed.path), SECTOR_BYTES);
    });
    await symlink(cache, join(root, files.cache.path));
  });
}

/** Milliseconds of a bare loop over the same files, with as many threads as a check process has. */
export async function bareLoop(root: string, sectors: readonly number[]): Promise<number> {
  const began = performance.now();
  await together(sectors, async (number) => {
    const { sealed, cache } = sectorFiles(MINER, number, { upgraded: false, sectorSize: SECTOR_BYTES });
    const paths = [sealed.path, cache.path, ...cache.files.map(({ name }) => `${cache.path}/${name}`)];
    await Promise.all(paths.map((path) => stat(join(root, path))));
  });
  return performance.now() - began;
}

async function together(sectors: readonly number[], work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let number = sectors[next++]; number !== undefined; number = sectors[next++]) await work(number);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}
