import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Answer, type Question, READY_LINE } from './check-messages.ts';

export interface CheckChildEvents {
  readonly onReady: () => void;
  readonly onAnswer: (id: number, answer: Answer) => void;
  /** The process is gone; told once, and also after `kill`. */
  readonly onExit: () => void;
}

/** Node's own pool of 4 threads would look at 4 files at a time. */
const THREADS = 16;

/** Beside this file when compiled; run from the sources, in the build folder. */
const script = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/stores/check-process.js' : './check-process.js',
    import.meta.url,
  ),
);

/** One check process. Nothing here waits for it: its owner goes by its own time limit. */
export class CheckChild {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  constructor(storePath: string, events: CheckChildEvents) {
    this.#child = spawn(process.execPath, [script, storePath], {
      // Never a folder of a store, and no setting of the parent's own Node.
      cwd: '/',
      env: { UV_THREADPOOL_SIZE: String(THREADS) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let isGone = false;
    const gone = () => {
      if (isGone) return;
      isGone = true;
      events.onExit();
    };
    this.#child.on('exit', gone).on('error', gone);
    // A child that died is told by its exit.
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line === READY_LINE) return events.onReady();
      const parsed = parseAnswer(line);
      if (parsed !== undefined) events.onAnswer(parsed.id, parsed);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  ask(id: number, question: Question): void {
    this.#child.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
  }

  /** A process that hangs in a system call may outlive this; it no longer keeps ours alive. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.unref();
  }
}

/** A process that dies may leave half a line behind. */
function parseAnswer(line: string): (Answer & { readonly id: number }) | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
