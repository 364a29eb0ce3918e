import { availableParallelism } from 'node:os';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { ProofPace } from '../ext-processor/patience.ts';
import { proverBinary } from '../ext-processor/prover-binary.ts';
import { type PoolChildInit, ProverPool } from '../ext-processor/prover-pool.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readWinningTask, type WinningOutput, winningOutput } from './winning-task.ts';

/**
 * An epoch has 30 s. The node asks when it has waited for the blocks of the last one, 6 to 10 s into the round, and a block that is made
 * later than this after being asked for reaches nobody in time.
 */
export const WINNING_LIMIT_MS = 25_000;

export interface WinningProver {
  /** A child is ready. */
  readonly isReady: boolean;
  /**
   * Proves a winning_post task. Waits for a child that is starting or busy, as long as the quickest proof is still in time then.
   * @param leftMs until it is too late. Default: the limit
   * @throws CodedError `bad-task`, `prover-failed` (the sector cannot be read), `prover-exited`, `time-limit`, or the signal's reason
   */
  prove(task: unknown, signal: AbortSignal, leftMs?: number): Promise<WinningOutput>;
  close(): Promise<void>;
}

export interface WinningProverInit {
  /** Make a proof at each start, so that the first real one finds everything in memory. Default: false. */
  readonly warmUp?: boolean;
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** [[WinPost]] of ext-prover.cfg. Default: one of ours. */
  readonly children?: readonly PoolChildInit[];
  readonly limitMs?: number;
}

/** Warming up proves once for each sector size whose parameters are there: 4 s of two cores at 2KiB, four times that at 32GiB. */
const READY_LIMIT_MS = 180_000;
/**
 * Several miners may win at the same time; more than these wait, the oldest first. A proof takes 8 s of a core at 2KiB and four times that
 * at 32GiB and spreads over the cores that there are, so more of them side by side would all be late.
 */
const AT_ONCE = Math.min(2, Math.max(1, Math.floor(availableParallelism() / 4)));
/** Proofs looked back at. */
const HISTORY = 20;
/** Nothing is known of cores and sector size: a child is given up only by what was measured. */
const ASSUMED: ProofPace = { usual: 10_000, slow: WINNING_LIMIT_MS };

/** Keeps provers of winning PoSt running, in processes of their own: never behind window PoSt. Returns at once. */
export function createWinningProver(
  components: { readonly clock: Clock; readonly logger: Logger },
  { warmUp = false, env = process.env, children, limitMs = WINNING_LIMIT_MS }: WinningProverInit = {},
): WinningProver {
  const { clock } = components;
  const args = ['processor', 'winning_post', ...(warmUp ? ['--warmup'] : [])];
  const ours = { bin: proverBinary(env), args, env, readyTimeoutMs: READY_LIMIT_MS, concurrent: AT_ONCE, weight: 1 };
  const pool = new ProverPool(components, {
    stage: 'winning_post',
    children: children ?? [ours],
    assumed: () => ASSUMED,
  });
  const tookMs: number[] = [];
  /** Reckon anew how long they can wait. */
  const waiting = new Set<() => void>();
  return {
    get isReady() {
      return pool.slots > 0;
    },
    async prove(task, signal, leftMs = limitMs) {
      const checked = readWinningTask(task);
      const tooLate = new AbortController();
      const after = (ms: number, why: string) =>
        clock.after(Math.max(0, ms), () => tooLate.abort(new CodedError('time-limit', why)));
      const closeAt = clock.monotonic() + leftMs;
      const callOff = after(leftMs, `no winning proof was made within ${limitMs} ms`);
      let since: number | undefined;
      let callOffWaiting = (): void => {};
      // Its place is worth more to one that can still be in time.
      const reckon = (): void => {
        callOffWaiting();
        if (tookMs.length === 0) return;
        const quickest = Math.round(Math.min(...tookMs));
        const why = `others were made first, and the quickest proof takes ${quickest} ms`;
        callOffWaiting = after(closeAt - clock.monotonic() - quickest, why);
      };
      const start = (): void => {
        waiting.delete(reckon);
        callOffWaiting();
      };
      waiting.add(reckon);
      reckon();
      try {
        const output = await pool.prove(checked, {
          signal: AbortSignal.any([signal, tooLate.signal]),
          closeAt: clock.now() + leftMs,
          accept: async (said) => readOutput(said),
          onStart: () => {
            since ??= clock.monotonic();
            start();
          },
        });
        tookMs.push(clock.monotonic() - (since ?? 0));
        if (tookMs.length > HISTORY) tookMs.shift();
        for (const again of waiting) again();
        return output;
      } finally {
        callOff();
        start();
      }
    },
    close: () => pool.close(),
  };
}

function readOutput(output: unknown): WinningOutput {
  const { data } = winningOutput.safeParse(output);
  if (data === undefined) throw new CodedError('prover-failed', 'the prover answered without a proof');
  return data;
}
