import { formatSectorSize, type SectorSizeName } from '../filecoin/sector-size.ts';

/** The folders at the top of a store. */
export type StoreFolder = 'sealed' | 'cache' | 'update' | 'update-cache';

export const storeFolders: readonly StoreFolder[] = ['sealed', 'cache', 'update', 'update-cache'];

/** A file that every cache folder has: folders may be there and empty. */
export const IN_EACH_CACHE = 'p_aux';

/** Where sealed files and cache folders lie; those of a sector upgraded by a snap deal have folders of their own. */
export function foldersOf(upgraded: boolean): { readonly sealed: StoreFolder; readonly cache: StoreFolder } {
  return upgraded ? { sealed: 'update', cache: 'update-cache' } : { sealed: 'sealed', cache: 'cache' };
}

/** Where a sector's files lie below a store, and their sizes in bytes. */
export interface SectorFiles {
  readonly sealed: { readonly folder: StoreFolder; readonly path: string; readonly bytes: number };
  readonly cache: {
    readonly folder: StoreFolder;
    readonly path: string;
    /** Names below `path`; without `bytes` the file only has to be there. */
    readonly files: readonly { readonly name: string; readonly bytes?: number }[];
  };
}

/** comm_c and comm_r_last. */
const P_AUX_BYTES = 64;

/** The files of tree-r-last by sector size, as rust-fil-proofs 19.1 makes them with its own rows_to_discard. */
const treeFiles: Readonly<Record<SectorSizeName, { readonly count: number; readonly bytes: number }>> = {
  '2KiB': { count: 1, bytes: 32 },
  '8MiB': { count: 1, bytes: 18_720 },
  '512MiB': { count: 1, bytes: 1_198_368 },
  '32GiB': { count: 8, bytes: 9_586_976 },
  '64GiB': { count: 16, bytes: 9_586_976 },
};

/** @throws CodedError `bad-sector-size` */
export function sectorFiles(
  minerId: number,
  number: number,
  init: { readonly upgraded: boolean; readonly sectorSize: number },
): SectorFiles {
  const name = `s-t0${minerId}-${number}`;
  const { count, bytes } = treeFiles[formatSectorSize(init.sectorSize)];
  const { sealed, cache } = foldersOf(init.upgraded);
  const trees = Array.from({ length: count }, (_, index) => ({
    name: `sc-02-data-tree-r-last${count === 1 ? '' : `-${index}`}.dat`,
    bytes,
  }));
  return {
    sealed: { folder: sealed, path: `${sealed}/${name}`, bytes: init.sectorSize },
    cache: {
      folder: cache,
      path: `${cache}/${name}`,
      files: [{ name: IN_EACH_CACHE, bytes: P_AUX_BYTES }, { name: 't_aux' }, ...trees],
    },
  };
}
