import { CodedError } from '../errors/coded-error.ts';

const sizes = { '2KiB': 2 ** 11, '8MiB': 2 ** 23, '512MiB': 2 ** 29, '32GiB': 2 ** 35, '64GiB': 2 ** 36 } as const;

export type SectorSizeName = keyof typeof sizes;

/** In bytes. */
export type SectorSize = (typeof sizes)[SectorSizeName];

export const sectorSizeNames = Object.keys(sizes) as readonly SectorSizeName[];

/** @throws CodedError `bad-sector-size` */
export function parseSectorSize(text: string): SectorSize {
  const name = sectorSizeNames.find((candidate) => candidate === text);
  if (name === undefined) {
    throw new CodedError(
      'bad-sector-size',
      `${JSON.stringify(text)} is not a sector size; use one of ${sectorSizeNames.join(', ')}`,
    );
  }
  return sizes[name];
}

/** @throws CodedError `bad-sector-size` for a number of bytes that is no sector size. */
export function formatSectorSize(bytes: number): SectorSizeName {
  const name = sectorSizeNames.find((candidate) => sizes[candidate] === bytes);
  if (name === undefined) throw new CodedError('bad-sector-size', `${bytes} bytes is not a sector size`);
  return name;
}
