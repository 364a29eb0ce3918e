import { randomBytes } from 'node:crypto';
import type { SectorInfo } from '../chain/sector-info.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Rehearser } from '../ext-processor/rehearser.ts';
import { poStProofType } from '../filecoin/proof-types.ts';
import type { SectorCheck, SectorCopy } from '../stores/sector-check.ts';
import type { StoreChecker } from '../stores/store-checker.ts';
import { bySector } from './corrupt-copies.ts';
import { windowTask } from './window-task.ts';

/** `corrupt`: its files are there with their exact sizes, were read twice, and give no vanilla proof. */
export type SectorReading =
  | SectorCheck
  | { readonly number: number; readonly verdict: 'corrupt'; readonly reason: string };

export interface ReadInit {
  readonly minerId: number;
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  readonly sectors: readonly SectorInfo[];
  readonly signal: AbortSignal;
}

/**
 * Whether the files of these sectors are there, each in its exact size; nothing is read. One verdict for each, in their order.
 * @param corrupt copies that gave no proof
 */
export async function checkSectors(
  checker: Pick<StoreChecker, 'check'>,
  init: ReadInit,
  corrupt: readonly SectorCopy[] = [],
): Promise<SectorCheck[]> {
  const known = bySector(corrupt);
  return await checker.check({
    minerId: init.minerId,
    sectorSize: poStProofType(init.proofType).sectorSize,
    sectors: init.sectors.map(({ number, sectorKeyCid }) => ({
      number,
      upgraded: sectorKeyCid !== null,
      corrupt: known.get(number) ?? [],
    })),
    signal: init.signal,
  });
}

/**
 * As `checkSectors`; each that is there must also give a real vanilla proof for a challenge of our own, made in reader processes. Of
 * one that gives none other copies are read, while there are any.
 * @throws CodedError as `Rehearser.faults`: nothing is known of these sectors then
 */
export async function readSectors(
  components: { readonly checker: Pick<StoreChecker, 'check'>; readonly rehearser: Rehearser },
  init: ReadInit,
): Promise<SectorReading[]> {
  const { minerId, proofType, signal } = init;
  const infos = new Map(init.sectors.map((sector) => [sector.number, sector]));
  const readings = new Map<number, SectorReading>();
  const corrupt: SectorCopy[] = [];
  for (let wanted = init.sectors; wanted.length > 0; ) {
    const checks = await checkSectors(components.checker, { ...init, sectors: wanted }, corrupt);
    // What the files of one that gave no proof were like was said when they were read.
    for (const check of checks) {
      const { number } = check;
      if (check.verdict !== 'corrupt') readings.set(number, check);
      else if (check.doubt !== undefined) readings.set(number, { number, verdict: 'unknown', reason: check.doubt });
    }
    const good = checks.filter((check) => check.verdict === 'good');
    if (good.length === 0) break;
    const task = windowTask({ minerId, proofType, sectors: good, infos, randomness: randomBytes(32) });
    const faults = await components.rehearser.faults(task, signal);
    for (const [number, { class: kind, reason }] of faults) {
      readings.set(number, kind === 'bad' ? { number, verdict: 'corrupt', reason } : { number, verdict: kind, reason });
    }
    const bad = good.filter(({ number }) => faults.get(number)?.class === 'bad');
    corrupt.push(...bad);
    wanted = init.sectors.filter(({ number }) => bad.some((copy) => copy.number === number));
  }
  return init.sectors.flatMap(({ number }) => readings.get(number) ?? []);
}

/** @throws CodedError `unknown-sector` where the chain left one out */
export function allKnown(wanted: Iterable<number>, found: readonly SectorInfo[]): readonly SectorInfo[] {
  const known = new Set(found.map(({ number }) => number));
  for (const number of wanted) {
    if (!known.has(number)) throw new CodedError('unknown-sector', `the chain does not know sector ${number}`);
  }
  return found;
}
