import { readFile } from 'node:fs/promises';

/** A line of the effects log, written by prover.mjs, relay.mjs or submitter.mjs. */
export interface Effect {
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly at: number;
  readonly pid: number;
  /** The slave, master or submitter whose child this is. */
  readonly who: string;
  readonly what: 'ready' | 'start' | 'working' | 'proof' | 'failure' | 'verdict' | Told;
  readonly stage?: string;
  /** Id of the task. */
  readonly work?: string;
  /** One start of one prover. */
  readonly run?: string;
  readonly step?: string;
  readonly proof?: string;
  readonly valid?: boolean;
  readonly state?: string;
  /** Of a probe: when it was sent. */
  readonly asked?: number;
}

type Told = 'submitted' | 'answer' | 'probe' | 'obeyed';

/** The whole log. A process killed within its last line leaves that line out. */
export async function readEffects(file: string): Promise<Effect[]> {
  const text = await readFile(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Effect);
}

/** Milliseconds of CLOCK_MONOTONIC, as the log has them. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** What a wall-clock time is on the log's clock. */
export function toMonotonic(wallMs: number): number {
  return wallMs - Date.now() + monotonicNow();
}
