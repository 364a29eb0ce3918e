import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/clock/system-clock.ts';
import { CodedError } from '../src/errors/coded-error.ts';

const STOP_LIMIT_MS = 20_000;
const LOOK_MS = 10;
const WAIT_LIMIT_MS = 120_000;

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

/** A temporary folder and the processes that live in it; `close` leaves nothing of either. */
export class Stage {
  readonly dir: string;
  readonly #children: { readonly name: string; readonly child: ChildProcess }[] = [];

  readonly #onExit = (): void => {
    for (const pid of this.pids.values()) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  };

  private constructor(dir: string) {
    this.dir = dir;
    process.once('exit', this.#onExit);
  }

  static async open(name: string): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), `wdpost-bench-${name}-`));
    return new Stage(dir);
  }

  /** Pids by the names given to `start` and `fork`, of those that live. */
  get pids(): ReadonlyMap<string, number> {
    const living = this.#children.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    return new Map(living.flatMap(({ name, child }) => (child.pid === undefined ? [] : [[name, child.pid] as const])));
  }

  async folder(name: string): Promise<string> {
    const path = join(this.dir, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Both outputs go to `NAME.log`. It ends with this process, however that ends. */
  start(name: string, command: string, args: readonly string[], options: StartOptions = {}): ChildProcess {
    const log = openSync(this.#log(name), 'a');
    const { env, ...user } = options;
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      ...user,
      stdio: ['ignore', log, log],
      env: { ...process.env, WDPOST_TOKEN: undefined, FORCE_SECTOR_SIZE: undefined, ...env },
    });
    closeSync(log);
    return this.#keep(name, child);
  }

  /** A script of the bench with a channel for messages. */
  fork(name: string, script: string, args: readonly string[]): ChildProcess {
    const log = openSync(this.#log(name), 'a');
    const child = fork(script, args, { stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    return this.#keep(name, child);
  }

  /** Waits until the log of a process holds the text so many times. */
  async untilLogged(name: string, text: string, times = 1): Promise<void> {
    await until(`${name} to log "${text}"`, () => {
      if (!this.pids.has(name)) throw new CodedError('process-ended', `${name} ended: ${this.lastWords(name)}`);
      return readFileSync(this.#log(name), 'utf8').split(text).length > times;
    });
  }

  lastWords(name: string): string {
    return readFileSync(this.#log(name), 'utf8').trim().slice(-600);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    for (const { child } of this.#children.filter((other) => other.name === name)) child.kill(signal);
  }

  /** Resolves when it has ended. */
  async kill(name: string, signal: NodeJS.Signals): Promise<void> {
    for (const { child } of this.#children.filter((other) => other.name === name)) await end(child, signal);
  }

  async close(): Promise<void> {
    for (const { child } of this.#children.toReversed()) await end(child, 'SIGTERM');
    process.off('exit', this.#onExit);
    await rm(this.dir, { recursive: true, force: true });
  }

  #log(name: string): string {
    return join(this.dir, `${name}.log`);
  }

  #keep(name: string, child: ChildProcess): ChildProcess {
    this.#children.push({ name, child });
    child.on('error', (error) => process.stderr.write(`${name}: ${error.message}\n`));
    return child;
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  child.kill('SIGCONT');
  const callOff = systemClock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'));
  await gone;
  callOff();
}

/** Looks again until it is so. @throws CodedError `time-limit` after two minutes */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = WAIT_LIMIT_MS,
): Promise<void> {
  const end = systemClock.monotonic() + limitMs;
  while (!(await isSo())) {
    if (systemClock.monotonic() > end) throw new CodedError('time-limit', `waited ${limitMs} ms for ${what}`);
    await systemClock.sleep(LOOK_MS);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new CodedError('no-port', 'no free TCP port was found');
  return address.port;
}

/** CLOCK_MONOTONIC in nanoseconds; the same clock in every process of a machine. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
