import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CodedError } from '../src/errors/coded-error.ts';
import type { WindowPostTask } from '../src/rpc/window-post.ts';

interface Output {
  readonly faults: readonly number[];
  /** Of a rehearsal: sector numbers and the milliseconds that reading each took. */
  readonly rehearsal?: { readonly sector_ms: readonly (readonly [number, number])[] };
}

interface Answer {
  readonly id: number;
  readonly err_msg?: string | null;
  readonly output?: Output | null;
}

/** A prover alone, over its line protocol: what the cluster is compared with. */
export class LineChild {
  /** What it says beside its answers. */
  readonly notes: string[] = [];
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  #onAnswer: (answer: Answer) => void = () => {};
  #requests = 0;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    createInterface({ input: child.stderr }).on('line', (line) => this.notes.push(line));
    this.#child = child;
    this.#ready = new Promise((resolve, reject) => {
      child.once('exit', () => reject(new CodedError('prover-exited', `${command} ended`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.endsWith('processor ready')) return resolve();
        const message = JSON.parse(line);
        if (message.progress === undefined) this.#onAnswer(message);
      });
    });
  }

  /** Milliseconds that one request took, and its answer. @throws CodedError `prover-failed` */
  async prove(task: WindowPostTask): Promise<{ readonly tookMs: number; readonly output: Output }> {
    await this.#ready;
    const from = process.hrtime.bigint();
    const answer = await new Promise<Answer>((resolve) => {
      this.#onAnswer = resolve;
      this.#child.stdin?.write(`${JSON.stringify({ id: ++this.#requests, task })}\n`);
    });
    const { output } = answer;
    if (output?.faults.length !== 0) {
      throw new CodedError('prover-failed', answer.err_msg ?? `${output?.faults.length} faults`);
    }
    return { tookMs: Number(process.hrtime.bigint() - from) / 1e6, output };
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
