import type { Measurement } from './records.ts';
import { median } from './stats.ts';

/** Median and range over the rounds that count. */
export interface Typical {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Which {
  readonly cell: string;
  readonly variant: string;
  readonly system?: string;
}

/** The first round is left out where there are others. Undefined where nothing was measured. */
export function typical(measurements: readonly Measurement[], which: Which, value: string): Typical | undefined {
  const { cell, variant, system = 'wdpost' } = which;
  const all = measurements.filter((one) => one.cell === cell && one.variant === variant && one.system === system);
  const counting = all.some(({ round }) => round > 0) ? all.filter(({ round }) => round > 0) : all;
  const values = counting.flatMap((one) => one.values[value] ?? []);
  if (values.length === 0) return undefined;
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export function variantsOf(measurements: readonly Measurement[], cell: string): string[] {
  return [...new Set(measurements.filter((one) => one.cell === cell).map(({ variant }) => variant))];
}
