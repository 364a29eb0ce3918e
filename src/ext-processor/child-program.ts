import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { writeTogether } from '../clock/write-together.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { lineSplitter } from './line-splitter.ts';

export interface ChildProgramInit {
  readonly bin: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly onLine: (line: string) => void;
}

/** A started program: its stdout as lines, its stderr in our log, its end as an error that says how and why. */
export class ChildProgram {
  /** `prover-exited`, or `prover-not-started` where there is no such program. Comes after all that it wrote. */
  readonly ended: Promise<CodedError>;
  readonly #child: ChildProcessWithoutNullStreams;
  #lastWords = '';

  constructor(components: { readonly logger: Logger }, init: ChildProgramInit) {
    // A process group of its own: a kill reaches the readers too, and a terminal's Ctrl-C does not reach past us.
    const child = spawn(init.bin, init.args, { env: init.env, stdio: 'pipe', detached: true });
    this.#child = child;
    const onOutput = lineSplitter(init.onLine);
    child.stdout.on('data', (chunk: Buffer) => this.#orKill(() => onOutput(chunk)));
    const onComplaint = lineSplitter((line) => {
      if (line.trim() !== '') this.#lastWords = line.trim();
      components.logger.info({ proverPid: child.pid, line }, 'prover: stderr');
    });
    child.stderr.on('data', (chunk: Buffer) => this.#orKill(() => onComplaint(chunk)));
    // A child that ends while it is written to: its end is told by `ended`.
    child.stdin.on('error', () => {});
    this.ended = this.#untilEnded(init.bin);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The parts leave together, uncopied. */
  write(...parts: readonly (string | Uint8Array)[]): void {
    const { stdin } = this.#child;
    writeTogether(stdin);
    for (const part of parts) stdin.write(part);
  }

  /** SIGKILL for the child and its group. */
  kill(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left of it.
    }
  }

  #orKill(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#lastWords = errorText(error);
      this.kill();
    }
  }

  #untilEnded(bin: string): Promise<CodedError> {
    const child = this.#child;
    return new Promise((resolve) => {
      child.once('error', (cause) =>
        resolve(new CodedError('prover-not-started', `${bin} cannot be started: ${errorText(cause)}`)),
      );
      // Not 'close': a reader stuck in a read may hold an ended child's pipes open for ever. What the pipes hold is read before
      // 'exit' is told, since libuv takes signals last.
      child.once('exit', (code, signal) => {
        // Readers of a prover that crashed.
        this.#killGroup();
        const how = signal ?? `exit code ${code}`;
        const why = this.#lastWords === '' ? '' : `: ${this.#lastWords}`;
        resolve(new CodedError('prover-exited', `${bin} ended with ${how}${why}`));
      });
    });
  }
}
