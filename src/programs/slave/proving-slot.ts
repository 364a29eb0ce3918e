import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { ProverProgress } from '../../ext-processor/messages.ts';
import { ProverKeeper } from '../../ext-processor/prover-keeper.ts';
import { type WindowPostOutput, windowPostOutput } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';

const STAGE = 'window_post';
/** Checking the parameters of 32 and 64 GiB reads them whole. */
const READY_LIMIT_MS = 600_000;

export interface ProvingSlotInit {
  readonly bin: string;
  readonly env: NodeJS.ProcessEnv;
  /** Bytes that a proof reserves on this host; 0: none. Default: the prover's, by sector size. */
  readonly memoryPerProof: number | undefined;
  /** Directories below which sectors are read; default: any. */
  readonly stores: readonly string[] | undefined;
  /** The slot became free, or is not any more. */
  readonly onChange: () => void;
}

/** One proof at a time, in a prover child that stays between proofs. */
export class ProvingSlot {
  readonly #keeper: ProverKeeper;
  readonly #onChange: () => void;
  #busy = false;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ProvingSlotInit) {
    this.#onChange = init.onChange;
    this.#keeper = new ProverKeeper(components, {
      bin: init.bin,
      args: ['processor', STAGE, '--progress', ...proverOptions(init)],
      stage: STAGE,
      env: init.env,
      readyTimeoutMs: READY_LIMIT_MS,
      onChange: init.onChange,
    });
  }

  /** Settled once the first start of the prover has succeeded or failed. */
  get firstStart(): Promise<void> {
    return this.#keeper.firstStart;
  }

  get isReady(): boolean {
    return this.#keeper.isReady;
  }

  get isFree(): boolean {
    return this.isReady && !this.#busy;
  }

  /**
   * The signal's end kills the prover: the protocol has no cancel message, and a GPU must not go on with lost work.
   * @param task a window_post task, or its JSON in UTF-8
   * @throws CodedError `prover-failed`, `prover-exited`, or the signal's reason
   */
  async prove(
    task: object,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: ProverProgress) => void },
  ): Promise<WindowPostOutput> {
    this.#busy = true;
    try {
      const output = windowPostOutput.safeParse(await this.#keeper.request(task, options));
      if (!output.success) throw new CodedError('prover-failed', 'the prover answered something that is no output');
      return output.data;
    } finally {
      if (options.signal.aborted) await this.#keeper.restart();
      this.#busy = false;
      this.#onChange();
    }
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }
}

function proverOptions({ memoryPerProof, stores = [] }: ProvingSlotInit): string[] {
  const memory = memoryPerProof === undefined ? [] : ['--memory-per-proof', `${memoryPerProof}`];
  return [...memory, ...stores.flatMap((store) => ['--store', store])];
}
