import type { SectorCopy } from '../stores/sector-check.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Run, RunPartition } from './run.ts';

type Row = readonly [number: number, sealedFile: string, cacheDir: string];

/** As in post_partitions.corrupt_copies. */
export function copiesToText(copies: readonly SectorCopy[]): string {
  return JSON.stringify(copies.map(({ number, sealedFile, cacheDir }): Row => [number, sealedFile, cacheDir]));
}

export function copiesFromText(text: string | null): SectorCopy[] {
  const rows: readonly Row[] = text === null ? [] : JSON.parse(text);
  return rows.map(([number, sealedFile, cacheDir]) => ({ number, sealedFile, cacheDir }));
}

/** Those known and those found just now, each once. */
export function allCopies(known: readonly SectorCopy[], found: readonly SectorCopy[]): readonly SectorCopy[] {
  const keyOf = ({ number, sealedFile, cacheDir }: SectorCopy) => JSON.stringify([number, sealedFile, cacheDir]);
  const keys = new Set(known.map(keyOf));
  return [...known, ...found.filter((copy) => !keys.has(keyOf(copy)))];
}

/** Sector number → its copies. */
export function bySector(copies: readonly SectorCopy[]): ReadonlyMap<number, readonly SectorCopy[]> {
  const sectors = new Map<number, SectorCopy[]>();
  for (const copy of copies) sectors.set(copy.number, [...(sectors.get(copy.number) ?? []), copy]);
  return sectors;
}

/** A partition that is proven through other copies looks well, and has one copy less of some sectors. */
export function tellCorrupt(
  { alerts, logger }: { readonly alerts: Alerts; readonly logger: Logger },
  { minerId, deadline }: Run,
  { index, corrupt: known }: RunPartition,
  found: readonly SectorCopy[],
): void {
  const all = allCopies(known, found);
  const at = { minerId, deadline, partition: index };
  for (const { number, sealedFile, cacheDir } of all.slice(known.length)) {
    logger.warn(
      { ...at, sector: number, sealedFile, cacheDir },
      'copy of a sector gave no proof, another is looked for',
    );
  }
  const condition = `copies-unreadable/${minerId}/${deadline}/${index}`;
  const [first] = all;
  if (first === undefined) {
    alerts.resolve(condition);
    return;
  }
  const text =
    `miner ${minerId}, deadline ${deadline}, partition ${index}: ${all.length} copies of sectors gave no proof, the first is of ` +
    `sector ${first.number}: ${first.sealedFile} with ${first.cacheDir}; other copies are used where there are any. Replace what ` +
    'is corrupt, or take it away';
  alerts.raise(condition, { class: 'copies-unreadable', severity: 'warning', minerId, deadline, text });
}
