import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** One measurement: a line of the results file. */
export interface Measurement {
  readonly cell: string;
  /** Body and rate, or whatever else distinguishes it within the cell. */
  readonly variant: string;
  readonly system: string;
  /** The first, 0, warms caches and is left out where there are others. */
  readonly round: number;
  /** Numbers by names that end in their unit. */
  readonly values: Readonly<Record<string, number>>;
  /** CPU milliseconds for one task, by process. */
  readonly cpuMsPerTask?: Readonly<Record<string, number>>;
}

/** Where and when; the first line of a file. */
export interface Machine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly fdatasyncPerSecond: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Results {
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
}

export function startFile(path: string, machine: Machine): void {
  appendFileSync(path, `${JSON.stringify({ machine })}\n`);
}

export function append(path: string, measurement: Measurement): void {
  appendFileSync(path, `${JSON.stringify(measurement)}\n`);
}

/** Undefined where there is no such file. */
export async function readResults(path: string): Promise<Results | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  const [first, ...measurements] = lines.map((line) => JSON.parse(line));
  return first === undefined ? undefined : { machine: first.machine, measurements };
}
