import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sectorFiles } from '../../src/stores/sector-files.ts';

export const MINER = 1_000;
const SIZE = 2_048;
/** ext4 has 65,000 names for a file and no more. */
const LINKS = 60_000;

/** A store of sectors of 2 KiB, numbered from 0. Every folder is real, all files are hard links to a few. */
export function makeTree(root: string, sectors: number): void {
  for (const folder of ['sealed', 'cache', 'originals']) mkdirSync(join(root, folder), { recursive: true });
  for (let number = 0; number < sectors; number++) {
    const { sealed, cache } = sectorFiles(MINER, number, { upgraded: false, sectorSize: SIZE });
    const original = join(root, 'originals', `${Math.floor(number / LINKS)}-`);
    if (number % LINKS === 0) {
      writeFileSync(`${original}sealed`, Buffer.alloc(SIZE));
      for (const { name, bytes = 1 } of cache.files) writeFileSync(original + name, Buffer.alloc(bytes));
    }
    linkSync(`${original}sealed`, join(root, sealed.path));
    mkdirSync(join(root, cache.path));
    for (const { name } of cache.files) linkSync(original + name, join(root, cache.path, name));
  }
}
