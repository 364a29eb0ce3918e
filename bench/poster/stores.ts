import { link, mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sectorFiles } from '../../src/stores/sector-files.ts';
import { MINER, SECTOR_BYTES } from './shape.ts';

/** A store with every file of these sectors, laid out as real ones; nothing is in them, and files of one size are one file. */
export async function makeStore(root: string, sectors: readonly number[]): Promise<void> {
  await mkdir(join(root, 'sealed'), { recursive: true });
  await mkdir(join(root, 'cache'));
  await together(sectors, async (number) => {
    const { sealed, cache } = sectorFiles(MINER, number, { upgraded: false, sectorSize: SECTOR_BYTES });
    await mkdir(join(root, cache.path));
    for (const { path, bytes } of [
      { path: sealed.path, bytes: sealed.bytes },
      ...cache.files.map(({ name, bytes = 0 }) => ({ path: `${cache.path}/${name}`, bytes })),
    ]) {
      await link(join(root, `of-${bytes}`), join(root, path)).catch(async () => {
        // The first, or a file has as many links as it may.
        await rm(join(root, `of-${bytes}`), { force: true });
        await writeFile(join(root, path), '');
        await truncate(join(root, path), bytes);
        await link(join(root, path), join(root, `of-${bytes}`)).catch(() => {});
      });
    }
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
