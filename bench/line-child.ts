import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CodedError } from '../src/errors/coded-error.ts';
import type { WindowPostTask } from '../src/rpc/window-post.ts';

interface Answer {
  readonly id: number;
  readonly err_msg?: string | null;
  readonly output?: { readonly proofs: readonly string[]; readonly faults: readonly number[] } | null;
}

/** A prover alone, over its line protocol: what the cluster is compared with. */
export class LineChild {
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  #onAnswer: (answer: Answer) => void = () => {};
  #requests = 0;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
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

  /** Milliseconds that one request took. @throws CodedError `prover-failed` */
  async prove(task: WindowPostTask): Promise<number> {
    await this.#ready;
    const from = process.hrtime.bigint();
    const answer = await new Promise<Answer>((resolve) => {
      this.#onAnswer = resolve;
      this.#child.stdin?.write(`${JSON.stringify({ id: ++this.#requests, task })}\n`);
    });
    const faults = answer.output?.faults.length;
    if (faults !== 0) throw new CodedError('prover-failed', answer.err_msg ?? `${faults} faults`);
    return Number(process.hrtime.bigint() - from) / 1e6;
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
