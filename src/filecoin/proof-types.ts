import { CodedError } from '../errors/coded-error.ts';
import { parseSectorSize, type SectorSize, type SectorSizeName, sectorSizeNames } from './sector-size.ts';

/** A window or winning PoSt proof type of the chain. */
export interface PoStProofType {
  /** RegisteredPoStProof on the chain; "V1_1" there is what the proofs library calls V1_2. */
  readonly number: number;
  /** The name of the proofs library. */
  readonly name: string;
  readonly use: 'winning' | 'window';
  readonly sectorSize: SectorSize;
  /** Sectors in a window PoSt partition; 0 for winning proofs. */
  readonly partitionSectors: number;
}

const PARTITION_SECTORS: Record<SectorSizeName, number> = {
  '2KiB': 2,
  '8MiB': 2,
  '512MiB': 2,
  '32GiB': 2349,
  '64GiB': 2300,
};

const families = [
  { use: 'winning', prefix: 'StackedDrgWinning', suffix: 'V1' },
  { use: 'window', prefix: 'StackedDrgWindow', suffix: 'V1' },
  { use: 'window', prefix: 'StackedDrgWindow', suffix: 'V1_2' },
] as const;

/** All of them; the number is the index. */
const poStProofTypes: readonly PoStProofType[] = families
  .flatMap((family) => sectorSizeNames.map((size) => ({ ...family, size })))
  .map(({ use, prefix, suffix, size }, number) => ({
    number,
    name: `${prefix}${size}${suffix}`,
    use,
    sectorSize: parseSectorSize(size),
    partitionSectors: use === 'window' ? PARTITION_SECTORS[size] : 0,
  }));

/** @throws CodedError `unknown-proof-type` */
export function poStProofType(number: number): PoStProofType {
  return found(poStProofTypes[number], number);
}

/** @throws CodedError `unknown-proof-type` */
export function poStProofTypeByName(name: string): PoStProofType {
  return found(
    poStProofTypes.find((type) => type.name === name),
    name,
  );
}

/** The proof type that networks from version 19 accept for a sector size. */
export function windowPoStProofType(sectorSize: SectorSize): PoStProofType {
  return found(
    poStProofTypes.findLast((type) => type.use === 'window' && type.sectorSize === sectorSize),
    sectorSize,
  );
}

/** The one winning proof type of a sector size. */
export function winningPoStProofType(sectorSize: SectorSize): PoStProofType {
  return found(
    poStProofTypes.find((type) => type.use === 'winning' && type.sectorSize === sectorSize),
    sectorSize,
  );
}

// V1, V1_1, V1_1 with synthetic PoRep, V1_2 without interaction: five sizes each.
const SEAL_PROOF_FAMILIES = 4;

/**
 * The sector size of a RegisteredSealProof.
 * @throws CodedError `unknown-proof-type`
 */
export function sealProofSectorSize(sealProof: number): SectorSize {
  const known = sealProof >= 0 && sealProof < SEAL_PROOF_FAMILIES * sectorSizeNames.length;
  const size = known ? sectorSizeNames[sealProof % sectorSizeNames.length] : undefined;
  return parseSectorSize(found(size, sealProof));
}

function found<T>(value: T | undefined, asked: number | string): T {
  if (value === undefined) throw new CodedError('unknown-proof-type', `proof type ${asked} is not known`);
  return value;
}
