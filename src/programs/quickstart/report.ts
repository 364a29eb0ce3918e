import type { Bitfield } from '../../filecoin/bitfield.ts';

/** One partition of one proving period, as it ended. */
export interface PartitionResult {
  readonly periodStart: number;
  readonly deadline: number;
  readonly partition: number;
  readonly sectors: Bitfield;
  readonly skipped: Bitfield;
  readonly recovering: Bitfield;
  readonly state: string;
  readonly provingAt: number | null;
  readonly provenAt: number | null;
  readonly messageCid: string | null;
  readonly disputed: boolean;
}

export interface Summary {
  readonly deadlines: number;
  readonly partitions: number;
  readonly accepted: number;
  readonly skipped: number;
  readonly recovered: number;
  readonly seconds: number;
}

/** Accepted: landed, and the development chain's disputer found no fault with the proof. */
export const isAccepted = (result: PartitionResult): boolean => result.state === 'landed' && !result.disputed;

export function summarise(results: readonly PartitionResult[], seconds: number): Summary {
  const accepted = results.filter(isAccepted);
  const count = (sets: readonly Bitfield[]) => sets.reduce((sum, set) => sum + Number(set.count), 0);
  return {
    deadlines: new Set(results.map((result) => `${result.periodStart}/${result.deadline}`)).size,
    partitions: results.length,
    accepted: accepted.length,
    skipped: count(results.map((result) => result.skipped)),
    recovered: count(accepted.map((result) => result.recovering.subtract(result.skipped))),
    seconds: Math.round(seconds),
  };
}

const HEADINGS = ['deadline', 'partition', 'sectors', 'skipped', 'recovered', 'prove time', 'message', 'verdict'];

/** Fits 80 columns. One block for each proving period. */
export function table(results: readonly PartitionResult[]): string {
  const periods = [...new Set(results.map((result) => result.periodStart))];
  const rows = results.map(cells);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' ')}`.trimEnd();
  const blocks = periods.map((period) => [
    `  proving period from epoch ${period}`,
    ...results.flatMap((result) => (result.periodStart === period ? [line(cells(result))] : [])),
  ]);
  return [line(HEADINGS), ...blocks.flat()].join('\n');
}

function cells(result: PartitionResult): string[] {
  const proveMs =
    result.provingAt === null || result.provenAt === null ? undefined : result.provenAt - result.provingAt;
  return [
    String(result.deadline),
    String(result.partition),
    String(Number(result.sectors.count) - Number(result.skipped.count)),
    [...result.skipped].join(' ') || '-',
    [...result.recovering.subtract(result.skipped)].join(' ') || '-',
    proveMs === undefined ? '-' : `${(proveMs / 1000).toFixed(1)} s`,
    result.messageCid === null ? '-' : `bafy…${result.messageCid.slice(-6)}`,
    isAccepted(result) ? 'accepted' : result.disputed ? 'DISPUTED' : result.state.toUpperCase(),
  ];
}
