import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Real daemons that a test starts, kills and starts again. */
export class Daemons {
  readonly #logs: string;
  readonly #children = new Map<string, ChildProcess>();

  constructor(logs: string) {
    this.#logs = logs;
  }

  start(name: string, program: string, args: readonly string[], onLine?: (line: string) => void): void {
    const log = openSync(join(this.#logs, `${name}.log`), 'a');
    const child = spawn(join('bin', program), args, { stdio: ['ignore', 'pipe', log] });
    if (onLine !== undefined && child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLine);
    this.#children.set(name, child);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(name: string): Promise<void> {
    await this.#signal(name, 'SIGKILL');
  }

  /** SIGTERM; resolves with the exit code. */
  async end(name: string): Promise<number | null> {
    return await this.#signal(name, 'SIGTERM');
  }

  async stop(): Promise<void> {
    for (const name of [...this.#children.keys()].reverse()) await this.#signal(name, 'SIGTERM');
  }

  /** The process of a program whose command line names this path. */
  async pidOf(program: string, path: string): Promise<number> {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(program) && command.includes(path)) return Number(pid);
    }
    throw new Error(`${program} does not run`);
  }

  async #signal(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#children.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = await exit;
    return code;
  }
}
