import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ChildProgram } from './child-program.ts';
import { type RequestOptions, RequestsInFlight } from './requests-in-flight.ts';

export interface ProverProcessInit {
  readonly bin: string;
  readonly args: readonly string[];
  /** Names the ready line: `<stage> processor ready`. */
  readonly stage: string;
  /** The whole environment of the child. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Parameters are checked before the ready line. */
  readonly readyTimeoutMs: number;
}

interface Run {
  readonly child: ChildProgram;
  readonly requests: RequestsInFlight;
  readonly ready: Promise<void>;
  /** The child's end, or its abandonment. */
  readonly over: Promise<CodedError>;
  readonly abandon: () => void;
  isReady: boolean;
}

/** A child in an uninterruptible read outlives SIGKILL; after this it is left to the kernel. */
const ABANDON_MS = 5_000;
const QUOTED_CHARACTERS = 200;

/** The parent's role of the ext-processor line protocol: one child, many requests, answers in any order. */
export class ProverProcess {
  readonly #components: { readonly clock: Clock; readonly logger: Logger };
  readonly #init: ProverProcessInit;
  #run: Run | undefined;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ProverProcessInit) {
    this.#components = components;
    this.#init = init;
  }

  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  /** It has said its ready line, and has neither ended nor been killed since. */
  get isReady(): boolean {
    return this.#run?.isReady === true;
  }

  /**
   * Resolves with the ready line. After an end it can be started again.
   * @throws CodedError `prover-not-started` (no such program), `prover-not-ready` (another first line), `time-limit`
   * (no line in time), `prover-exited` (with the last line of its stderr)
   */
  async start(): Promise<void> {
    if (this.#run !== undefined) throw new CodedError('prover-running', `${this.#init.bin} runs already`);
    const run = this.#spawn();
    this.#run = run;
    const { bin, readyTimeoutMs } = this.#init;
    const ready = Promise.race([run.ready, run.over.then((error) => Promise.reject(error))]);
    try {
      await withTimeLimit(this.#components.clock, readyTimeoutMs, `${bin} (its ready line)`, ready);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /**
   * Resolves with the answer's `output`.
   * @param task an object, or its JSON in UTF-8, which is passed on unread
   * @throws CodedError `prover-failed` (the child's err_msg), `prover-exited`, or the signal's reason
   */
  async request<T>(task: object, options: RequestOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    const run = this.#run;
    if (!run?.isReady) throw new CodedError('prover-exited', `${this.#init.bin} is not running`);
    const { id, answer } = run.requests.add(options);
    run.child.write(`{"id":${id},"task":`, task instanceof Uint8Array ? oneLine(task) : JSON.stringify(task), '}\n');
    return (await answer) as T;
  }

  /** SIGKILL. Requests in flight reject at once; resolves when the child is gone or abandoned. */
  async kill(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.isReady = false;
    run.child.kill();
    run.requests.rejectAll(new CodedError('prover-exited', `${this.#init.bin} was stopped`));
    const callOff = this.#components.clock.after(ABANDON_MS, run.abandon);
    await run.over;
    callOff();
  }

  /** Resolves with how the present child ended; undefined where none runs. */
  async untilEnded(): Promise<CodedError | undefined> {
    return this.#run?.over;
  }

  #spawn(): Run {
    const { bin, args, stage, env = process.env } = this.#init;
    const requests = new RequestsInFlight(this.#components);
    const isReadyLine = (line: string): boolean => line.trim() === `${stage} processor ready`;
    let onFirstLine: (line: string) => void = () => {};
    let abandon = (): void => {};
    const onLine = (line: string): void => (run.isReady ? requests.receive(line) : onFirstLine(line));
    const child = new ChildProgram(this.#components, { bin, args, env, onLine });
    const ready = new Promise<void>((resolve, reject) => {
      onFirstLine = (line) => {
        run.isReady = isReadyLine(line);
        const said = JSON.stringify(line.slice(0, QUOTED_CHARACTERS));
        if (run.isReady) resolve();
        else reject(new CodedError('prover-not-ready', `${bin} said ${said}, not "${stage} processor ready"`));
      };
    });
    const over = new Promise<CodedError>((resolve) => {
      abandon = () =>
        resolve(new CodedError('prover-exited', `${bin} (pid ${child.pid}) does not end and was abandoned`));
      child.ended.then(resolve);
    }).then((error) => {
      run.isReady = false;
      requests.rejectAll(error);
      if (this.#run === run) this.#run = undefined;
      return error;
    });
    const run: Run = { child, requests, ready, over, abandon: () => abandon(), isReady: false };
    return run;
  }
}

/** The bytes themselves, unless they hold a line end, which would cut the request in two. */
function oneLine(json: Uint8Array): Uint8Array | string {
  if (!json.includes(10)) return json;
  return JSON.stringify(JSON.parse(Buffer.from(json).toString()));
}
