import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { canMount } from './bindfs.ts';

export const canSlow = canMount && spawnSync('cc', ['--version']).status === 0;

/** `source` at `path`, from a server that takes as long for each call as it is told to. */
export class SlowMount {
  readonly #source: string;
  readonly #path: string;
  readonly #library: string;
  readonly #delay: string;
  #bindfs: ChildProcess | undefined;

  /** @param folder of its own files, and of no other's */
  constructor(folder: string, source: string, path: string) {
    this.#source = source;
    this.#path = path;
    this.#library = join(folder, 'slow-calls.so');
    this.#delay = join(folder, 'slow-calls');
    const code = new URL('./slow-calls.c', import.meta.url).pathname;
    execFileSync('cc', ['-shared', '-fPIC', '-o', this.#library, code, '-ldl']);
  }

  async mount(): Promise<void> {
    this.calls(0);
    const before = (await stat(this.#path)).dev;
    const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
    this.#bindfs = spawn('bindfs', ['-f', '--multithreaded', '-o', options, this.#source, this.#path], {
      stdio: 'ignore',
      env: { ...process.env, LD_PRELOAD: this.#library, SLOW_CALLS: this.#delay },
    });
    await expect.poll(async () => (await stat(this.#path)).dev, { timeout: 10_000 }).not.toBe(before);
  }

  /** @param ms of each from now on; -1: those never end, whatever is told later */
  calls(ms: number): void {
    this.#tell(String(ms));
  }

  /** Whoever looks at such a file or folder gets no answer until something else is told. */
  hangOnly(name: string): void {
    this.#tell(`-1 ${name}`);
  }

  /** Whole at every moment: its reader looks whenever it likes. */
  #tell(text: string): void {
    writeFileSync(`${this.#delay}.new`, text);
    renameSync(`${this.#delay}.new`, this.#delay);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.#path]);
  }

  end(): void {
    this.#bindfs?.kill('SIGKILL');
    spawnSync('umount', ['-l', this.#path]);
  }
}
