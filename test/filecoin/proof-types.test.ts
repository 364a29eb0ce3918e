import { expect, test } from 'vitest';
import { poStProofType, sealProofSectorSize, windowPoStProofType } from '../../src/filecoin/proof-types.ts';
import { formatSectorSize, parseSectorSize, sectorSizeNames } from '../../src/filecoin/sector-size.ts';

test('sector sizes are read and printed', () => {
  for (const name of sectorSizeNames) expect(formatSectorSize(parseSectorSize(name))).toBe(name);
  expect(() => parseSectorSize('32 GiB')).toThrow('use one of 2KiB, 8MiB, 512MiB, 32GiB, 64GiB');
  expect(() => formatSectorSize(4096)).toThrow('4096');
});

test('networks take the newest window proof of a size', () => {
  expect(sectorSizeNames.map((name) => windowPoStProofType(parseSectorSize(name)).number)).toEqual([
    10, 11, 12, 13, 14,
  ]);
});

test('all families of seal proofs have the five sizes in order', () => {
  expect([0, 5, 11, 18, 19].map((proof) => formatSectorSize(sealProofSectorSize(proof)))).toEqual([
    '2KiB',
    '2KiB',
    '8MiB',
    '32GiB',
    '64GiB',
  ]);
});

test('unknown numbers are refused', () => {
  const unknown = expect.objectContaining({ code: 'unknown-proof-type' });
  for (const number of [-5, 20, 2.5]) expect(() => sealProofSectorSize(number)).toThrow(unknown);
  for (const number of [-1, 15]) expect(() => poStProofType(number)).toThrow(unknown);
});
