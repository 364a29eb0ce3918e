import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { followLines } from './follow-lines.ts';

const STOP_LIMIT_MS = 10_000;

/**
 * The processes of one quickstart. Each one's stderr goes to a log file of its name, and its stdout to an .out file, whose lines are
 * handed over: a pipe would break, and the process with it, when this one ends before it.
 */
export class Fleet {
  readonly #clock: Clock;
  readonly #init: { readonly bin: string; readonly logs: string; readonly env: NodeJS.ProcessEnv };
  readonly #children: { readonly name: string; readonly child: ChildProcess }[] = [];
  readonly #broken: Promise<never>;
  #break: (error: Error) => void = () => {};
  readonly #following: (() => void)[] = [];
  #stopping = false;

  constructor(
    components: { readonly clock: Clock },
    init: { readonly bin: string; readonly logs: string; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#clock = components.clock;
    this.#init = init;
    this.#broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.#broken.catch(() => {});
  }

  /** Rejects when any process ends by itself. */
  get broken(): Promise<never> {
    return this.#broken;
  }

  get pids(): readonly number[] {
    return this.#children.flatMap(({ child }) => child.pid ?? []);
  }

  start(name: string, program: string, args: readonly string[], onLine?: (line: string) => void): void {
    if (this.#stopping) throw new CodedError('interrupted', 'interrupted');
    const log = openSync(join(this.#init.logs, `${name}.log`), 'a');
    const file = join(this.#init.logs, `${name}.out`);
    const out = openSync(file, 'a');
    const child = spawn(join(this.#init.bin, program), args, {
      stdio: ['ignore', out, log],
      env: this.#init.env,
      detached: true,
    });
    closeSync(log);
    closeSync(out);
    if (onLine !== undefined) this.#following.push(followLines({ clock: this.#clock }, { file, onLine }));
    this.#children.push({ name, child });
    child.once('error', (cause) =>
      this.#break(new CodedError('no-program', `${program} could not be started`, { cause })),
    );
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      this.#break(
        new CodedError('process-ended', `${name} ended (${signal ?? `exit ${code}`}): ${this.#lastWords(name)}`),
      );
    });
  }

  /** Leaves everything running when this process ends. */
  release(): void {
    this.#stopFollowing();
    for (const { child } of this.#children) child.unref();
  }

  /** SIGTERM in reverse order of starting, SIGKILL for what does not end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child } of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const callOff = this.#clock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'));
      await ended;
      callOff();
    }
    this.#stopFollowing();
  }

  #stopFollowing(): void {
    for (const stop of this.#following.splice(0)) stop();
  }

  /** The newest reason that a slave, or else the manager, gave for something that failed. */
  lastTrouble(): string {
    const names = this.#children.map(({ name }) => name).filter((name) => name !== 'chain');
    for (const name of names.toReversed()) {
      const reason = this.#lines(name)
        .map((line) => /"reason":("(?:[^"\\]|\\.)*")/.exec(line)?.[1])
        .findLast((found) => found !== undefined && !found.includes('cannot be reached'));
      if (reason !== undefined) return `${name} says: ${JSON.parse(reason)} (all logs: ${this.#init.logs})`;
    }
    return `the logs are in ${this.#init.logs}`;
  }

  #lastWords(name: string): string {
    return this.#lines(name).at(-1)?.slice(0, 400) ?? '';
  }

  #lines(name: string): string[] {
    return readFileSync(join(this.#init.logs, `${name}.log`), 'utf8')
      .trim()
      .split('\n');
  }
}
