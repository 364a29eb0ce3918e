import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inTurn } from '../clock/in-turn.ts';
import { writeTogether } from '../clock/write-together.ts';
import { type Answer, BUSY_LINE, CAREFUL, type Question, READY_LINE } from './check-messages.ts';
import { MOST_PARALLEL } from './parallelism.ts';

export interface CheckChildInit {
  readonly storePath: string;
  /** The store was silent before: one call that hangs is not to hold up others. */
  readonly isCareful: boolean;
}

export interface CheckChildEvents {
  readonly onReady: () => void;
  /** Calls of the store came back for these questions; told at most twice a second. */
  readonly onBusy: (ids: readonly number[]) => void;
  readonly onAnswer: (id: number, answer: Answer) => void;
  /** The process is gone; told once, and also after `kill`. */
  readonly onExit: () => void;
}

/** Beside this file when compiled; run from the sources, in the build folder. */
const script = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/stores/check-process.js' : './check-process.js',
    import.meta.url,
  ),
);

/** One check process. Nothing here waits for it: its owner goes by its own time limit. */
export class CheckChild {
  readonly #events: CheckChildEvents;
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  /** Asked before it was started. */
  #early = '';
  #isKilled = false;

  /** Started a little later: where many stores hang, many processes are wanted at once, and each start takes its time. */
  constructor(init: CheckChildInit, events: CheckChildEvents) {
    this.#events = events;
    inTurn(() => {
      try {
        if (this.#isKilled) events.onExit();
        else this.#start(init);
      } catch {
        // No memory, for example: as for one that ended at once.
        events.onExit();
      }
    });
  }

  ask(id: number, question: Question): void {
    const line = `${JSON.stringify({ id, ...question })}\n`;
    if (this.#child === undefined) {
      this.#early += line;
      return;
    }
    writeTogether(this.#child.stdin);
    this.#child.stdin.write(line);
  }

  /** A process that hangs in a system call may outlive this; it no longer keeps ours alive. */
  kill(): void {
    this.#isKilled = true;
    this.#child?.kill('SIGKILL');
    this.#child?.stdin.destroy();
    this.#child?.stdout.destroy();
    this.#child?.unref();
  }

  #start({ storePath, isCareful }: CheckChildInit): void {
    const child = spawn(process.execPath, [script, storePath, ...(isCareful ? [CAREFUL] : [])], {
      // Never a folder of a store, and no setting of the parent's own Node.
      cwd: '/',
      // Node's own pool of 4 threads would look at 4 files at a time.
      env: { UV_THREADPOOL_SIZE: String(MOST_PARALLEL) },
      // Nothing of ours either: where it hangs and cannot be killed, it would keep a pipe of the parent's open.
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    let isGone = false;
    const gone = () => {
      if (isGone) return;
      isGone = true;
      this.#events.onExit();
    };
    child.on('exit', gone).on('error', gone);
    // A child that died is told by its exit.
    child.stdin.on('error', () => {});
    child.stdin.write(this.#early);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === READY_LINE) return this.#events.onReady();
      if (line.startsWith(BUSY_LINE)) return this.#events.onBusy(line.split(' ').slice(1).map(Number));
      const parsed = parseAnswer(line);
      if (parsed !== undefined) this.#events.onAnswer(parsed.id, parsed);
    });
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
